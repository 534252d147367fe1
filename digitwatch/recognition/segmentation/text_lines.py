"""Ink to components of writing in reading order: text lines from the top, each from the left."""

from dataclasses import dataclass

import cv2
import numpy as np

from digitwatch.recognition.arrays import Floats, Numbers, Pixels
from digitwatch.recognition.foreground.binarise import THUMBNAIL_PX
from digitwatch.recognition.foreground.geometry import AREA, HEIGHT, LEFT, TOP, part_with_ink, writing_height
from digitwatch.recognition.segmentation.components import MIN_WRITING_PX, find_components
from digitwatch.recognition.segmentation.enclosures import without_rings

MIN_PART_AREA = 2  # pixels of a part of a thumbnail's digit; less is dust
MIN_DIGIT_HEIGHT = 0.45  # of a component that can be a digit by itself, by the writing's height
MIN_LINE_OVERLAP = 0.3  # vertical overlap of neighbours in a text line, by the lower one's height
MAX_DOT_HEIGHT = 0.3  # of a dot or a dash between digits, by the line's height
MAX_COMMA_HEIGHT = 0.6  # of a comma, by the line's height
COMMA_OFFSET = 0.1  # of a comma's top below the middle of the digits beside it, by the line's height
INK_MARGIN_PX = 8  # margin of paper around all ink that is kept
MIN_EDGE_LEVEL = 50  # of a pixel beside a stroke that belongs to its soft edge, 0 to 255


@dataclass(frozen=True)
class Component:
    """A connected component of ink, or several joined ones.

    Attributes:
        left, top: where its picture lies on the ink, in pixels.
        glyph: (h, w) uint8, 0 = paper to 255 = ink; without any of its neighbours.
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


def join(components: list[Component]) -> Component:
    """Return all of them as one component."""
    if len(components) == 1:
        return components[0]
    left, top = min(component.left for component in components), min(component.top for component in components)
    right, bottom = max(component.right for component in components), max(component.bottom for component in components)
    glyph = np.zeros((bottom - top, right - left), np.uint8)
    for component in components:
        x, y = component.left - left, component.top - top
        part = glyph[y : y + component.height, x : x + component.width]
        np.maximum(part, component.glyph, out=part)
    return Component(left, top, glyph)


def find_rows(strength: Floats, mask: Pixels, min_height_px: float = MIN_WRITING_PX) -> list[list[Component]]:
    """Return the components of writing in reading order.

    Args:
        strength: (h, w) float32, from 1 on it is ink.
        mask: (h, w) uint8, 1 where there is ink that counts.
        min_height_px: height of the writing at least.

    Returns:
        Rows from top to bottom, each with its components from left to right. Specks, dots between digits and
        fragments of neighbours at the border are left out; parts above each other are joined.
    """
    if max(mask.shape) <= THUMBNAIL_PX:
        return _one_digit(strength, np.ascontiguousarray(mask), min_height_px)
    part = part_with_ink(np.ascontiguousarray(mask), INK_MARGIN_PX)
    rows = _find_rows(strength[part], mask[part], min_height_px)
    down, across = part[0].start, part[1].start
    return [
        [Component(component.left + across, component.top + down, component.glyph) for component in row] for row in rows
    ]


def _one_digit(strength: Floats, mask: Pixels, min_height_px: float) -> list[list[Component]]:
    """Return all ink as one component, also at the border: a thumbnail is cropped along its digit."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    parts = [number for number in range(1, count) if stats[number, AREA] >= MIN_PART_AREA]
    if not parts:
        return []
    component = _cut_out(_level(strength, mask), labels, stats, parts)
    return [[component]] if max(component.width, component.height) >= min_height_px else []


def _find_rows(strength: Floats, mask: Pixels, min_height_px: float) -> list[list[Component]]:
    """Return the components of writing in the part of a page that has ink."""
    labels, stats, writing = find_components(strength, mask, min_height_px)
    if not writing:
        return []
    level = _level(strength, mask)
    writing = without_rings(labels, stats, writing)
    height = writing_height(stats[writing])
    tall = [n for n in writing if stats[n, HEIGHT] >= MIN_DIGIT_HEIGHT * height]
    small = [n for n in writing if stats[n, HEIGHT] < MIN_DIGIT_HEIGHT * height]
    rows = [_without_commas(row, stats) for row in _rows(tall, stats)]
    return [[_cut_out(level, labels, stats, group) for group in row] for row in _attach(small, rows, stats)]


def _level(strength: Floats, mask: Pixels) -> Pixels:
    """Return (h, w) uint8, 0 = paper, 128 = at the threshold, 255 = full ink; removed lines are paper."""
    level = np.clip(strength * 128, 0, 255).astype(np.uint8)
    level[(mask == 0) & (level >= 128)] = 0
    return level


def _rows(tall: list[int], stats: Numbers) -> list[list[int]]:
    """Return the labels chained to text lines: each joins the line whose last components it overlaps best."""
    boxes = stats.tolist()  # Python numbers: faster for many pairs with little arithmetic
    rows: list[list[int]] = []
    reach: list[tuple[int, int]] = []  # of each row's last components: the highest pixel, and below the lowest
    for label in sorted(tall, key=lambda n: boxes[n][LEFT]):
        top, bottom = boxes[label][TOP], boxes[label][TOP] + boxes[label][HEIGHT]
        near = [k for k, (highest, lowest) in enumerate(reach) if highest < bottom and lowest > top]
        shared = {k: max(_beside(boxes[label], boxes[other]) for other in rows[k][-3:]) for k in near}
        best = max(shared, key=shared.__getitem__, default=-1)
        if not shared or shared[best] <= MIN_LINE_OVERLAP:
            best = len(rows)
            rows.append([])
            reach.append((top, bottom))
        rows[best].append(label)
        last = [boxes[n] for n in rows[best][-3:]]
        reach[best] = min(box[TOP] for box in last), max(box[TOP] + box[HEIGHT] for box in last)
    return sorted(rows, key=lambda row: float(np.mean([boxes[n][TOP] + boxes[n][HEIGHT] / 2 for n in row])))


def _beside(one: list[int], other: list[int]) -> float:
    """Return the vertical overlap of two boxes, by the lower one's height."""
    shared = min(one[TOP] + one[HEIGHT], other[TOP] + other[HEIGHT]) - max(one[TOP], other[TOP])
    return shared / min(one[HEIGHT], other[HEIGHT])


def _without_commas(row: list[int], stats: Numbers) -> list[int]:
    """Return the row without the small components between its digits: dots, dashes and commas."""
    height = float(np.median(stats[row, HEIGHT]))
    full = np.array([n for n in row if stats[n, HEIGHT] >= MAX_COMMA_HEIGHT * height])
    kept = []
    for label in row:
        left, top, wide, high, _ = stats[label]
        near = full[np.argsort(abs(stats[full, LEFT] - left))[:3]]
        middle = float(np.mean(stats[near, TOP] + stats[near, HEIGHT] / 2))
        comma = (
            high < MAX_COMMA_HEIGHT * height
            and wide < MAX_COMMA_HEIGHT * height
            and top > middle + COMMA_OFFSET * height
        )
        if not (comma or max(wide, high) < MAX_DOT_HEIGHT * height):
            kept.append(label)
    return kept


def _attach(small: list[int], rows: list[list[int]], stats: Numbers) -> list[list[list[int]]]:
    """Return rows of groups of components: parts above each other in one group, loose small components dropped."""
    groups = [[[label] for label in row] for row in rows]
    every = [group for row in groups for group in row]
    large = stats[[group[0] for group in every]]
    for label in small if every else []:
        left, top, wide, high, _ = stats[label]
        shared = np.minimum(left + wide, large[:, 0] + large[:, 2]) - np.maximum(left, large[:, 0])
        gap = np.maximum(top - large[:, 1] - large[:, 3], large[:, 1] - top - high)
        # A small component above, in or below a large one, and close to it, is part of it.
        owners = np.flatnonzero((shared >= 0.3 * wide) & (gap <= 0.3 * large[:, 3]))
        if len(owners):
            every[owners[shared[owners].argmax()]].append(label)
    return groups


def _cut_out(level: Pixels, labels: Numbers, stats: Numbers, group: list[int]) -> Component:
    """Return the ink of the components in the group, with the grey edges of their strokes."""
    boxes = stats[group]
    left, top = max(0, int(boxes[:, 0].min()) - 1), max(0, int(boxes[:, 1].min()) - 1)
    right = int((boxes[:, 0] + boxes[:, 2]).max()) + 1
    bottom = int((boxes[:, 1] + boxes[:, 3]).max()) + 1
    area = labels[top:bottom, left:right]
    wanted = np.zeros(len(stats), np.uint8)
    wanted[group] = 1
    own = wanted[area]
    near = cv2.dilate(own, np.ones((3, 3), np.uint8)) & ((area == 0) | (own > 0))
    glyph = level[top:bottom, left:right] * near
    glyph[glyph < MIN_EDGE_LEVEL] = 0
    return Component(left, top, glyph)
