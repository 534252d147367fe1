"""Test-time augmentation: variants of one glyph (deslanted, bolder, smaller) whose probabilities are averaged."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.networks.digit_image import CENTRE_PX, SIZE, normalise

MAX_SLANT = 1.0  # tangent; beyond 45 degrees a slant is the digit's shape, not the handwriting's
SMALLER_SCALE = 0.88  # scale of the smaller variant


def augmented(glyph: Pixels, picture: Pixels) -> list[Pixels]:
    """Return variants of a glyph, as another writer or another threshold would have produced.

    Args:
        glyph: (H, W) uint8, 0 = paper to 255 = ink.
        picture: (28, 28) uint8, the same glyph normalised.

    Returns:
        (28, 28) uint8 each: without slant, with a bolder pen, and a little smaller.
    """
    return [normalise(deskew(glyph)), normalise(_bolder(glyph)), _smaller(picture)]


def deskew(glyph: Pixels) -> Pixels:
    """Return the glyph sheared upright, so that its vertical axis of inertia is vertical.

    Args:
        glyph: (H, W) uint8, 0 = paper to 255 = ink.

    Returns:
        (H, W + something) uint8; the glyph itself when it is too small to have a slant.
    """
    mass = cv2.moments(glyph)
    if mass["mu02"] < 1:
        return glyph
    slant = float(np.clip(mass["mu11"] / mass["mu02"], -MAX_SLANT, MAX_SLANT))
    height, width = glyph.shape
    margin = int(abs(slant) * height) + 1
    shift = slant * mass["m01"] / mass["m00"] + margin
    matrix = np.array([[1, -slant, shift], [0, 1, 0]], np.float32)
    upright: Pixels = cv2.warpAffine(glyph, matrix, (width + 2 * margin, height), flags=cv2.INTER_LINEAR)
    return upright


def _bolder(glyph: Pixels) -> Pixels:
    """Return the glyph as a lower threshold would show it: strokes half a pixel wider on each side."""
    wider = cv2.dilate(glyph, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3)))
    bolder: Pixels = cv2.addWeighted(glyph, 0.5, wider, 0.5, 0)
    return bolder


def _smaller(picture: Pixels) -> Pixels:
    """Return the (28, 28) picture with the digit a little smaller."""
    matrix = np.array(
        [[SMALLER_SCALE, 0, CENTRE_PX * (1 - SMALLER_SCALE)], [0, SMALLER_SCALE, CENTRE_PX * (1 - SMALLER_SCALE)]],
        np.float32,
    )
    smaller: Pixels = cv2.warpAffine(picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR)
    return smaller
