"""Finds the boxes of a form: cells of tables, combs, frames, and the space above underlines."""

import cv2
import numpy as np

from digitwatch.forms.printed import darkness, find_lines, reduced
from digitwatch.forms.schema import Box
from digitwatch.recognition.arrays import Pixels

FIND_PX = 1800  # longer side of the page in which boxes are looked for
MIN_SIDE_MM, MAX_AREA = 3.5, 0.25  # of a box: shorter side, and share of the page
MIN_FILL = 0.8  # share of its bounding box that a cell fills
COMB_GAP_MM, COMB_WIDTH = 1.5, 0.95  # between the cells of a comb; width of such a cell, by its height
UNDERLINE_MM, ROOM_MM = 12.0, 7.0  # length of an underline, and the height of the writing above it


def find_boxes(grey: Pixels, long_mm: float) -> list[Box]:
    """Return the boxes of a page, (H, W) uint8, in reading order, as shares of the page."""
    dark = darkness(reduced(grey, FIND_PX))
    px_per_mm = FIND_PX / long_mm
    lines = find_lines(dark, px_per_mm)
    cells = _cells(lines.across | lines.down, px_per_mm)
    boxes = _combs(cells, px_per_mm) + _underlines(lines.across, cells, px_per_mm)
    height, width = dark.shape
    rows = sorted(boxes, key=lambda box: (round((box[1] + box[3] / 2) / (3 * px_per_mm)), box[0]))
    return [(x / width, y / height, w / width, h / height) for x, y, w, h in rows]


def _cells(lines: Pixels, px_per_mm: float) -> list[tuple[int, int, int, int]]:
    """Return the areas that lines enclose: left, top, width, height in pixels."""
    walls = cv2.morphologyEx(lines, cv2.MORPH_CLOSE, np.ones((5, 5), np.uint8))
    count, _, stats, _ = cv2.connectedComponentsWithStats(1 - walls, connectivity=4)
    found = []
    for x, y, w, h, area in stats[1:count].tolist():
        inside = x > 0 and y > 0 and x + w < lines.shape[1] and y + h < lines.shape[0]
        large = min(w, h) >= MIN_SIDE_MM * px_per_mm and w * h <= MAX_AREA * lines.size
        if inside and large and area >= MIN_FILL * w * h:
            found.append((x, y, w, h))
    return found


def _combs(cells: list[tuple[int, int, int, int]], px_per_mm: float) -> list[tuple[int, int, int, int]]:
    """Return the cells, with narrow ones that stand side by side as one box."""
    combs: list[tuple[int, int, int, int]] = []
    for x, y, w, h in sorted(cells, key=lambda cell: (round(cell[1] / (2 * px_per_mm)), cell[0])):
        if combs and w <= COMB_WIDTH * h:
            left, top, width, height = combs[-1]
            joined = abs(x - left - width) <= COMB_GAP_MM * px_per_mm and abs(y - top) + abs(h - height) <= px_per_mm
            if joined and w >= 0.6 * h:
                combs[-1] = (left, min(top, y), x + w - left, max(height, h))
                continue
        combs.append((x, y, w, h))
    return combs


def _underlines(
    across: Pixels, cells: list[tuple[int, int, int, int]], px_per_mm: float
) -> list[tuple[int, int, int, int]]:
    """Return the space above lines that bound no cell."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(cv2.dilate(across, np.ones((3, 9), np.uint8)))
    near, room = 1.5 * px_per_mm, round(ROOM_MM * px_per_mm)
    found = []
    for x, y, w, h, _area in stats[1:count].tolist():
        bounds = any(
            min(abs(y - cy), abs(y - cy - ch)) <= near and x < cx + cw and cx < x + w for cx, cy, cw, ch in cells
        )
        if not bounds and w >= UNDERLINE_MM * px_per_mm and h <= near and y > room:
            found.append((x, y - room, w, room))
    return found
