"""Grey crops of one line for the crop recogniser: digits, signs and other ink, with form print and background."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.networks import foreground_network
from digitwatch.recognition.networks.crop_recognizer import FRAME, OTHER, framed, level, to_height
from digitwatch.training.data.digits import Digits
from digitwatch.training.synthesis import augment, surroundings
from digitwatch.training.synthesis.ahead import examples
from digitwatch.training.synthesis.handwriting import INDEX, TALL, Row, digit, sized, written

Random = np.random.Generator

WIDEST = 448  # columns of a finished crop
MASK_LEVEL = 50  # 0 to 255: how dark ink is where it counts for the mask
CHUNK, AHEAD = 100, 10  # crops per task, and tasks in flight

REACHING, SLOPE = 0.15, 0.025  # the probability of fragments of neighbours; a standard deviation, in radians
CUT, CUT_OFF = 0.01, (0.22, 0.5)  # the probability that an edge cuts the writing; the share of its height that is lost
MARGINS = (((0, 0.15), 0.3), ((0.1, 0.8), 0.5), ((0.5, 4), 0.2))  # beside the writing, in heights; and how often


@dataclass(frozen=True)
class Crop:
    """A (40, W) uint8 picture with W one of WIDTHS, and the indices in LABELS of its text."""

    picture: Pixels
    symbols: tuple[int, ...]


def crops(digits: Digits, *, seed: int) -> Iterator[Crop]:
    """Yield crops endlessly, composed in another process; order and contents depend only on the seed."""
    yield from examples(crop, digits, seed=seed, chunk=CHUNK, ahead=AHEAD, nice=2)


@dataclass(frozen=True)
class Composed:
    """A crop before it gets its final size: (80, W) uint8 writing, print around it, and the grey picture of both."""

    symbols: list[int]
    writing: Pixels
    printed: Pixels
    grey: Pixels


@dataclass(frozen=True)
class Masked:
    """A (48, W) uint8 picture, and (24, W / 2) uint8 classes of foreground_network."""

    picture: Pixels
    classes: Pixels


def compose(digits: Digits, rng: Random) -> Composed:
    """Return one crop of a line of writing in all that may surround it."""
    row = written(digits, rng)
    writing, box, edges = _cut(row, rng)
    ink = writing.copy()
    if not row.symbols or rng.random() < REACHING:
        _reach(ink, digits, row.height, rng)
    lines = surroundings.printed(ink.shape, box, rng)
    if edges:
        surroundings.cells(lines, edges, box, rng)
    return Composed(row.symbols, writing, np.maximum(lines, ink - writing), surroundings.picture(ink, lines, rng))


def masks(digits: Digits, *, seed: int) -> Iterator[Masked]:
    """Yield crops with the class of each pixel, as `crops` does."""
    yield from examples(masked, digits, seed=seed, chunk=CHUNK, ahead=AHEAD, nice=2)


def crop(digits: Digits, rng: Random) -> Crop | None:
    """Return one crop; None when it came out too wide, or too narrow for its symbols."""
    composed = compose(digits, rng)
    small = to_height(composed.grey)
    if small.shape[1] > WIDEST or frames(composed.symbols) > small.shape[1] // FRAME:
        return None
    return Crop(framed(level(small)), tuple(composed.symbols))


def masked(digits: Digits, rng: Random) -> Masked | None:
    """Return one crop with the class of each pixel; None when it came out too wide."""
    composed = compose(digits, rng)
    picture = foreground_network.framed(composed.grey)
    if picture.shape[1] > WIDEST:
        return None
    found = classes(composed)
    padding = picture.shape[1] // foreground_network.STEP - found.shape[1]
    return Masked(picture, np.pad(found, ((0, 0), (0, padding))))


def classes(composed: Composed) -> Pixels:
    """Return (24, w) uint8 classes of foreground_network of each 2 by 2 pixels of the crop as the network sees it."""
    step = foreground_network.STEP
    size = (foreground_network.width((TALL, composed.grey.shape[1])) // step, foreground_network.HEIGHT // step)
    found = np.full(size[::-1], foreground_network.PAPER, np.uint8)
    for number, ink in (
        (foreground_network.OTHER_INK, composed.printed),
        (foreground_network.WRITING, composed.writing),
    ):
        found[cv2.resize(ink, size, interpolation=cv2.INTER_AREA) > MASK_LEVEL] = number
    return found


def frames(symbols: list[int] | tuple[int, ...]) -> int:
    """Return how many frames of the network the symbols need: one each, and one between equal neighbours."""
    return len(symbols) + sum(one == other for one, other in pairwise(symbols))


def _cut(row: Row, rng: Random) -> tuple[Pixels, tuple[int, int, int, int], list[int]]:
    """Return a crop's ink, TALL pixels high, the box (left, top, right, bottom) of its writing, and its cell edges."""
    if not row.symbols:
        ink = np.zeros((TALL, int(rng.integers(TALL // 2, 5 * TALL))), np.uint8)
        middle = ink.shape[1] // 2
        return ink, (middle - 20, 20, middle + 20, 60), []
    line = row.ink[:, : row.right + row.height]
    line = _pen(_slanted(line, rng.normal(0, 0.13), rng.normal(0, SLOPE)), rng)
    left, top, width, height = cv2.boundingRect(line)
    shift = -left if not row.edges else -min(left, row.edges[0] + 2)
    if height > TALL - 2:  # signs below the base line, or a slope: the whole line becomes smaller
        scale = (TALL - 2) / height
        line = cv2.resize(line, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        row.edges = [round(edge * scale) for edge in row.edges]
        left, top, width, height = cv2.boundingRect(line)
        shift = -left if not row.edges else -min(left, row.edges[0] + 2)
    before, behind = _margin(row.height, rng), _margin(row.height, rng)
    right = max(left + width, row.edges[-1] if row.edges else 0)
    ink = np.zeros((TALL, right + shift + before + behind + 2), np.uint8)
    y = int(rng.integers(0, TALL - height + 1))
    if rng.random() < CUT:
        y = _cut_off(row, line[top : top + height], rng)
    start = left + shift + before
    first, last = max(0, y), min(TALL, y + height)
    ink[first:last, start : start + width] = line[top + first - y : top + last - y, left : left + width]
    box = (start, first, start + width, last)
    return ink, box, [edge + shift + before for edge in row.edges]


def _cut_off(row: Row, line: Pixels, rng: Random) -> int:
    """Remove the upper or the lower part of a line, as the edge of a scan does, and return where the rest stands.

    What is left of a digit may look like another one: the text is other ink.
    """
    height = int(line.shape[0])
    lost = round(height * rng.uniform(*CUT_OFF))
    row.symbols = [INDEX[OTHER]]
    if rng.random() < 0.5:
        line[:lost] = 0
        return -lost
    line[height - lost :] = 0
    return TALL - height + lost


def _margin(height: int, rng: Random) -> int:
    """Return the margin, in pixels, beside writing of this height: tight, as in a field, or wide."""
    wide = [rng.uniform(*ends) for ends, _ in MARGINS]
    return int(height * rng.choice(wide, p=[share for _, share in MARGINS]))


def _slanted(ink: Pixels, slant: float, slope: float) -> Pixels:
    """Return the ink sheared by the slant and rising by `slope` radians; its base line stays in place."""
    height, width = ink.shape
    border = int(abs(slope) * width) + 1
    matrix = np.array([[1, slant, -slant * height * 2 / 3], [slope, 1, border - min(0.0, slope * width)]])
    slanted = cv2.warpAffine(ink, matrix, (width, height + 2 * border), flags=cv2.INTER_LINEAR)
    return np.asarray(cv2.threshold(slanted, augment.FAINT, 0, cv2.THRESH_TOZERO)[1], np.uint8)


def _pen(ink: Pixels, rng: Random) -> Pixels:
    """Return the strokes drawn by a finer or broader pen; the finest are a pixel wide and may break."""
    kind = rng.random()
    if kind < 0.55:
        return augment.pen(ink, rng)
    cross = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    total = int(ink.sum())
    for _ in range(int(rng.integers(1, 4))):
        thin = cv2.erode(ink, cross)
        if int(thin.sum()) < 0.25 * total:
            break
        ink = np.asarray(thin, np.uint8)
    return np.asarray(np.clip(ink.astype(np.float32) * 1.5, 0, 255), np.uint8)


def _reach(ink: Pixels, digits: Digits, height: int, rng: Random) -> None:
    """Add fragments of neighbouring writing at the sides of the crop, too small to be read."""
    for _ in range(int(rng.integers(1, 3))):
        glyph = sized(digit(digits, None, rng)[1], height)
        high, wide = glyph.shape
        side = int(rng.integers(4))
        part = max(1, round((high if side < 2 else wide) * rng.uniform(0.05, 0.25)))
        glyph = (glyph[-part:], glyph[:part], glyph[:, -part:], glyph[:, :part])[side]
        high, wide = min(glyph.shape[0], ink.shape[0]), min(glyph.shape[1], ink.shape[1])
        y, x = int(rng.integers(0, ink.shape[0] - high + 1)), int(rng.integers(0, ink.shape[1] - wide + 1))
        y, x = (
            (0 if side == 0 else ink.shape[0] - high if side == 1 else y),
            (0 if side == 2 else ink.shape[1] - wide if side == 3 else x),
        )
        border = ink[y : y + high, x : x + wide]
        np.maximum(border, glyph[:high, :wide], out=border)
