"""Rings drawn around a number to mark it; they are no digits themselves."""

import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Numbers
from digitwatch.recognition.foreground.geometry import HEIGHT, LEFT, TOP, WIDTH

MAX_RING_INK = 0.3  # ink of a ring, by the area of its bounding box
MIN_INNER_HEIGHT = 0.3  # height of the enclosed writing, by the ring's
MAX_INNER_HEIGHT = 0.8  # the same at most: the stroke of a slashed 0 is higher
MIN_INNER_MARGIN = 0.05  # of paper on each side of the enclosed writing, by the ring's height
MIN_RADIUS = 0.6  # squared radius of an ellipse outside which a ring's ink lies
MIN_INK_OUTSIDE = 0.98  # share of a ring's ink that lies outside it
MAX_INNER_INK = 0.03  # share of the enclosed writing's bounding box that a round ring crosses
MIN_SIDE_COVER = 0.4  # share of each side of that box beyond which the ring runs


def without_rings(labels: Numbers, stats: Numbers, writing: list[int]) -> list[int]:
    """Return the labels of the components that are not rings around others.

    Args:
        labels: (h, w) int32, the label of the component at each pixel, 0 = paper.
        stats: (n, 5) int32, left, top, width, height and area of each label.
        writing: the labels of the components that can be writing.
    """
    boxes = stats[writing].astype(np.int64)
    rights, bottoms = boxes[:, LEFT] + boxes[:, WIDTH], boxes[:, TOP] + boxes[:, HEIGHT]
    rings = set()
    for ring, (left, top, wide, high, area) in zip(writing, boxes.tolist(), strict=True):
        if area > MAX_RING_INK * wide * high:
            continue
        margin = MIN_INNER_MARGIN * high
        within = (boxes[:, LEFT] >= left + margin) & (rights <= left + wide - margin)
        within &= (boxes[:, TOP] >= top + margin) & (bottoms <= top + high - margin)
        within &= (boxes[:, HEIGHT] >= MIN_INNER_HEIGHT * high) & (boxes[:, HEIGHT] <= MAX_INNER_HEIGHT * high)
        if within.any():
            ink = labels == ring
            if _is_hollow(ink[top : top + high, left : left + wide]) and _surrounds(ink, boxes[within]):
                rings.add(ring)
    return [number for number in writing if number not in rings] if len(rings) < len(writing) else writing


def _is_hollow(ring: NDArray[np.bool_]) -> bool:
    """Return whether the (h, w) ink is near the outside of its bounding box, with nothing attached inside."""
    y, x = np.nonzero(ring)
    high, wide = ring.shape
    radius = ((2 * x + 1) / wide - 1) ** 2 + ((2 * y + 1) / high - 1) ** 2
    return bool(np.mean(radius >= MIN_RADIUS) >= MIN_INK_OUTSIDE)


def _surrounds(ring: NDArray[np.bool_], inside: NDArray[np.int64]) -> bool:
    """Return whether (h, w) ink runs beyond all four sides of each of the (n, 5) boxes, and hardly inside."""
    for left, top, wide, high, _ in inside.tolist():
        right, bottom = left + wide, top + high
        beside = ring[top:bottom, :left].any(axis=1), ring[top:bottom, right:].any(axis=1)
        beyond = ring[:top, left:right].any(axis=0), ring[bottom:, left:right].any(axis=0)
        within = ring[top:bottom, left:right].mean()
        if within > MAX_INNER_INK or min(side.mean() for side in (*beside, *beyond)) < MIN_SIDE_COVER:
            return False
    return True
