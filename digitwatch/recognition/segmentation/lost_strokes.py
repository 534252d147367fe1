"""Digits that may have lost a stroke with the lines that were taken away around them."""

import math

import cv2
import numpy as np

from digitwatch.recognition.arrays import Flags, Floats, Pixels
from digitwatch.recognition.foreground.geometry import stroke_width
from digitwatch.recognition.segmentation.text_lines import Component

SEVERED = "a stroke may have gone with the lines on the paper"
SMALL = 24  # pixels: strokes of lower digits are hardly thicker than the lines through them
INK = 128  # level from which on a pixel of a piece is ink
THROUGH = 0.05  # and of the rectangle around them is what went, where lines run through them
AS_THICK = 0.6  # of the pen's strokes is a line that may be one of them
LIKELY = 0.85  # that the digit is whole all the same


def wholeness(strength: Floats, mask: Pixels, rows: list[list[Component]]) -> float:
    """Return the probability that no digit has lost a stroke.

    Args:
        strength: (h, w) float32, from 1 on it is ink.
        mask: (h, w) uint8, 1 where ink counts after lines and boxes were taken away.
        rows: the pieces of what was left.
    """
    gone = (strength >= 1) & (mask == 0)
    pieces = [piece for row in rows for piece in row] if gone.any() else []
    return LIKELY if any(_may_lack(piece, gone) for piece in pieces) else 1.0


def _may_lack(piece: Component, gone: Flags) -> bool:
    """Tell whether a line that was taken away may have been a stroke of the piece."""
    thick = max(1.0, AS_THICK * stroke_width(piece.glyph))
    reach = int(3 * thick) + 3
    top, left = max(0, piece.top - reach), max(0, piece.left - reach)
    around = gone[top : piece.bottom + reach, left : piece.right + reach]
    through = gone[piece.top : piece.bottom, piece.left : piece.right]
    if piece.height < SMALL and through.mean() > THROUGH:
        return True
    ink = np.zeros(around.shape, np.uint8)
    place = ink[piece.top - top : piece.bottom - top, piece.left - left : piece.right - left]
    place[:] = piece.glyph[: place.shape[0], : place.shape[1]] >= INK
    side = np.ones((math.ceil(thick), math.ceil(thick)), np.uint8)
    bars = cv2.morphologyEx(around.astype(np.uint8), cv2.MORPH_OPEN, side, borderValue=0)
    return bool((cv2.dilate(ink, np.ones((3, 3), np.uint8)) & bars).any())
