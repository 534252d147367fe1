"""Ink to pieces of writing in reading order: row by row from the top, each row from the left."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Numbers = NDArray[np.int32]

SPECK = 0.12  # a mark smaller than this share of the writing's height, both ways, is no part of a digit
TALL = 0.45  # a mark at least this share of the writing's height can be a digit of its own
EDGE = 0.55  # a mark cut off by the edge of the page below this share of the height is a neighbour's rest
FAINT = 50  # level below which a pixel beside a stroke is paper


@dataclass(frozen=True)
class Piece:
    """A connected piece of ink, or several joined ones.

    Attributes:
        left, top: where its picture lies on the ink, in pixels.
        glyph: (h, w) uint8, 0 = paper to 255 = ink; nothing of the neighbours is in it.
    """

    left: int
    top: int
    glyph: Pixels

    @property
    def width(self) -> int:
        """Pixels from left to right."""
        return int(self.glyph.shape[1])

    @property
    def height(self) -> int:
        """Pixels from top to bottom."""
        return int(self.glyph.shape[0])

    @property
    def right(self) -> int:
        """The first column right of it."""
        return self.left + self.width

    @property
    def bottom(self) -> int:
        """The first row below it."""
        return self.top + self.height


def join(pieces: list[Piece]) -> Piece:
    """Return one piece that shows all of them where they lie."""
    if len(pieces) == 1:
        return pieces[0]
    left, top = min(piece.left for piece in pieces), min(piece.top for piece in pieces)
    right, bottom = max(piece.right for piece in pieces), max(piece.bottom for piece in pieces)
    glyph = np.zeros((bottom - top, right - left), np.uint8)
    for piece in pieces:
        x, y = piece.left - left, piece.top - top
        part = glyph[y : y + piece.height, x : x + piece.width]
        np.maximum(part, piece.glyph, out=part)
    return Piece(left, top, glyph)


def find_rows(level: Pixels, mask: Pixels) -> list[list[Piece]]:
    """Return the pieces of writing in reading order.

    Args:
        level: (h, w) uint8, 0 = paper to 255 = full ink.
        mask: (h, w) uint8, 1 where there is ink that counts.

    Returns:
        Rows from top to bottom, each with its pieces from left to right. Specks, dots between digits and
        the rests of neighbours at the edge of the page are left out; parts above each other are joined.
    """
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    marks = stats[1:]
    if len(marks) == 0:
        return []
    height = writing_height(marks)
    numbers: list[int] = (np.flatnonzero(_worthwhile(marks, height, mask.shape)) + 1).tolist()
    tall = [n for n in numbers if stats[n, cv2.CC_STAT_HEIGHT] >= TALL * height]
    rows = _rows(tall, stats)
    groups = _attach([n for n in numbers if stats[n, cv2.CC_STAT_HEIGHT] < TALL * height], rows, stats)
    return [[_cut_out(level, labels, stats, group) for group in row] for row in groups]


def writing_height(marks: Numbers) -> float:
    """Return the height of the writing: what half of the ink is higher than, in pixels.

    Args:
        marks: (n, 5) int32 left, top, width, height, area of each mark, as OpenCV gives them.
    """
    order = np.argsort(marks[:, cv2.CC_STAT_HEIGHT])
    ink = np.cumsum(marks[order, cv2.CC_STAT_AREA])
    return float(marks[order[np.searchsorted(ink, ink[-1] / 2)], cv2.CC_STAT_HEIGHT])


def _worthwhile(marks: Numbers, height: float, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Tell which marks can belong to digits."""
    left, top, wide, high, _ = marks.T
    cut = (left <= 0) | (top <= 0) | (left + wide >= shape[1]) | (top + high >= shape[0])
    longest = np.maximum(wide, high)
    rest = cut & (longest < EDGE * height)
    return np.asarray((longest >= max(2, SPECK * height)) & ~rest)


def _rows(tall: list[int], stats: Numbers) -> list[list[int]]:
    """Return the marks chained to rows: each follows the row whose last mark it stands beside best."""
    rows: list[list[int]] = []
    for mark in sorted(tall, key=lambda n: stats[n, 0]):
        top, high = stats[mark, 1], stats[mark, 3]
        best, most = None, 0.3
        for row in rows:
            last_top, last_high = stats[row[-1], 1], stats[row[-1], 3]
            shared = min(top + high, last_top + last_high) - max(top, last_top)
            if shared / min(high, last_high) > most:
                best, most = row, shared / min(high, last_high)
        if best is None:
            rows.append([mark])
        else:
            best.append(mark)
    return sorted(rows, key=lambda row: float(np.mean([stats[n, 1] + stats[n, 3] / 2 for n in row])))


def _attach(small: list[int], rows: list[list[int]], stats: Numbers) -> list[list[list[int]]]:
    """Return rows of groups of marks: parts above each other in one group, loose small marks dropped."""
    groups = [[[mark] for mark in row] for row in rows]
    every = [group for row in groups for group in row]
    large = stats[[group[0] for group in every]]
    for mark in small if every else []:
        left, top, wide, high, _ = stats[mark]
        shared = np.minimum(left + wide, large[:, 0] + large[:, 2]) - np.maximum(left, large[:, 0])
        gap = np.maximum(top - large[:, 1] - large[:, 3], large[:, 1] - top - high)
        # Over, in or under a large mark, and close to it, it is a loose part of it.
        owners = np.flatnonzero((shared >= 0.3 * wide) & (gap <= 0.3 * large[:, 3]))
        if len(owners):
            every[owners[shared[owners].argmax()]].append(mark)
    return groups


def _cut_out(level: Pixels, labels: Numbers, stats: Numbers, group: list[int]) -> Piece:
    """Return the ink of the marks in the group, with the grey edges of their strokes."""
    boxes = stats[group]
    left, top = max(0, int(boxes[:, 0].min()) - 1), max(0, int(boxes[:, 1].min()) - 1)
    right = int((boxes[:, 0] + boxes[:, 2]).max()) + 1
    bottom = int((boxes[:, 1] + boxes[:, 3]).max()) + 1
    area = labels[top:bottom, left:right]
    own = np.isin(area, group).astype(np.uint8)
    near = cv2.dilate(own, np.ones((3, 3), np.uint8)) & ((area == 0) | (own > 0))
    glyph = level[top:bottom, left:right] * near
    glyph[glyph < FAINT] = 0
    return Piece(left, top, glyph)
