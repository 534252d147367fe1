"""Grid paper: its lines are removed first, since its squares would be taken for boxes."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.foreground.line_removal import without_level, without_upright
from digitwatch.recognition.foreground.ruled_lines import MAX_LINE_WIDTH, grid_lines

MIN_ON_LINE = 0.8  # share of a component on a line that is a remainder of it


def without_grid(strength: Floats, mask: Pixels) -> tuple[Floats, Pixels]:
    """Return the ink, and where it counts, without the lines of grid paper; unchanged where there are none.

    Args:
        strength: (h, w) float32, from 1 on it is ink.
        mask: (h, w) uint8, 1 where there is ink that counts.
    """
    lines = grid_lines(strength)
    if lines is None:
        return strength, mask
    level, upright = lines
    rest = _without_remains(without_upright(without_level(mask, level), upright), level, upright)
    return np.where(((level | upright) > rest) | (mask > rest), np.float32(0), strength), rest


def _without_remains(mask: Pixels, level: Pixels, upright: Pixels) -> Pixels:
    """Return the ink without remainders of the lines, where they are darker than usual: thin, and along them."""
    high, wide = mask.shape
    along = cv2.dilate(level, np.ones((5, wide | 1), np.uint8)), cv2.dilate(upright, np.ones((high | 1, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = np.ones(len(stats), np.uint8)
    for path, side in zip(along, (cv2.CC_STAT_HEIGHT, cv2.CC_STAT_WIDTH), strict=True):
        on_path = np.bincount(labels[path > 0], minlength=len(stats)) >= MIN_ON_LINE * stats[:, cv2.CC_STAT_AREA]
        keep[on_path & (stats[:, side] <= max(3, MAX_LINE_WIDTH * min(mask.shape) / 4))] = 0
    keep[0] = 0
    left: Pixels = keep[labels]
    return left
