"""Degradations of a 28x28 picture by paper, camera and scanner."""

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels

Random = np.random.Generator

COUNT = (0.55, 0.35, 0.10)  # probabilities of one, two or three degradations


def damage(picture: Pixels, rng: Random) -> Pixels:
    """Return the (28, 28) picture after one to three degradations, chosen at random."""
    for kind in rng.choice(len(KINDS), size=int(rng.choice(3, p=COUNT)) + 1, replace=False):
        picture = KINDS[kind](picture, rng)
    return picture


def _clip(values: NDArray[np.floating]) -> Pixels:
    spoiled: Pixels = np.clip(values, 0, 255).astype(np.uint8)
    return spoiled


def _blur(picture: Pixels, rng: Random) -> Pixels:
    """Return it defocused, or with motion blur."""
    if rng.random() < 0.7:
        spoiled: Pixels = cv2.GaussianBlur(picture, (7, 7), rng.uniform(0.4, 1.4))
    else:
        kernel = np.zeros((5, 5), np.float32)
        x, y = (int(end) for end in rng.integers(0, 5, 2))
        cv2.line(kernel, (x, y), (4 - x, 4 - y), (1.0,))
        spoiled = cv2.filter2D(picture, -1, kernel / kernel.sum())
    return spoiled


def _fade(picture: Pixels, rng: Random) -> Pixels:
    """Return it with pale ink on grey paper: less contrast, another gamma, a paper level above zero."""
    low, high = rng.uniform(0, 90), rng.uniform(130, 255)
    return _clip(low + (high - low) * (picture / 255.0) ** rng.uniform(0.5, 2.0))


def _shade(picture: Pixels, rng: Random) -> Pixels:
    """Return it with a shadow that darkens the paper towards one side."""
    corners = rng.uniform(0, 130, (2, 2)).astype(np.float32)
    slope = cv2.resize(corners, picture.shape[::-1])
    return _clip(np.maximum(picture * rng.uniform(0.6, 1.0), 0) * (1 - slope / 400) + slope)


def _grain(picture: Pixels, rng: Random) -> Pixels:
    """Return it with sensor noise or paper texture."""
    noise = rng.normal(0, rng.uniform(8, 55), picture.shape).astype(np.float32)
    if rng.random() < 0.4:
        noise = cv2.GaussianBlur(noise, (3, 3), 0) * 2
    return _clip(picture + noise)


def _dry(picture: Pixels, rng: Random) -> Pixels:
    """Return it as written by a dry pen, with uneven ink."""
    spoiled: Pixels = np.clip(picture * (1 + rng.uniform(0.2, 0.7) * rng.standard_normal(picture.shape)), 0, 255)
    return spoiled.astype(np.uint8)


def _ragged(picture: Pixels, rng: Random) -> Pixels:
    """Return it with ragged stroke edges, as on rough or wet paper."""
    y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
    where = np.stack([x, y], -1) + rng.normal(0, rng.uniform(0.3, 0.9), (*picture.shape, 2))
    spoiled: Pixels = cv2.remap(picture, where.astype(np.float32), None, cv2.INTER_LINEAR)
    return spoiled


def _specks(picture: Pixels, rng: Random) -> Pixels:
    """Return it with salt-and-pepper noise."""
    hit = rng.random(picture.shape)
    share = rng.uniform(0.005, 0.12)
    return np.where(hit < share / 2, 255, np.where(hit < share, 0, picture)).astype(np.uint8)


def _jpeg(picture: Pixels, rng: Random) -> Pixels:
    """Return it after strong JPEG compression."""
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(8, 50))])
    spoiled: Pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
    return spoiled


def _threshold(picture: Pixels, rng: Random) -> Pixels:
    """Return it binarised by a global threshold."""
    spoiled: Pixels = cv2.threshold(picture, rng.uniform(50, 180), 255, cv2.THRESH_BINARY)[1]
    return spoiled


def _coarse(picture: Pixels, rng: Random) -> Pixels:
    """Return it downscaled and enlarged again."""
    side = int(rng.integers(10, 22))
    small = cv2.resize(picture, (side, side), interpolation=cv2.INTER_AREA)
    how = cv2.INTER_NEAREST if rng.random() < 0.5 else cv2.INTER_LINEAR
    spoiled: Pixels = cv2.resize(small, picture.shape[::-1], interpolation=how)
    return spoiled


def _pattern(picture: Pixels, rng: Random) -> Pixels:
    """Return it on a printed background of waves or soft spots."""
    if rng.random() < 0.6:
        y, x = np.mgrid[: picture.shape[0], : picture.shape[1]]
        wave = rng.normal(0, 0.9, 2)
        back = 0.5 + 0.5 * np.sin(wave[0] * x + wave[1] * y + rng.uniform(0, 6) + 0.02 * rng.normal() * x * y)
    else:
        side = int(rng.integers(4, 12))
        back = cv2.resize(rng.random((side, side)), picture.shape[::-1], interpolation=cv2.INTER_CUBIC)
    return _clip(np.maximum(picture, rng.uniform(25, 150) * back))


def _edges(picture: Pixels, rng: Random) -> Pixels:
    """Return it with remains of a printed box, or of a dark table, at one or two sides."""
    picture = picture.copy()
    for side in rng.choice(4, size=int(rng.integers(1, 3)), replace=False):
        turned = np.rot90(picture, int(side))
        deep = int(rng.integers(1, 4))
        at = int(rng.integers(0, 3))
        turned[at : at + deep] = np.maximum(turned[at : at + deep], int(rng.integers(80, 256)))
    return picture


def _hide(picture: Pixels, rng: Random) -> Pixels:
    """Return it with a small patch erased or blotted, or a scratch across."""
    picture = picture.copy()
    shade = int(rng.choice([0, 0, 0, 128, 255]))
    if rng.random() < 0.5:
        y, x = rng.integers(2, 20, 2)
        high, wide = rng.integers(3, 8, 2)
        picture[y : y + high, x : x + wide] = shade
        return picture
    ends = rng.integers(0, 28, (2, 2)).tolist()
    spoiled: Pixels = cv2.line(picture, ends[0], ends[1], (shade,), int(rng.integers(1, 3)), cv2.LINE_AA)
    return spoiled


def _lines(picture: Pixels, rng: Random) -> Pixels:
    """Return it with one to four thin lines across: ruled or grid paper, or scratches."""
    picture = picture.copy()
    shade, parallel = int(rng.integers(60, 256)), rng.random() < 0.7
    along = float(rng.choice([0.0, np.pi / 2, rng.uniform(0, np.pi)], p=[0.5, 0.25, 0.25]))
    for _ in range(int(rng.integers(1, 5))):
        angle = along + rng.normal(0, 0.03 if parallel else 0.8)
        middle, reach = rng.uniform(1, 26, 2), 40 * np.array([np.cos(angle), np.sin(angle)])
        ends = np.round([middle - reach, middle + reach]).astype(int).tolist()
        cv2.line(picture, ends[0], ends[1], (shade,), 1, cv2.LINE_AA)
    return picture


def _filter(picture: Pixels, rng: Random) -> Pixels:
    """Return it mixed with a random shallow convolution of itself (Xu et al., "RandConv", 2021)."""
    side = int(rng.choice([1, 3, 5]))
    kernel = rng.normal(0, 1 / side, (side, side)).astype(np.float32)
    answer = np.abs(cv2.filter2D(picture.astype(np.float32), -1, kernel))
    answer *= 255 / max(float(answer.max()), 1.0)
    share = rng.uniform(0, 0.8)
    return _clip(share * answer + (1 - share) * picture)


KINDS: tuple[Callable[[Pixels, Random], Pixels], ...] = (
    _blur, _fade, _shade, _grain, _dry, _ragged, _specks, _jpeg, _threshold, _coarse, _pattern, _edges, _hide, _lines,
    _filter,
)  # fmt: skip
