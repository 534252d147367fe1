"""Augmentation of one training digit: variations of writer, pen, segmentation, camera and scanner."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.networks.digit_image import SIZE, normalise

Random = np.random.Generator

FINE = 2 * SIZE  # strokes are changed at twice the size, where one pixel is a small step
FULL = 0.4  # ink that fills this share of its rectangle was drawn by a broad pen; a broader one would fill its loops
FAINT = 16  # interpolation leaves a halo below this level; it must not count as ink

# ---- deformation of the shape (standard deviations, or the ends of a range)
TURN = 7.5  # degrees
SLANT = 0.18
STRETCH = 0.24  # logarithm of width to height
BEND = (0.0, 1.25)  # elastic displacement in pixels of the 28x28 picture; Simard et al. 2003
MILD = 0.6  # share of these amounts for the mildly changed digits

# ---- segmentation errors: the probability of each
FRAGMENT, RULED, CUT, BAR_OR_SLASH = 0.12, 0.10, 0.10, 0.20


def mild(picture: Pixels, rng: Random) -> Pixels:
    """Return the (28, 28) digit as another MNIST writer might have written it: slightly deformed, moved and resized."""
    zoom = np.exp(rng.normal(0, 0.06))
    shift = rng.uniform(-1.3, 1.3, 2)
    return bend(picture, rng, side=SIZE, amount=MILD, zoom=zoom, shift=shift)


def strong(picture: Pixels, rng: Random, *, neighbour: Pixels) -> Pixels:
    """Return the (28, 28) digit as the reader might segment it from a page: deformed, another pen, segmentation errors.

    `neighbour` is another (28, 28) digit, of which a fragment may be left at the edge.
    """
    fine = bend(picture, rng, side=FINE, amount=1.0, zoom=1.0, shift=np.zeros(2))
    return finish(cut_out(pen(fine, rng), rng, neighbour=neighbour), rng)


def finish(ink: Pixels, rng: Random) -> Pixels:
    """Return (H, W) ink as the reader normalises it, a little off its size and place half of the time."""
    return place(normalise(ink), rng)


def bend(picture: Pixels, rng: Random, *, side: int, amount: float, zoom: float, shift: NDArray[np.float64]) -> Pixels:
    """Return (side, side) of the 28x28 picture under one random affine and elastic map.

    `amount` is the strength of the deformation, 1 as in strong(); `zoom` makes the digit smaller, `shift` (x, y)
    moves it, in pixels of 28.
    """
    turn = np.deg2rad(rng.normal(0, TURN * amount))
    stretch = np.exp(rng.normal(0, STRETCH * amount) / 2)
    slant = np.array([[1, rng.normal(0, SLANT * amount)], [0, 1]])
    rotation = np.array([[np.cos(turn), -np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    matrix = rotation @ slant @ np.diag([stretch, 1 / stretch]) / zoom
    scale = side / SIZE
    field = rng.normal(0, rng.uniform(*BEND) * amount * scale, (5, 5, 2)).astype(np.float32)
    where = (_grid(side) @ matrix.T.astype(np.float32)).reshape(side, side, 2)
    where += (side - 1) / 2 + (shift * scale).astype(np.float32)
    where += cv2.resize(field, (side, side), interpolation=cv2.INTER_CUBIC)
    if side != SIZE:
        picture = cv2.resize(picture, (side, side), interpolation=cv2.INTER_CUBIC)
    warped = cv2.remap(picture, where, None, cv2.INTER_LINEAR)
    changed: Pixels = cv2.threshold(warped, FAINT, 0, cv2.THRESH_TOZERO)[1]
    return changed


@cache
def _grid(side: int) -> NDArray[np.float32]:
    """Return the (side * side, 2) x and y of every pixel, relative to the centre."""
    axis = np.arange(side, dtype=np.float32) - (side - 1) / 2
    return np.stack(np.meshgrid(axis, axis), -1).reshape(-1, 2)


def pen(fine: Pixels, rng: Random) -> Pixels:
    """Return the strokes of (H, W) ink drawn by a finer or a broader pen, or as they are."""
    kind = rng.random()
    if kind < 0.35:
        return fine
    cross = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    if kind < 0.65:
        broad = int(fine.sum()) > FULL * 255 * fine[fine.any(1)][:, fine.any(0)].size
        thick = cv2.dilate(fine, cross, iterations=1 if broad else int(rng.integers(1, 4)))
        changed: Pixels = cv2.GaussianBlur(thick, (3, 3), 0)
        return changed
    for _ in range(int(rng.integers(1, 3))):
        thin = cv2.erode(fine, cross)
        if int(thin.sum()) < 0.6 * int(fine.sum()):  # the next step would break the strokes
            break
        fine = thin
    return fine


def cut_out(ink: Pixels, rng: Random, *, neighbour: Pixels) -> Pixels:
    """Return (H, W) ink with some segmentation errors, mostly none."""
    if rng.random() < CUT:
        ink = _cut_edge(ink, rng)
    if rng.random() < FRAGMENT:
        ink = _add_fragment(ink, rng, neighbour)
    if rng.random() < RULED:
        ink = _add_rule(ink, rng)
    return ink if ink.any() else np.full_like(ink, 255)


def _cut_edge(ink: Pixels, rng: Random) -> Pixels:
    """Return the ink with up to an eighth cut off at one side."""
    left, top, width, height = cv2.boundingRect(ink)
    ink = ink[top : top + height, left : left + width]
    by, side = rng.uniform(0.02, 0.12), int(rng.integers(4))
    rows, columns = round(by * height), round(by * width)
    return (ink[rows:], ink[: height - rows], ink[:, columns:], ink[:, : width - columns])[side]


def _add_fragment(ink: Pixels, rng: Random, neighbour: Pixels) -> Pixels:
    """Return the ink with a narrow piece of a neighbouring digit at its left or right."""
    left, top, width, height = cv2.boundingRect(ink)
    ink = ink[top : top + height, left : left + width]
    other = neighbour[:, neighbour.any(axis=0)]
    other = cv2.resize(other, (max(2, round(height * other.shape[1] / 24)), height))
    wide = max(1, round(height * rng.uniform(0.05, 0.16)))  # a fifth of a digit's height at most
    other = np.roll(other, int(rng.normal(0, 0.2) * height), axis=0)
    gap = np.zeros((height, int(rng.integers(0, max(2, height // 12)))), np.uint8)
    if rng.random() < 0.5:
        return np.hstack([other[:, -wide:], gap, ink])
    return np.hstack([ink, gap, other[:, :wide]])


def _add_rule(ink: Pixels, rng: Random) -> Pixels:
    """Return the ink with a piece of a printed line through it or below it."""
    left, top, width, height = cv2.boundingRect(ink)
    ink = ink.copy()
    y = top + height * rng.choice([rng.uniform(0.85, 1.05), rng.uniform(0.0, 1.0)], p=[0.7, 0.3])
    ends = left + width * np.sort(rng.uniform(-0.15, 1.15, 2))
    tilt = rng.normal(0, 0.03) * width
    shade = int(rng.integers(90, 256))
    cv2.line(
        ink,
        (int(ends[0]), int(y)),
        (int(ends[1]), int(y + tilt)),
        (shade,),
        int(rng.integers(1, 4)),
        cv2.LINE_AA,
    )
    return ink


def bar_or_slash(picture: Pixels, label: int, rng: Random) -> Pixels:
    """Return a (28, 28) 7 with a bar or 0 with a slash, as many Europeans write them; others unchanged."""
    if label not in (0, 7) or rng.random() > BAR_OR_SLASH:
        return picture
    left, top, width, height = cv2.boundingRect(picture)
    stroke = int(rng.integers(1, 4))
    if label == 0:
        ends = np.array([[left + width, top], [left, top + height]]) + rng.normal(0, 1.5, (2, 2))
    else:
        y = top + height * rng.uniform(0.42, 0.62)
        row = np.flatnonzero(picture[int(y)])
        x = float(row.mean()) if len(row) else left + width / 2
        half = width * rng.uniform(0.22, 0.4)
        ends = np.array([[x - half, y + rng.normal(0, 1)], [x + half, y + rng.normal(0, 1)]])
    start, end = np.round(ends).astype(int).tolist()
    changed: Pixels = cv2.line(picture.copy(), start, end, (255,), stroke, cv2.LINE_AA)
    return changed


def place(picture: Pixels, rng: Random) -> Pixels:
    """Return the normalised (28, 28) picture, half of the time a little off its size and place."""
    if rng.random() < 0.5:
        return picture
    zoom = rng.uniform(0.82, 1.12)
    shift = rng.uniform(-1.8, 1.8, 2) + (SIZE - 1) / 2 * (1 - zoom)
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    changed: Pixels = cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
    return changed
