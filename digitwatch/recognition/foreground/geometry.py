"""Measures of ink that binarisation and segmentation share: regions, heights, stroke widths."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Numbers, Pixels

LEFT, TOP, WIDTH, HEIGHT, AREA = range(5)  # columns of OpenCV's statistics of a component


def part_with_ink(mask: NDArray[np.uint8 | np.bool_], margin: int) -> tuple[slice, slice]:
    """Return the rows and columns of (h, w) `mask` that hold all its ink, with a margin of paper or up to the edge.

    Most of a page is paper: a search for ink can skip it. They begin at even numbers, which keeps the order of
    OpenCV's labels.
    """
    left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
    rows = slice(max(0, top - margin) & ~1, top + height + margin)
    return rows, slice(max(0, left - margin) & ~1, left + width + margin)


def writing_height(stats: Numbers) -> float:
    """Return the height of the writing: what half of the ink is higher than, in pixels.

    Args:
        stats: (n, 5) int32 left, top, width, height, area of each component, as OpenCV returns them; n > 0.
    """
    order = np.argsort(stats[:, HEIGHT])
    ink = np.cumsum(stats[order, AREA])
    return float(stats[order[np.searchsorted(ink, ink[-1] / 2)], HEIGHT])


def stroke_width(ink: Pixels) -> float:
    """Return the mean width in pixels of the strokes in (H, W) uint8 ink, 0 when there is none.

    A stroke's area is width times length and its outline twice the length. The outline is measured by
    counting what horizontal and vertical lines cross (Cauchy-Crofton), which grey edges do not disturb.
    """
    if ink.size == 0:
        return 0.0
    crossings = sum(_total(edge) for edge in (ink[:1], ink[-1:], ink[:, :1], ink[:, -1:]))  # at the border
    crossings += cv2.norm(ink[1:], ink[:-1], cv2.NORM_L1) if len(ink) > 1 else 0
    crossings += cv2.norm(ink[:, 1:], ink[:, :-1], cv2.NORM_L1) if ink.shape[1] > 1 else 0
    return 2 * _total(ink) / (crossings * np.pi / 4) if crossings else 0.0


def _total(ink: Pixels) -> float:
    """Return the sum of all pixels."""
    total: float = cv2.norm(ink, cv2.NORM_L1)
    return total
