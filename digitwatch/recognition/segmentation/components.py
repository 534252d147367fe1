"""The connected components that can be writing: no specks, stains or shadows, and not the page's own edges."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Flags, Floats, Numbers, Pixels
from digitwatch.recognition.foreground.geometry import AREA, HEIGHT, LEFT, TOP, WIDTH, writing_height

FADED_STRENGTH = 0.5  # of a stroke that has almost faded; from 1 on it is ink
BRIDGE_PX = 5  # side of the window in which faded ink joins two components
ABOVE_ALL_LABELS = 2.0**24  # larger than any component's label
MIN_WRITING_PX = 8  # height of writing; nobody reads lower writing, and dust is lower
MAX_SPECK_SIZE = 0.12  # longer side of dust, by the writing's height
MAX_FRAGMENT_SIZE = 0.55  # longer side of a neighbour's fragment at the border, by the writing's height
LONG_CONTACT = 0.3  # length along the border, by its height, of a fragment that may be larger
MAX_LONG_FRAGMENT_SIZE = 0.8  # longer side of such a fragment, by the writing's height
MIN_PAGE_EDGE_CONTACT = 0.5  # length along the border, by its longer side, of a component that is the page's own edge
STROKE_STRENGTH = 1.32  # mean strength of a pen stroke; stains, shadows and paper barely exceed 1
MIN_PEER_GRADE = 0.2  # grade (1 = surely a pen stroke) that is enough beside a sure component of the same line
MAX_PEER_HEIGHT_DIFFERENCE = 0.5  # from the writing's height, as a share of it
MAX_PEER_OFFSET = 0.4  # vertical distance of the two, by the writing's height
MAX_PEER_GAP = 3.0  # horizontal distance of the two, by the writing's height
STROKE_SHARPNESS = 0.75  # rise of the strength at the outline of a stroke, times the stroke's width


def find_components(
    strength: Floats, mask: Pixels, min_height_px: float = MIN_WRITING_PX
) -> tuple[Numbers, Numbers, list[int]]:
    """Return the connected components on a page, and which of them can be writing.

    Args:
        strength: (h, w) float32, from 1 on it is ink.
        mask: (h, w) uint8, 1 where there is ink that counts.
        min_height_px: height of the writing at least.

    Returns:
        labels: (h, w) int32, the number of the component at each pixel, 0 = paper.
        components: (n, 5) int32, left, top, width, height and area of each number; the first is the paper.
        writing: the numbers of the components that can be writing.
    """
    strength, mask = np.ascontiguousarray(strength), np.ascontiguousarray(mask)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count > 2:  # the paper and two components that could be joined
        bridges = _bridges(strength, labels)
        if cv2.countNonZero(bridges):
            _, labels, stats, _ = cv2.connectedComponentsWithStats(mask | bridges, connectivity=8)
    known = stats[1:]
    if len(known) == 0:
        return labels, stats, []
    grade = _drawn(strength, labels, stats)[1:]
    edges, solid = (flags[1:] for flags in _edges(labels, stats))
    drawn = (grade >= 1) & ~edges
    if not drawn.any():  # a tight crop: all writing touches its border
        drawn = (grade >= 1) & ~solid
    if not drawn.any():
        return labels, stats, []
    height = writing_height(known[drawn])
    drawn = _with_peers(known, drawn, grade >= MIN_PEER_GRADE, height)
    if height < min_height_px:
        return labels, stats, []
    longest = known[:, [WIDTH, HEIGHT]].max(axis=1)
    kept = drawn & (longest >= max(2, MAX_SPECK_SIZE * height)) & ~_border_fragments(labels, stats, height)[1:]
    return labels, stats, (np.flatnonzero(kept) + 1).tolist()


def _bridges(strength: Floats, labels: Numbers) -> Pixels:
    """Return (h, w) uint8, 1 where faint ink joins two components of one faded stroke."""
    near = np.ones((BRIDGE_PX, BRIDGE_PX), np.uint8)
    number = labels.astype(np.float32)
    highest = cv2.dilate(number, near)
    number[labels == 0] = ABOVE_ALL_LABELS
    lowest = cv2.erode(number, near)
    bridges = (strength >= FADED_STRENGTH) & (strength < 1) & (lowest < highest)
    return np.asarray(bridges, np.uint8)


def _drawn(strength: Floats, labels: Numbers, stats: Numbers) -> Floats:
    """Return each component's grade as a pen stroke (1 = sure): dark throughout, and sharp for its width."""
    ink = labels > 0
    number = labels[ink]
    mean = np.bincount(number, strength[ink], len(stats)) / np.maximum(1, stats[:, AREA])
    # An outline pixel has paper beside it; what crosses it is the strength's rise, and all of them together
    # are the length of the outline.
    solid = ink.astype(np.uint8)
    outline = ink & (cv2.erode(solid, np.ones((3, 3), np.uint8)) == 0)
    across = cv2.Sobel(strength, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(strength, cv2.CV_32F, 0, 1, scale=0.125)
    at = labels[outline]
    length = np.maximum(1, np.bincount(at, minlength=len(stats)))
    rise = np.bincount(at, cv2.magnitude(across, down)[outline], len(stats)) / length
    width = 2 * stats[:, AREA] / length
    return np.minimum((mean - 1) / (STROKE_STRENGTH - 1), rise * width / STROKE_SHARPNESS).astype(np.float32)


def _with_peers(stats: Numbers, sure: Flags, likely: Flags, height: float) -> Flags:
    """Return which of the (n, 5) components are sure, or likely and in line with a sure one as the next digit is.

    Digits of a line that are paler, or touch the page's edge, were drawn by the same pen. `height` is that of the
    writing.
    """
    alike = likely & (np.abs(stats[:, HEIGHT] / height - 1) <= MAX_PEER_HEIGHT_DIFFERENCE)
    sure = sure.copy()
    while True:
        waiting = np.flatnonzero(alike & ~sure)
        peers = [number for number in waiting if _stands_beside(stats[number], stats[sure], height)]
        if not peers:
            return sure
        sure[peers] = True


def _stands_beside(label: Numbers, others: Numbers, height: float) -> bool:
    """Return whether one of the (n, 5) others is in the component's line, near it, and about as high."""
    others = others[np.abs(others[:, HEIGHT] / height - 1) <= MAX_PEER_HEIGHT_DIFFERENCE]
    gaps = np.maximum(others[:, LEFT] - label[LEFT] - label[WIDTH], label[LEFT] - others[:, LEFT] - others[:, WIDTH])
    middles = others[:, TOP] + others[:, HEIGHT] / 2 - label[TOP] - label[HEIGHT] / 2
    return bool(((np.abs(middles) <= MAX_PEER_OFFSET * height) & (gaps <= MAX_PEER_GAP * height)).any())


def _border(labels: Numbers, count: int) -> NDArray[np.int64]:
    """Return how many border pixels of the page each component covers."""
    edge = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return np.bincount(edge, minlength=count)


def _edges(labels: Numbers, stats: Numbers) -> tuple[Flags, Flags]:
    """Return which components are edges of the page, its shadow or the scanner's lid, and which surely.

    The only large component of a tight crop may run along the border too and is kept.
    """
    along = _border(labels, len(stats)) >= np.maximum(2, MIN_PAGE_EDGE_CONTACT * stats[:, [WIDTH, HEIGHT]].max(axis=1))
    along[0] = False
    alone = stats[:, AREA] >= 0.6 * stats[1:, AREA].sum()
    solid = stats[:, AREA] >= 0.7 * stats[:, WIDTH] * stats[:, HEIGHT]
    return np.asarray(along & (solid | ~alone)), np.asarray(along & solid)


def _border_fragments(labels: Numbers, stats: Numbers, height: float) -> Flags:
    """Return which components are fragments of neighbours that the crop has cut."""
    cut = _border(labels, len(stats))
    longest = stats[:, [WIDTH, HEIGHT]].max(axis=1)
    much = cut >= LONG_CONTACT * stats[:, HEIGHT]
    return np.asarray((cut > 0) & (longest < np.where(much, MAX_LONG_FRAGMENT_SIZE, MAX_FRAGMENT_SIZE) * height))
