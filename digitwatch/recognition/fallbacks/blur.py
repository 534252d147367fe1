"""A second look from further away, where grains, dots and gaps run together: chalk, print, a pen that skips."""

from dataclasses import replace

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.result import Reading

# The page is averaged twice over squares of this share of its longer side, or of so many pixels.
BLUR, LEAST_BLUR = 0.015, 3
STEEP, OFTEN = 96, 0.12  # grey levels between neighbours; how many of all differ so much where there are dots
DOTS = 5  # pixels: the side of the squares over which dots are averaged
SMALLEST = 64  # pixels: in a smaller picture, strokes stand as close as dots
SAMPLE = 64  # rows of pixels that are looked at for that
TRUST = 0.35  # what is left of the confidence where something else was read from near
SIMPLE, SIMPLE_TRUST = set("01 "), 0.9  # and of a crease or a drop, which blurred look like these digits
REASON = "clear only when blurred"


def blurred(grey: Pixels, side: int | None = None) -> Pixels:
    """Return (H, W) uint8 grey as it looks from afar, or averaged twice over squares of `side` pixels."""
    side = side or max(LEAST_BLUR, round(BLUR * max(grey.shape))) | 1
    return np.asarray(cv2.blur(cv2.blur(grey, (side, side)), (side, side)), np.uint8)


def is_screened(grey: Pixels) -> bool:
    """Tell whether (H, W) uint8 grey is made of dots, as a fax, a newspaper or dithering shows grey."""
    if min(grey.shape) < SMALLEST:
        return False
    rows = grey[:: max(1, len(grey) // SAMPLE)]
    steps = cv2.absdiff(rows[:, 1:], rows[:, :-1])
    return bool(cv2.countNonZero(cv2.compare(steps, STEEP, cv2.CMP_GT)) > OFTEN * steps.size)


def surer(near: Reading, far: Reading, review_below: float) -> Reading | None:
    """Return the reading from afar with what both looks are worth; None where the one from near is better.

    Two looks that see the same are as sure as their mean. Of an empty page only the one from afar tells anything.
    """
    if far.status == "empty":
        return None
    sure = far.confidence * (SIMPLE_TRUST if near.status == "empty" and set(far.text) <= SIMPLE else 1.0)
    if near.status != "empty":
        sure = (sure + near.confidence) / 2 if far.text == near.text else TRUST * sure
        if sure <= near.confidence:
            return None
    if sure < review_below and far.status == "ok":
        return far.for_review(sure, REASON)
    return replace(far, confidence=sure)
