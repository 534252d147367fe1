"""A tiny picture seen as it is: whoever cut it out may have left lines and rests in it, which the model sees past."""

from dataclasses import replace

import numpy as np

from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.networks.digit_image import SIZE, fit
from digitwatch.recognition.result import Reading

DIFFER = 0.9  # what is left of the confidence where the ink alone is another digit than the whole picture
REASON = "another digit with what is around it"


def as_it_is(strength: Floats) -> Pixels:
    """Return a whole picture as the model would see it, uncropped: (28, 28) uint8, 0 = paper to 255 = ink.

    Args:
        strength: (h, w) float32, 1 at the threshold of ink, 2 for full ink.
    """
    level = np.clip(strength * 128, 0, 255).astype(np.uint8)
    fitted = fit(level, SIZE)
    high, wide = fitted.shape
    picture = np.zeros((SIZE, SIZE), np.uint8)
    top, left = (SIZE - high) // 2, (SIZE - wide) // 2
    picture[top : top + high, left : left + wide] = fitted
    return picture


def agreed(ink: Reading, whole: Reading, review_below: float) -> Reading:
    """Return the reading of the ink alone or of the whole picture, whichever is surer; for review where they differ."""
    if ink.text == whole.text:
        if ink.status == "ok":
            return ink
        sure = max(ink.confidence, (ink.confidence + whole.confidence) / 2)
        is_sure = sure >= review_below
        return replace(ink, confidence=sure, status="ok" if is_sure else "review", reason="" if is_sure else ink.reason)
    best = whole if whole.confidence > ink.confidence else ink
    return replace(best, confidence=DIFFER * best.confidence, status="review", reason=REASON)
