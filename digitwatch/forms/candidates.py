"""Coarse registration: a few homographies from a template to a page, the likeliest first."""

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.forms.printed import find_lines, normalised, reduced
from digitwatch.recognition.arrays import Floats, Pixels

Homography = NDArray[np.float64]

COARSE_PX = 320  # longer side of the template in which candidates are compared
FEATURE_PX = 800  # longer side of the page in which features are looked for: A4 at 68 dpi
FEATURES = 1000
RATIO = 0.8  # of the distances to the nearest and the second nearest feature (Lowe 2004)
MIN_MATCHES = 12
RANSAC_PX = 6.0  # of the template; curl and folds bend a page by as much
SCALES = np.arange(0.86, 1.16, 0.03)  # of a scan, by the scale at which it would fill the page
PAPER_PX = 500  # longer side of the page in which its border is looked for
BARE = 50  # darkness, 0 to 255, below which paper is bare
MIN_PAPER = 0.2  # of the picture, that a paper fills at least
ANGLE_BINS = 360  # of a quarter of a turn


@dataclass(frozen=True)
class Features:
    """Places and descriptors of features."""

    places: NDArray[np.float32]
    descriptors: NDArray[np.float32]


def features(dark: Pixels) -> Features:
    """Return the features of a darkness map, at their places in it; they are looked for in a reduced copy."""
    small = reduced(dark, FEATURE_PX)
    found, descriptors = cv2.SIFT.create(FEATURES, contrastThreshold=0.03).detectAndCompute(small, None)
    places = np.array([each.pt for each in found], np.float32).reshape(-1, 2) * np.float32(max(dark.shape) / FEATURE_PX)
    return Features(places, np.zeros((0, 128), np.float32) if descriptors is None else descriptors)


def by_features(template: Features, page: Features) -> Homography | None:
    """Return the homography of features that are alike in template and page and have no second one like them."""
    if min(len(template.places), len(page.places)) < MIN_MATCHES:
        return None
    pairs = cv2.BFMatcher().knnMatch(template.descriptors, page.descriptors, k=2)
    good = [one for one, two in (pair for pair in pairs if len(pair) == 2) if one.distance < RATIO * two.distance]
    if len(good) < MIN_MATCHES:
        return None
    here = template.places[[match.queryIdx for match in good]]
    there = page.places[[match.trainIdx for match in good]]
    found, inliers = cv2.findHomography(here, there, cv2.USAC_MAGSAC, RANSAC_PX, maxIters=3000)
    return found if found is not None and int(inliers.sum()) >= MIN_MATCHES else None


def by_paper(grey: Pixels, dark: Pixels, size: tuple[int, int]) -> Iterator[Homography]:
    """Yield homographies, in four turns, from the template's size (width, height) to the border of the paper on a page.

    The paper is what is brighter than the table (Otsu), and what has no ink and is enclosed by its own shadow's edge.
    """
    small = reduced(cv2.medianBlur(grey, 5), PAPER_PX)
    _, bright = cv2.threshold(small, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    bare = np.where(reduced(dark, PAPER_PX) < BARE, 255, 0).astype(np.uint8)
    for mask in (cv2.morphologyEx(bright, cv2.MORPH_CLOSE, np.ones((15, 15), np.uint8)), _largest(bare)):
        corners = _quadrangle(mask)
        if corners is not None:
            yield from from_corners(corners * (grey.shape[1] / small.shape[1]), size)


def _largest(mask: Pixels) -> Pixels:
    """Return the largest area of a mask, without the gaps that ink leaves in it."""
    eroded = cv2.erode(mask, np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(eroded, connectivity=4)
    if len(stats) < 2:
        return mask
    area = np.where(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), 255, 0).astype(np.uint8)
    return np.asarray(cv2.dilate(area, np.ones((5, 5), np.uint8)))


def _quadrangle(mask: Pixels) -> NDArray[np.float64] | None:
    """Return the four corners of the largest area of a mask; None where it has another shape or is small."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    if not contours:
        return None
    paper = cv2.convexHull(max(contours, key=cv2.contourArea))
    if cv2.contourArea(paper) < MIN_PAPER * mask.size:
        return None
    for share in (0.01, 0.02, 0.03, 0.05):
        corners = cv2.approxPolyDP(paper, share * cv2.arcLength(paper, True), True)[:, 0]
        if len(corners) == 4:
            return np.asarray(corners, float)
    return None


def by_frame(dark: Pixels, template: Pixels, px_per_mm: float) -> Iterator[Homography]:
    """Yield the four homographies from the outer corners of the template's lines to those of the page's."""
    angle = main_angle(dark)
    height, width = dark.shape
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), angle, 1.0)
    level = cv2.warpAffine(dark, turn, (width, height))
    ours, theirs = outer_corners(template, px_per_mm), outer_corners(level, px_per_mm)
    if ours is None or theirs is None:
        return
    back = cv2.transform(theirs[None], cv2.invertAffineTransform(turn))[0]
    for k in range(4):
        yield cv2.getPerspectiveTransform(ours.astype(np.float32), np.roll(back, k, axis=0).astype(np.float32))


def outer_corners(dark: Pixels, px_per_mm: float) -> NDArray[np.float64] | None:
    """Return the outermost points of all lines towards the four corners, clockwise from the upper left."""
    lines = find_lines(dark, px_per_mm)
    mask = cv2.dilate(lines.across | lines.down, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask)
    large = [k for k in range(1, count) if min(stats[k, 2], stats[k, 3]) >= 4 * px_per_mm]
    ys, xs = np.nonzero(np.isin(labels, large))
    if len(xs) < 50:
        return None
    ends = [int((sx * xs + sy * ys).argmax()) for sx, sy in ((-1, -1), (1, -1), (1, 1), (-1, 1))]
    return np.stack([xs[ends], ys[ends]], axis=1).astype(float)


def from_corners(corners: NDArray[np.float64], size: tuple[int, int]) -> Iterator[Homography]:
    """Yield the homographies from a size to four corners given in any order around, in the four turns."""
    middle = corners.mean(axis=0)
    order = np.argsort(np.arctan2(corners[:, 1] - middle[1], corners[:, 0] - middle[0]))
    around = corners[order].astype(np.float32)  # clockwise from the upper left
    own = np.array([[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]], np.float32)
    for k in range(4):
        yield cv2.getPerspectiveTransform(own, np.roll(around, k, axis=0))


def by_search(dark: Pixels, template: Pixels, px_per_page: tuple[int, int]) -> Iterator[Homography]:
    """Yield homographies of a scan: turned by the main angle of its lines, in four turns, at several scales."""
    height, width = dark.shape
    angle = np.deg2rad(main_angle(dark))
    middle = np.array([px_per_page[0] / 2, px_per_page[1] / 2])
    for turn in range(4):
        direction = angle + turn * np.pi / 2
        across, down = px_per_page if turn % 2 == 0 else px_per_page[::-1]
        fill = min(width / across, height / down)
        for scale in SCALES:
            c, s = fill * scale * np.cos(direction), fill * scale * np.sin(direction)
            linear = np.array([[c, -s], [s, c]])
            offset = np.array([width / 2, height / 2]) - linear @ middle
            yield np.vstack([np.column_stack([linear, offset]), [0, 0, 1]])


def main_angle(dark: Pixels) -> float:
    """Return by how many degrees, -45 to 45, the lines of a page are turned clockwise."""
    across = cv2.Sobel(dark, cv2.CV_32F, 1, 0, ksize=3)
    down = cv2.Sobel(dark, cv2.CV_32F, 0, 1, ksize=3)
    strength, angle = cv2.cartToPolar(across, down, angleInDegrees=True)
    strong = strength > 200
    bins = np.bincount(((angle[strong] % 90) * (ANGLE_BINS / 90)).astype(int) % ANGLE_BINS, minlength=ANGLE_BINS)
    padded = np.concatenate([bins[-4:], bins, bins[:4]]).astype(float)
    best = int(np.convolve(padded, [1, 2, 3, 4, 4, 4, 3, 2, 1], "valid").argmax())
    found = (best + 0.5) * 90 / ANGLE_BINS
    return found if found <= 45 else found - 90


def is_sane(homography: Homography, size: tuple[int, int], page: tuple[int, int]) -> bool:
    """Return whether a template of a size lies unmirrored and convex on a page, neither tiny nor huge."""
    own = np.array([[[0, 0], [size[0], 0], [size[0], size[1]], [0, size[1]]]], float)
    corners = cv2.perspectiveTransform(own, homography)[0].astype(np.float32)
    if not np.isfinite(corners).all() or not cv2.isContourConvex(corners.reshape(-1, 1, 2)):
        return False
    area = cv2.contourArea(corners.reshape(-1, 1, 2), oriented=True)
    return bool(0.1 * page[0] * page[1] < area < 4 * page[0] * page[1])


def best_shift(template: Floats, page: Floats) -> tuple[float, float, float]:
    """Return the likeness of two normalised pictures at the shift where it is highest, and that shift (x, y).

    The page's content lies shifted by that much to the right and down of the template's.
    """
    height, width = template.shape
    rows, columns = cv2.getOptimalDFTSize(2 * height), cv2.getOptimalDFTSize(2 * width)
    padded = [np.zeros((rows, columns), np.float32) for _ in range(2)]
    padded[0][:height, :width], padded[1][:height, :width] = template, page
    spectra = [cv2.dft(each) for each in padded]
    likeness = cv2.idft(cv2.mulSpectrums(spectra[1], spectra[0], 0, conjB=True), flags=cv2.DFT_SCALE)
    down, across = np.unravel_index(int(likeness.argmax()), likeness.shape)
    x, y = int(across), int(down)
    x, y = (x - columns if x > columns // 2 else x), (y - rows if y > rows // 2 else y)
    return float(likeness[down, across]), float(x), float(y)


def coarse(dark: Pixels) -> Floats:
    """Return a darkness map as candidates are compared: blurred, normalised."""
    return normalised(cv2.GaussianBlur(dark, (0, 0), 1.2))
