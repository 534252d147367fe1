"""Broad strokes that fill their picture: a felt pen in a tight crop leaves too little paper for a local threshold."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels

COPY_PX = 128  # longer side of the reduced copy
MIN_COPY_PX = 6  # shorter side of the copy: a strip is no crop of a digit
MIN_DARK_SHARE = 0.2  # area of the darker of two tones
MAX_DARK_SHARE = 0.8  # the same at most
MIN_TONE_DISTANCE = 5.0  # standard deviations between the two tones: even light, and nothing else
MIN_HALF_STROKE = 0.04  # half of a stroke's width, by the picture's shorter side
MAX_HALF_STROKE = 0.3  # the same at most; a shadow or a table is broader
MIN_PAPER_HALF_WIDTH = 0.5  # half width of dark paper, by that of its strokes; lines of a printed box are finer
CORNER_SHARE = 0.06  # side of a corner, by the picture's; most digits leave most corners free


def broad_strokes(grey: Pixels) -> bool | None:
    """Return whether broad strokes in (H, W) uint8 grey are lighter than their paper; None where there are none."""
    factor = max(1, -(-max(grey.shape) // COPY_PX))
    if min(grey.shape) < MIN_COPY_PX * factor:
        return None
    coarse = cv2.resize(grey, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA) if factor > 1 else grey
    _, tones = cv2.threshold(coarse, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    share = 1 - cv2.countNonZero(tones) / tones.size
    if not MIN_DARK_SHARE <= share <= MAX_DARK_SHARE:
        return None
    dark, light = coarse[tones == 0], coarse[tones == 1]
    within = np.sqrt((dark.var() * len(dark) + light.var() * len(light)) / coarse.size)
    if float(light.mean()) - float(dark.mean()) < MIN_TONE_DISTANCE * max(1.0, float(within)):
        return None
    is_light = _light_corners(tones) < 0.5
    ink, paper = _half_width(tones == is_light), _half_width(tones != is_light)
    broad = MIN_HALF_STROKE * min(coarse.shape) <= ink <= MAX_HALF_STROKE * min(coarse.shape)
    return is_light if broad and not (is_light and paper < MIN_PAPER_HALF_WIDTH * ink) else None


def _half_width(region: NDArray[np.bool_]) -> float:
    """Return half of the greatest breadth of the (h, w) region in pixels; it continues beyond the border."""
    return float(cv2.distanceTransform(np.pad(region.astype(np.uint8), 1, mode="edge"), cv2.DIST_L2, 3).max())


def _light_corners(tones: Pixels) -> float:
    """Return which share of the four corners of (h, w) is light."""
    high, wide = (max(1, round(CORNER_SHARE * side)) for side in tones.shape)
    corners = tones[:high, :wide], tones[:high, -wide:], tones[-high:, :wide], tones[-high:, -wide:]
    return float(np.mean([corner.mean() > 0.5 for corner in corners]))
