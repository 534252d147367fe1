"""A smooth mapping from a template to a page: a homography after a polynomial displacement (perspective and curl)."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels

Points = NDArray[np.float64]  # (N, 2): x, y in pixels

GRID_PX = 16  # between the points for which a warp is calculated; the others are interpolated


@dataclass(frozen=True)
class Mapping:
    """Where a point of the template lies on the page: H(x + D(x)).

    Attributes:
        homography: (3, 3), template pixels to page pixels.
        size: width and height of the template.
        coefficients: (2, terms) of the polynomial D in coordinates from -1 to 1; no terms stand for none.
    """

    homography: NDArray[np.float64]
    size: tuple[int, int]
    coefficients: NDArray[np.float64]

    @classmethod
    def of(cls, homography: NDArray[np.float64], size: tuple[int, int]) -> "Mapping":
        """Return a mapping without displacement."""
        return cls(np.asarray(homography, float), size, np.zeros((2, 3)))

    @property
    def angle(self) -> float:
        """By how many degrees, -180 to 180, the middle of the template is turned on the page."""
        x, y = self.size[0] / 2, self.size[1] / 2
        left, right = cv2.perspectiveTransform(np.array([[[x - 5, y], [x + 5, y]]]), self.homography)[0]
        return float(np.degrees(np.arctan2(right[1] - left[1], right[0] - left[0])))

    def upside_down(self) -> "Mapping":
        """Return the mapping of the template turned by half around its middle: the point that lay at W - x lies at x.

        As D'(x) = -D(W - x), the terms of even order change their sign.
        """
        width, height = self.size
        turn = np.array([[-1, 0, width], [0, -1, height], [0, 0, 1.0]])
        orders = np.array([0, 1, 1, 2, 2, 2, 3, 3, 3, 3])[: self.coefficients.shape[1]]
        return Mapping(self.homography @ turn, self.size, self.coefficients * np.where(orders % 2 == 0, -1.0, 1.0))

    def shifted(self, shift: Points) -> "Mapping":
        """Return the mapping in which each point lies where the one (2,) pixels further lay."""
        constant = np.zeros_like(self.coefficients)
        constant[:, 0] = shift
        return Mapping(self.homography, self.size, self.coefficients + constant)

    def displacement(self, points: Points) -> Points:
        """Return D at points of the template."""
        order = {3: 1, 6: 2, 10: 3}[self.coefficients.shape[1]]
        return np.asarray(terms(points, self.size, order) @ self.coefficients.T)

    def to_page(self, points: Points) -> Points:
        """Return where points of the template lie on the page."""
        moved = points + self.displacement(points)
        return np.asarray(cv2.perspectiveTransform(moved[None], self.homography)[0])

    def crop(self, page: Pixels, box: NDArray[np.float64], scale: float) -> Pixels:
        """Return the part of the page below a box of the template (left, top, width, height), upright.

        It has `scale` pixels per pixel of the template; what lies off the page is white.
        """
        width, height = max(8, round(box[2] * scale)), max(8, round(box[3] * scale))
        step = max(1.0, max(width, height) / 12)
        across, down = int(width / step) + 2, int(height / step) + 2
        xs, ys = np.meshgrid(np.arange(across) * step, np.arange(down) * step)
        points = np.stack([xs.ravel(), ys.ravel()], axis=1) / scale + box[:2]
        mapped = self.to_page(points).reshape(down, across, 2).astype(np.float32)
        maps = cv2.warpAffine(mapped, np.array([[step, 0, 0], [0, step, 0]]), (width, height), flags=cv2.INTER_LINEAR)
        return np.asarray(
            cv2.remap(page, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=255)
        )

    def warp(self, page: Pixels, size: tuple[int, int] | None = None, scale: float = 1.0) -> Pixels:
        """Return the page in the frame of the template; `scale` reduces it, `size` is its width and height then."""
        width, height = size or (round(self.size[0] * scale), round(self.size[1] * scale))
        across, down = -(-width // GRID_PX) + 1, -(-height // GRID_PX) + 1
        xs, ys = np.meshgrid(np.arange(across) * GRID_PX, np.arange(down) * GRID_PX)
        points = np.stack([xs.ravel(), ys.ravel()], axis=1) / scale
        mapped = self.to_page(points).reshape(down, across, 2).astype(np.float32)
        to_fine = np.array([[GRID_PX, 0, 0], [0, GRID_PX, 0]], float)
        maps = cv2.warpAffine(mapped, to_fine, (width, height), flags=cv2.INTER_LINEAR)
        return np.asarray(cv2.remap(page, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT))


def terms(points: Points, size: tuple[int, int], order: int) -> NDArray[np.float64]:
    """Return (N, terms) monomials up to an order of points, in coordinates from -1 to 1."""
    x, y = (2 * points[:, axis] / size[axis] - 1 for axis in (0, 1))
    powers = [x**i * y**j for total in range(order + 1) for i in range(total, -1, -1) for j in (total - i,)]
    return np.stack(powers, axis=1)


def fitted(mapping: Mapping, at: Points, moved: Points, weights: Points, order: int) -> Mapping:
    """Return the mapping whose displacement is fitted to `moved` at points, robustly, for each axis by its weights.

    Args:
        mapping: gives homography and size.
        at: (N, 2) points of the template.
        moved: (N, 2) the displacement there.
        weights: (N, 2) how well it is known along each axis.
        order: of the polynomial, 1 to 3.
    """
    basis = terms(at, mapping.size, order)
    ridge = np.diag([0.0] * 3 + [0.02 * len(at)] * (basis.shape[1] - 3))
    coefficients = np.zeros((2, basis.shape[1]))
    for axis in (0, 1):
        weight = weights[:, axis].copy()
        for scale in (12.0, 6.0, 3.0, 2.0, 2.0):  # pixels: Cauchy's weights, from tolerant to strict
            weighted = basis * weight[:, None]
            normal = basis.T @ weighted + ridge * float(weights[:, axis].mean()) * 0.1 + 1e-9 * np.eye(len(ridge))
            coefficients[axis] = np.linalg.solve(normal, weighted.T @ moved[:, axis])
            residual = moved[:, axis] - basis @ coefficients[axis]
            weight = weights[:, axis] / (1 + (residual / scale) ** 2)
    return Mapping(mapping.homography, mapping.size, coefficients)
