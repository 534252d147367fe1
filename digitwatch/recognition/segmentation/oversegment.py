"""Oversegmentation of touching digits: the cheapest cuts through the ink from top to bottom."""

from itertools import pairwise

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.segmentation.text_lines import Component

SIDESTEP_COST = 0.08  # of a cut's step to the side, in pixels of full ink: cuts may slant, but take no detour
MIN_CUT_DISTANCE = 0.12  # of cuts from each other and from the sides, by the digits' height
MAX_CUT_DISTANCE = 0.4  # between neighbours; a cut is added where they are further apart, by the digits' height
MAX_CUT_INK = 1.0  # that a cut crosses, in pixels, by the digits' height
MAX_WAIST_HEIGHT = 0.85  # height of the ink where round digits may touch, by that on both sides
SAME_CUT_DISTANCE = 0.07  # mean distance below which two cuts are the same, by the digits' height
EQUAL_COST = 0.05  # pixels of ink by which equally cheap cuts differ at most
CUT_HEIGHT_PX = 48  # height to which a component is reduced for the search


def split(component: Component, height: float) -> list[Component]:
    """Return the parts of the component, left to right, between the cuts where digits of `height` may touch.

    A cut is either the path from the top to the bottom that crosses the least ink (dynamic programming, as
    in seam carving), or the line between a valley of the upper outline and a hill of the lower one, where
    round digits touch. There are more cuts than digits; the lattice chooses among them.
    """
    scale = min(1.0, CUT_HEIGHT_PX / component.height)
    size = (max(1, round(component.width * scale)), max(1, round(component.height * scale)))
    ink = cv2.resize(component.glyph, size, interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    seams = _different(_seams(ink, height * scale) + _waists(ink, height * scale), SAME_CUT_DISTANCE * height * scale)
    if not seams:
        return [component]
    columns = np.stack([np.interp(np.linspace(0, len(s) - 1, component.height), np.arange(len(s)), s) for s in seams])
    columns = np.rint(np.maximum.accumulate(columns, axis=0) / scale)  # (cuts, h), never crossing
    place = (np.arange(component.width)[None, None] >= columns[:, :, None]).sum(axis=0)  # (h, w): cuts passed
    parts = [_trim(component, component.glyph * (place == k)) for k in range(len(seams) + 1)]
    return [part for part in parts if part is not None]


def _seams(ink: Floats, height: float) -> list[NDArray[np.int64]]:
    """Return the cuts through (h, w) ink, left to right, each as the column in every row."""
    down, up = _costs(ink), _costs(ink[::-1])[::-1]
    middle = ink.shape[0] // 2
    through = down[middle] + up[middle] - ink[middle]
    nearest = max(2, int(MIN_CUT_DISTANCE * height))
    # The cheapest path of its neighbourhood is a cut; of equally cheap ones, the middle one.
    least = cv2.erode(through[None], np.ones((1, 2 * nearest + 1), np.uint8))[0]
    cheap = np.flatnonzero((through <= least + EQUAL_COST) & (through <= MAX_CUT_INK * height))
    groups = np.split(cheap, np.flatnonzero(np.diff(cheap) > 1) + 1)
    columns = [int(group[len(group) // 2]) for group in groups if len(group)]
    chosen = [column for column in columns if nearest <= column < ink.shape[1] - nearest]
    chosen = _filled(chosen, through, int(MAX_CUT_DISTANCE * height), nearest)
    return [_trace(down, up, middle, column) for column in chosen]


def _waists(ink: Floats, height: float) -> list[NDArray[np.int64]]:
    """Return straight cuts through (h, w) ink where it is lower than on both sides: from valley to hill."""
    dark = ink > 0.5
    rows = np.arange(len(ink))
    top = np.where(dark.any(axis=0), dark.argmax(axis=0), len(ink))
    bottom = np.where(dark.any(axis=0), len(ink) - 1 - dark[::-1].argmax(axis=0), -1)
    extent = bottom - top
    near, far = max(2, int(MIN_CUT_DISTANCE * height)), max(4, int(MAX_CUT_DISTANCE * height))
    cuts = []
    for column in range(near, len(extent) - near):
        around = extent[column - near : column + near + 1]
        left, right = extent[max(0, column - far) : column].max(), extent[column + 1 : column + far + 1].max()
        if (
            extent[column] == around.min()
            and around.argmin() == near
            and extent[column] < MAX_WAIST_HEIGHT * min(left, right)
        ):
            valley = column - near + int(top[column - near : column + near + 1].argmax())
            hill = column - near + int(bottom[column - near : column + near + 1].argmin())
            slope = (hill - valley) / max(1, bottom[hill] - top[valley])
            cuts.append(np.rint(np.clip(valley + slope * (rows - top[valley]), column - near, column + near)))
    return [cut.astype(np.int64) for cut in cuts]


def _different(seams: list[NDArray[np.int64]], least: float) -> list[NDArray[np.int64]]:
    """Return the cuts from left to right without those that nearly repeat another."""
    kept: list[NDArray[np.int64]] = []
    for seam in sorted(seams, key=lambda seam: float(seam.mean())):
        if not kept or np.abs(seam - kept[-1]).mean() >= least:
            kept.append(seam)
    return kept


def _filled(cuts: list[int], through: Floats, widest: int, nearest: int) -> list[int]:
    """Return the cuts with the cheapest one added wherever two neighbours are more than `widest` apart."""
    ends = [0, *cuts, len(through)]
    more = []
    for left, right in pairwise(ends):
        if right - left > max(widest, 2 * nearest):
            more.append(left + nearest + int(through[left + nearest : right - nearest].argmin()))
    return sorted(cuts + more)


def _costs(ink: Floats) -> Floats:
    """Return (h, w): the least ink on a path from the top row to each pixel."""
    height, width = ink.shape
    costs = np.full((height, width + 2), np.inf, np.float32)  # a column of infinite cost on each side
    costs[0, 1:-1] = ink[0]
    for above, row, own in zip(costs, costs[1:], ink[1:], strict=False):
        aside = np.minimum(above[:-2], above[2:]) + np.float32(SIDESTEP_COST)
        np.add(own, np.minimum(above[1:-1], aside), out=row[1:-1])
    return costs[:, 1:-1]


def _trace(down: Floats, up: Floats, middle: int, column: int) -> NDArray[np.int64]:
    """Return the column in each row of the cheapest path through (middle, column)."""
    seam = np.empty(len(down), np.int64)
    seam[middle] = column
    for rows, costs in ((range(middle - 1, -1, -1), down), (range(middle + 1, len(down)), up)):
        at = column
        for row in rows:
            low = max(0, at - 1)
            near = costs[row, low : at + 2] + SIDESTEP_COST * (np.arange(low, min(at + 2, costs.shape[1])) != at)
            at = low + int(near.argmin())
            seam[row] = at
    return seam


def _trim(component: Component, glyph: Pixels) -> Component | None:
    """Return the part of the component that has ink, None when it has none."""
    left, top, width, height = cv2.boundingRect(glyph)
    if width == 0:
        return None
    return Component(component.left + left, component.top + top, glyph[top : top + height, left : left + width])
