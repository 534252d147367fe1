"""Removal of lines from the ink; strokes that cross them are restored."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels


def without_level(mask: Pixels, lines: Pixels) -> Pixels:
    """Return the ink without horizontal lines, but with the strokes that cross them from above to below.

    Args:
        mask: (h, w) uint8, 1 = ink.
        lines: (h, w) uint8, 1 where a line is.
    """
    mask, lines = np.ascontiguousarray(mask), np.ascontiguousarray(lines)
    rest = mask & (1 - lines)
    thick = 2 * int(cv2.distanceTransform(lines, cv2.DIST_L1, 3).max()) + 1
    reach = np.ones((thick, 3), np.uint8)
    from_above = cv2.dilate(rest, reach, anchor=(1, thick - 1))
    from_below = cv2.dilate(rest, reach, anchor=(1, 0))
    restored: Pixels = rest | (lines & mask & from_above & from_below)
    return restored


def without_upright(mask: Pixels, lines: Pixels) -> Pixels:
    """Return the ink without vertical lines, but with strokes that cross them sideways; see without_level."""
    return np.ascontiguousarray(without_level(mask.T, lines.T).T)
