"""Ink to pieces of writing in reading order: row by row from the top, each row from the left."""

from dataclasses import dataclass

import cv2
import numpy as np

from digitwatch.recognition.arrays import Floats, Numbers, Pixels
from digitwatch.recognition.foreground.binarise import STAMP
from digitwatch.recognition.foreground.geometry import AREA, HEIGHT, LEFT, TOP, part_with_ink, writing_height
from digitwatch.recognition.segmentation.components import LEGIBLE, find_marks
from digitwatch.recognition.segmentation.enclosures import without_rings

SPECK = 2  # pixels: a smaller mark of one digit is dust
TALL = 0.45  # a mark at least this share of the writing's height can be a digit of its own
BESIDE = 0.3  # marks of one row have this share of their height in common
DOT = 0.3  # a mark in a row lower than this share of the row's height is a dot or a dash between digits
COMMA = 0.6  # one below this share is a comma, when it begins below the middle of the digits beside it
SMALL = 0.1  # how much below, as a share of the row's height
BEYOND = 8  # pixels of paper around all ink that are worked on
FAINT = 50  # level below which a pixel beside a stroke is paper


@dataclass(frozen=True)
class Component:
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


def join(pieces: list[Component]) -> Component:
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
    return Component(left, top, glyph)


def find_rows(strength: Floats, mask: Pixels, legible: float = LEGIBLE) -> list[list[Component]]:
    """Return the pieces of writing in reading order.

    Args:
        strength: (h, w) float32, how dark each pixel is; from 1 on it is ink.
        mask: (h, w) uint8, 1 where there is ink that counts.
        legible: pixels that writing is high at least.

    Returns:
        Rows from top to bottom, each with its pieces from left to right. Specks, dots between digits and
        the rests of neighbours at the edge of the page are left out; parts above each other are joined.
    """
    if max(mask.shape) <= STAMP:
        return _one_digit(strength, np.ascontiguousarray(mask), legible)
    part = part_with_ink(np.ascontiguousarray(mask), BEYOND)
    rows = _find_rows(strength[part], mask[part], legible)
    down, across = part[0].start, part[1].start
    return [[Component(piece.left + across, piece.top + down, piece.glyph) for piece in row] for row in rows]


def _one_digit(strength: Floats, mask: Pixels, legible: float) -> list[list[Component]]:
    """Return all ink as one piece, that at the edges too: so small a picture is cut along its digit."""
    count, labels, marks, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    parts = [number for number in range(1, count) if marks[number, AREA] >= SPECK]
    if not parts:
        return []
    piece = _cut_out(_level(strength, mask), labels, marks, parts)
    return [[piece]] if max(piece.width, piece.height) >= legible else []


def _find_rows(strength: Floats, mask: Pixels, legible: float) -> list[list[Component]]:
    """Return the pieces of writing on the part of a page that has ink."""
    labels, marks, writing = find_marks(strength, mask, legible)
    if not writing:
        return []
    level = _level(strength, mask)
    writing = without_rings(labels, marks, writing)
    height = writing_height(marks[writing])
    tall = [n for n in writing if marks[n, HEIGHT] >= TALL * height]
    small = [n for n in writing if marks[n, HEIGHT] < TALL * height]
    rows = [_without_commas(row, marks) for row in _rows(tall, marks)]
    return [[_cut_out(level, labels, marks, group) for group in row] for row in _attach(small, rows, marks)]


def _level(strength: Floats, mask: Pixels) -> Pixels:
    """Return (h, w) uint8, 0 = paper, 128 = at the threshold, 255 = full ink; printed lines are paper."""
    level = np.clip(strength * 128, 0, 255).astype(np.uint8)
    level[(mask == 0) & (level >= 128)] = 0
    return level


def _rows(tall: list[int], marks: Numbers) -> list[list[int]]:
    """Return the marks chained to rows: each follows the row whose last marks it stands beside best."""
    boxes = marks.tolist()  # numbers of Python: there are many pairs, and little to reckon for each
    rows: list[list[int]] = []
    reach: list[tuple[int, int]] = []  # of each row's last marks: the highest pixel, and below the lowest
    for mark in sorted(tall, key=lambda n: boxes[n][LEFT]):
        top, bottom = boxes[mark][TOP], boxes[mark][TOP] + boxes[mark][HEIGHT]
        near = [k for k, (highest, lowest) in enumerate(reach) if highest < bottom and lowest > top]
        shared = {k: max(_beside(boxes[mark], boxes[other]) for other in rows[k][-3:]) for k in near}
        best = max(shared, key=shared.__getitem__, default=-1)
        if not shared or shared[best] <= BESIDE:
            best = len(rows)
            rows.append([])
            reach.append((top, bottom))
        rows[best].append(mark)
        last = [boxes[n] for n in rows[best][-3:]]
        reach[best] = min(box[TOP] for box in last), max(box[TOP] + box[HEIGHT] for box in last)
    return sorted(rows, key=lambda row: float(np.mean([boxes[n][TOP] + boxes[n][HEIGHT] / 2 for n in row])))


def _beside(one: list[int], other: list[int]) -> float:
    """Return which share of the lower mark's height the two have in common."""
    shared = min(one[TOP] + one[HEIGHT], other[TOP] + other[HEIGHT]) - max(one[TOP], other[TOP])
    return shared / min(one[HEIGHT], other[HEIGHT])


def _without_commas(row: list[int], marks: Numbers) -> list[int]:
    """Return the row without the small marks between its digits: dots, dashes and commas."""
    height = float(np.median(marks[row, HEIGHT]))
    full = np.array([n for n in row if marks[n, HEIGHT] >= COMMA * height])
    kept = []
    for mark in row:
        left, top, wide, high, _ = marks[mark]
        near = full[np.argsort(abs(marks[full, LEFT] - left))[:3]]
        middle = float(np.mean(marks[near, TOP] + marks[near, HEIGHT] / 2))
        comma = high < COMMA * height and wide < COMMA * height and top > middle + SMALL * height
        if not (comma or max(wide, high) < DOT * height):
            kept.append(mark)
    return kept


def _attach(small: list[int], rows: list[list[int]], marks: Numbers) -> list[list[list[int]]]:
    """Return rows of groups of marks: parts above each other in one group, loose small marks dropped."""
    groups = [[[mark] for mark in row] for row in rows]
    every = [group for row in groups for group in row]
    large = marks[[group[0] for group in every]]
    for mark in small if every else []:
        left, top, wide, high, _ = marks[mark]
        shared = np.minimum(left + wide, large[:, 0] + large[:, 2]) - np.maximum(left, large[:, 0])
        gap = np.maximum(top - large[:, 1] - large[:, 3], large[:, 1] - top - high)
        # Over, in or under a large mark, and close to it, it is a loose part of it.
        owners = np.flatnonzero((shared >= 0.3 * wide) & (gap <= 0.3 * large[:, 3]))
        if len(owners):
            every[owners[shared[owners].argmax()]].append(mark)
    return groups


def _cut_out(level: Pixels, labels: Numbers, marks: Numbers, group: list[int]) -> Component:
    """Return the ink of the marks in the group, with the grey edges of their strokes."""
    boxes = marks[group]
    left, top = max(0, int(boxes[:, 0].min()) - 1), max(0, int(boxes[:, 1].min()) - 1)
    right = int((boxes[:, 0] + boxes[:, 2]).max()) + 1
    bottom = int((boxes[:, 1] + boxes[:, 3]).max()) + 1
    area = labels[top:bottom, left:right]
    wanted = np.zeros(len(marks), np.uint8)
    wanted[group] = 1
    own = wanted[area]
    near = cv2.dilate(own, np.ones((3, 3), np.uint8)) & ((area == 0) | (own > 0))
    glyph = level[top:bottom, left:right] * near
    glyph[glyph < FAINT] = 0
    return Component(left, top, glyph)
