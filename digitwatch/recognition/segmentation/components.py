"""Which marks on a page can be writing: not specks, not stains and shadows, not the page's own edges."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Flags, Floats, Numbers, Pixels
from digitwatch.recognition.foreground.geometry import AREA, HEIGHT, LEFT, TOP, WIDTH, writing_height

FADED = 0.5  # strength of a stroke that has almost faded away
REACH = 5  # pixels around one in which two marks must be that it joins
FAR = 2.0**24  # larger than any number of a mark
LEGIBLE = 8  # pixels: nobody reads lower writing, and dust is lower
SPECK = 0.12  # a mark smaller than this share of the writing's height, both ways, is no part of a digit
REST = 0.55  # a mark cut off by the edge of the page, and below this share of the height, is a neighbour's rest
CUT, CUT_REST = 0.3, 0.8  # with this share of its height along the edge, even below this share of the height
EDGE = 0.5  # a mark with this share of its longer side along the edge of the page is the page's edge
STRONG = 1.32  # mean strength of a mark by a pen; stains, shadows and paper barely pass the threshold of 1
PEER = 0.2  # of both is enough beside a surer mark, in the same row and about as high
AS_HIGH, LEVEL, CLOSE = 0.5, 0.4, 3.0  # in shares of the writing's height: higher or lower, above, beside
SHARP = 0.75  # what the strength rises at a stroke's outline, over the width of the stroke


def find_marks(strength: Floats, mask: Pixels, legible: float = LEGIBLE) -> tuple[Numbers, Numbers, list[int]]:
    """Return the connected marks on a page, and which of them can be writing.

    Args:
        strength: (h, w) float32, from 1 on it is ink.
        mask: (h, w) uint8, 1 where there is ink that counts.
        legible: pixels that writing is high at least.

    Returns:
        labels: (h, w) int32, the number of the mark at each pixel, 0 = paper.
        marks: (n, 5) int32, left, top, width, height and area of each number; the first is the paper.
        writing: the numbers of the marks that can be writing.
    """
    strength, mask = np.ascontiguousarray(strength), np.ascontiguousarray(mask)
    count, labels, marks, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if count > 2:  # the paper and two marks that could be joined
        bridges = _bridges(strength, labels)
        if cv2.countNonZero(bridges):
            _, labels, marks, _ = cv2.connectedComponentsWithStats(mask | bridges, connectivity=8)
    known = marks[1:]
    if len(known) == 0:
        return labels, marks, []
    grade = _drawn(strength, labels, marks)[1:]
    edges, solid = (flags[1:] for flags in _edges(labels, marks))
    drawn = (grade >= 1) & ~edges
    if not drawn.any():  # a crop as tight as can be: all that is written reaches its edges
        drawn = (grade >= 1) & ~solid
    if not drawn.any():
        return labels, marks, []
    height = writing_height(known[drawn])
    drawn = _with_peers(known, drawn, grade >= PEER, height)
    if height < legible:
        return labels, marks, []
    longest = known[:, [WIDTH, HEIGHT]].max(axis=1)
    kept = drawn & (longest >= max(2, SPECK * height)) & ~_rests(labels, marks, height)[1:]
    return labels, marks, (np.flatnonzero(kept) + 1).tolist()


def _bridges(strength: Floats, labels: Numbers) -> Pixels:
    """Return (h, w) uint8, 1 where faint ink joins two marks: a stroke that the pen has almost lost."""
    near = np.ones((REACH, REACH), np.uint8)
    number = labels.astype(np.float32)
    highest = cv2.dilate(number, near)
    number[labels == 0] = FAR
    lowest = cv2.erode(number, near)
    bridges = (strength >= FADED) & (strength < 1) & (lowest < highest)
    return np.asarray(bridges, np.uint8)


def _drawn(strength: Floats, labels: Numbers, marks: Numbers) -> Floats:
    """Return how surely a pen has drawn each mark (from 1 on it has): dark throughout, edges sharp for its width."""
    ink = labels > 0
    number = labels[ink]
    mean = np.bincount(number, strength[ink], len(marks)) / np.maximum(1, marks[:, AREA])
    # An outline pixel has paper beside it; what crosses it is the strength's rise, and all of them together
    # are the length of the outline.
    solid = ink.astype(np.uint8)
    outline = ink & (cv2.erode(solid, np.ones((3, 3), np.uint8)) == 0)
    across = cv2.Sobel(strength, cv2.CV_32F, 1, 0, scale=0.125)
    down = cv2.Sobel(strength, cv2.CV_32F, 0, 1, scale=0.125)
    at = labels[outline]
    length = np.maximum(1, np.bincount(at, minlength=len(marks)))
    rise = np.bincount(at, cv2.magnitude(across, down)[outline], len(marks)) / length
    width = 2 * marks[:, AREA] / length
    return np.minimum((mean - 1) / (STRONG - 1), rise * width / SHARP).astype(np.float32)


def _with_peers(marks: Numbers, sure: Flags, likely: Flags, height: float) -> Flags:
    """Return which of the (n, 5) marks are sure, or likely and stand beside a sure one as the next digit does.

    A pen that has drawn one digit of a row has drawn the others, where they are a little paler, or touch the page's
    edge. `height` is that of the writing.
    """
    alike = likely & (np.abs(marks[:, HEIGHT] / height - 1) <= AS_HIGH)
    sure = sure.copy()
    while True:
        waiting = np.flatnonzero(alike & ~sure)
        peers = [number for number in waiting if _stands_beside(marks[number], marks[sure], height)]
        if not peers:
            return sure
        sure[peers] = True


def _stands_beside(mark: Numbers, others: Numbers, height: float) -> bool:
    """Tell whether one of the (n, 5) others is in the mark's row, near, and about as high."""
    others = others[np.abs(others[:, HEIGHT] / height - 1) <= AS_HIGH]
    gaps = np.maximum(others[:, LEFT] - mark[LEFT] - mark[WIDTH], mark[LEFT] - others[:, LEFT] - others[:, WIDTH])
    middles = others[:, TOP] + others[:, HEIGHT] / 2 - mark[TOP] - mark[HEIGHT] / 2
    return bool(((np.abs(middles) <= LEVEL * height) & (gaps <= CLOSE * height)).any())


def _border(labels: Numbers, count: int) -> NDArray[np.int64]:
    """Return how many pixels of each mark lie on the edge of the page."""
    edge = np.concatenate([labels[0], labels[-1], labels[1:-1, 0], labels[1:-1, -1]])
    return np.bincount(edge, minlength=count)


def _edges(labels: Numbers, marks: Numbers) -> tuple[Flags, Flags]:
    """Tell which marks are the edges of the page, of its shadow or of the scanner's lid, and which of them surely.

    The only large mark of a tight crop may run along the edge too: one that is alone is kept.
    """
    along = _border(labels, len(marks)) >= np.maximum(2, EDGE * marks[:, [WIDTH, HEIGHT]].max(axis=1))
    along[0] = False
    alone = marks[:, AREA] >= 0.6 * marks[1:, AREA].sum()
    solid = marks[:, AREA] >= 0.7 * marks[:, WIDTH] * marks[:, HEIGHT]
    return np.asarray(along & (solid | ~alone)), np.asarray(along & solid)


def _rests(labels: Numbers, marks: Numbers, height: float) -> Flags:
    """Tell which marks are what the crop has left of neighbours."""
    cut = _border(labels, len(marks))
    longest = marks[:, [WIDTH, HEIGHT]].max(axis=1)
    much = cut >= CUT * marks[:, HEIGHT]
    return np.asarray((cut > 0) & (longest < np.where(much, CUT_REST, REST) * height))
