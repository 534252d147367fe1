"""Broad strokes that fill their picture: a felt pen in a tight crop leaves too little paper to judge the light by."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels

SIDE = 128  # longest side of the copy that is looked at
NARROWEST = 6  # pixels of the copy: a strip is no crop of a digit
LEAST, MOST = 0.2, 0.8  # shares of the picture that the darker of two tones takes
APART = 5.0  # standard deviations within the tones, at least, between them: even light, and nothing else
FINEST, BROADEST = 0.04, 0.3  # of the picture's shorter side is half of a stroke; a shadow or a table is broader
ROOMY = 0.5  # of that, at least, is half of dark paper's broadest part; the lines of a printed box are finer
CORNER = 0.06  # shares of the sides that a corner takes: most digits leave most corners free


def broad_strokes(grey: Pixels) -> bool | None:
    """Tell whether broad strokes in (H, W) uint8 grey are lighter than their paper; None where there are none."""
    factor = max(1, -(-max(grey.shape) // SIDE))
    if min(grey.shape) < NARROWEST * factor:
        return None
    coarse = cv2.resize(grey, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA) if factor > 1 else grey
    _, tones = cv2.threshold(coarse, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    share = 1 - cv2.countNonZero(tones) / tones.size
    if not LEAST <= share <= MOST:
        return None
    dark, light = coarse[tones == 0], coarse[tones == 1]
    within = np.sqrt((dark.var() * len(dark) + light.var() * len(light)) / coarse.size)
    if float(light.mean()) - float(dark.mean()) < APART * max(1.0, float(within)):
        return None
    is_light = _corners(tones) < 0.5
    ink, paper = _half(tones == is_light), _half(tones != is_light)
    broad = FINEST * min(coarse.shape) <= ink <= BROADEST * min(coarse.shape)
    return is_light if broad and not (is_light and paper < ROOMY * ink) else None


def _half(region: NDArray[np.bool_]) -> float:
    """Return half of the greatest breadth of the (h, w) region in pixels; it goes on beyond the edges."""
    return float(cv2.distanceTransform(np.pad(region.astype(np.uint8), 1, mode="edge"), cv2.DIST_L2, 3).max())


def _corners(tones: Pixels) -> float:
    """Return which share of the four corners of (h, w) is light."""
    high, wide = (max(1, round(CORNER * side)) for side in tones.shape)
    corners = tones[:high, :wide], tones[:high, -wide:], tones[-high:, :wide], tones[-high:, -wide:]
    return float(np.mean([corner.mean() > 0.5 for corner in corners]))
