"""Text lines composed of single digits: apart, touching, overlapping, slanted, ruled, with specks and letters."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.networks.line_image import strip
from digitwatch.recognition.segmentation.text_lines import Component
from digitwatch.training.data.digits import Digits
from digitwatch.training.synthesis import augment, negatives, strokes
from digitwatch.training.synthesis.ahead import examples

Random = np.random.Generator

OTHER = 10  # the symbol of other ink
FINE = 40  # height at which a row is composed, in pixels
LONGEST = 9  # symbols in a row
FRAME = 4  # columns of a strip per frame of the network
WIDTHS = (64, 128, 192, 256)  # pixels of a strip; each row is padded to the next
CHUNK, AHEAD = 100, 8  # lines per task, and tasks in flight

DRAWN, SIGNS, RULED, SPOILT, DIRT = 0.10, 0.04, 0.12, 0.35, 0.08  # chances
BENT = 0.7  # how much single digits vary, relative to the augmentation of the digit model


@dataclass(frozen=True)
class Line:
    """A strip, (32, W) uint8 with W one of WIDTHS, and its text: symbols 0 to 9, or OTHER."""

    picture: Pixels
    symbols: tuple[int, ...]


def lines(digits: Digits, *, seed: int) -> Iterator[Line]:
    """Yield lines endlessly; order and contents depend only on the seed.

    They are composed in another process while the last ones are used.
    """
    yield from examples(line, digits, seed=seed, chunk=CHUNK, ahead=AHEAD, nice=5)


def line(digits: Digits, rng: Random) -> Line | None:
    """Return one line of one to nine symbols; None when it is too long, or too narrow for them."""
    style = _Style.random(rng)
    length = int(rng.integers(1, LONGEST + 1))
    signs = SIGNS if rng.random() < 0.5 else 0.0
    ink = np.zeros((3 * FINE, (length + 2) * 2 * FINE), np.uint8)
    symbols, right = [], FINE
    for _ in range(length):
        symbol, glyph = _glyph(digits, style, signs, rng)
        right = _write(ink, glyph, right, style, rng)
        symbols.append(symbol)
    ink = augment.pen(_slanted(ink[:, : right + FINE], style.slant), rng)
    if rng.random() < DIRT:
        _add_specks(ink, rng)
    if rng.random() < RULED:
        _rule(ink, rng)
    left, top, width, height = cv2.boundingRect(ink)
    piece = Component(left, top, ink[top : top + height, left : left + width])
    picture = strip([piece], FINE * np.exp(rng.normal(0, 0.1))).picture
    wide = next((width for width in WIDTHS if width >= picture.shape[1]), None)
    if wide is None or frames(symbols) > picture.shape[1] // FRAME:
        return None
    picture = np.pad(picture, ((0, 0), (0, wide - picture.shape[1])))
    return Line(_degraded(picture, rng) if rng.random() < SPOILT else picture, tuple(symbols))


def frames(symbols: Sequence[int]) -> int:
    """Return how many frames of the network the symbols need: one each, and one between equal neighbours."""
    return len(symbols) + sum(one == other for one, other in pairwise(symbols))


@dataclass(frozen=True)
class _Style:
    """The writing style of one line: slant, width, distance, unevenness and slope."""

    slant: float
    stretch: float
    gap: float
    spread: float
    jitter: float
    slope: float

    @staticmethod
    def random(rng: Random) -> "_Style":
        """Return a random style: digits apart in a third of them, touching in another third, varying in the rest."""
        gap, spread = ((0.25, 0.12), (-0.02, 0.05), (0.08, 0.12))[int(rng.integers(3))]
        return _Style(rng.normal(0, 0.15), np.exp(rng.normal(0, 0.12)), gap, spread, 0.06, rng.normal(0, 0.03))


def _glyph(digits: Digits, style: _Style, signs: float, rng: Random) -> tuple[int, Pixels]:
    """Return a symbol and its ink, cropped, about FINE high."""
    chance = rng.random()
    if chance < signs:
        symbol, ink = OTHER, negatives.sign(rng)
    elif chance < signs + DRAWN:
        symbol = int(rng.integers(10))
        ink = strokes.digit(symbol, rng)
    else:
        which = int(rng.integers(len(digits)))
        symbol = int(digits.labels[which])
        ink = augment.bar_or_slash(digits.pictures[which], symbol, rng)
        ink = augment.bend(ink, rng, side=augment.FINE, amount=BENT, zoom=1.0, shift=np.zeros(2))
    left, top, width, height = cv2.boundingRect(ink)
    ink = ink[top : top + height, left : left + width] if width else np.full((FINE, 6), 255, np.uint8)
    height, width = ink.shape
    scale = FINE * np.exp(rng.normal(0, 0.09)) / max(height, 0.75 * width)
    size = (max(2, round(width * scale * style.stretch)), max(2, round(height * scale)))
    return symbol, cv2.resize(ink, size, interpolation=cv2.INTER_LINEAR)


def _slanted(ink: Pixels, slant: float) -> Pixels:
    """Return the row sheared by the slant."""
    height, width = ink.shape
    margin = int(abs(slant) * height) + 1
    matrix = np.array([[1, slant, margin - slant * height / 2], [0, 1, 0]])
    slanted: Pixels = cv2.warpAffine(ink, matrix, (width + 2 * margin, height), flags=cv2.INTER_LINEAR)
    slanted[slanted < augment.FAINT] = 0
    return slanted


def _write(ink: Pixels, glyph: Pixels, right: int, style: _Style, rng: Random) -> int:
    """Write the glyph right of column `right` of the row; return its last column."""
    height, width = glyph.shape
    gap = rng.normal(style.gap, style.spread) * FINE
    if style.gap < 0.05:  # joined digits: spaced by their ink, not by their bounding boxes
        gap = _touch(ink, glyph, right) + rng.normal(-1.0, 2.0)
    gap = max(gap, -0.45 * min(width, FINE))
    left: int = max(1, round(right + gap))
    floor = 2 * FINE + style.slope * (left - FINE) + rng.normal(0, style.jitter) * FINE
    top = int(np.clip(floor - max(height, 0.5 * (FINE + height)), 0, ink.shape[0] - height))
    room = ink[top : top + height, left : left + width]
    np.maximum(room, glyph[:, : room.shape[1]], out=room)
    return max(right, left + int(room.shape[1]))


def _touch(ink: Pixels, glyph: Pixels, right: int) -> float:
    """Return the distance from column `right` at which the ink of a glyph just touches the row's."""
    height = glyph.shape[0]
    top = int(np.clip(2 * FINE - height, 0, ink.shape[0] - height))
    before = ink[top : top + height, :right] > 128
    own = glyph > 128
    rows = before.any(axis=1) & own.any(axis=1)
    if not rows.any():
        return 0.0
    behind = before[rows, ::-1].argmax(axis=1)  # paper between the row's ink and `right`
    ahead = own[rows].argmax(axis=1)
    return -float((behind + ahead).min())


def _add_specks(ink: Pixels, rng: Random) -> None:
    """Add a few specks, or a fragment of a comma or a caption, around the row."""
    for _ in range(int(rng.integers(1, 4))):
        x, y = (
            int(rng.integers(FINE // 2, ink.shape[1] - FINE // 2)),
            int(rng.integers(int(0.8 * FINE), int(2.3 * FINE))),
        )
        axes = (int(rng.integers(1, 4)), int(rng.integers(1, 4)))
        cv2.ellipse(ink, (x, y), axes, rng.uniform(0, 180), 0, 360, (255,), -1, cv2.LINE_AA)


def _rule(ink: Pixels, rng: Random) -> None:
    """Add a fragment of a printed line to the row, mostly below it."""
    y = FINE * (rng.uniform(1.9, 2.15) if rng.random() < 0.6 else rng.uniform(0.9, 2.2))
    ends = np.sort(rng.uniform(0, ink.shape[1], 2))
    tilt = rng.normal(0, 0.02) * (ends[1] - ends[0])
    start, end = (int(ends[0]), int(y)), (int(ends[1]), int(y + tilt))
    cv2.line(ink, start, end, (int(rng.integers(100, 256)),), int(rng.integers(1, 4)), cv2.LINE_AA)


def _degraded(picture: Pixels, rng: Random) -> Pixels:
    """Return the strip degraded as by a worse pen, camera or threshold."""
    kind = int(rng.integers(5))
    if kind == 0:
        return np.asarray(cv2.GaussianBlur(picture, (5, 5), rng.uniform(0.4, 1.0)))
    if kind == 1:
        return np.where(picture > rng.uniform(60, 190), 255, 0).astype(np.uint8)
    noise = rng.normal(0, rng.uniform(10, 50), picture.shape)
    if kind == 2:
        return np.asarray(np.clip(picture + noise * (picture > 0), 0, 255), np.uint8)
    if kind == 3:
        return np.asarray(np.clip(picture.astype(float) + noise / 2, 0, 255), np.uint8)
    gone = cv2.resize(rng.random((4, picture.shape[1] // 8)), picture.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(gone > rng.uniform(0.85, 0.95), picture // 3, picture).astype(np.uint8)
