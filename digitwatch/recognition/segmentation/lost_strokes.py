"""Digits that may have lost a stroke when printed lines were removed."""

import math

import cv2
import numpy as np

from digitwatch.recognition.arrays import Flags, Floats, Pixels
from digitwatch.recognition.foreground.geometry import stroke_width
from digitwatch.recognition.segmentation.text_lines import Component

SMALL_DIGIT_PX = 24  # height of a digit below which its strokes are hardly thicker than printed lines
INK_LEVEL = 128  # of a component's pixel, from which on it is ink
MAX_REMOVED_SHARE = 0.05  # of a small digit's bounding box that may be removed with the lines through it
MIN_STROKE_RATIO = 0.6  # thickness of a removed line that may be a stroke, by the pen's
INTACT_PROBABILITY = 0.85  # that the digit is intact nevertheless


def p_intact(strength: Floats, mask: Pixels, rows: list[list[Component]]) -> float:
    """Return the probability that no digit has lost a stroke.

    Args:
        strength: (h, w) float32, from 1 on it is ink.
        mask: (h, w) uint8, 1 where ink counts after the removal of lines and boxes.
        rows: the components that remain.
    """
    removed = (strength >= 1) & (mask == 0)
    components = [component for row in rows for component in row] if removed.any() else []
    return INTACT_PROBABILITY if any(_may_lack_stroke(component, removed) for component in components) else 1.0


def _may_lack_stroke(component: Component, removed: Flags) -> bool:
    """Return whether a removed line may have been a stroke of the component."""
    thick = max(1.0, MIN_STROKE_RATIO * stroke_width(component.glyph))
    reach = int(3 * thick) + 3
    top, left = max(0, component.top - reach), max(0, component.left - reach)
    around = removed[top : component.bottom + reach, left : component.right + reach]
    through = removed[component.top : component.bottom, component.left : component.right]
    if component.height < SMALL_DIGIT_PX and through.mean() > MAX_REMOVED_SHARE:
        return True
    ink = np.zeros(around.shape, np.uint8)
    place = ink[component.top - top : component.bottom - top, component.left - left : component.right - left]
    place[:] = component.glyph[: place.shape[0], : place.shape[1]] >= INK_LEVEL
    side = np.ones((math.ceil(thick), math.ceil(thick)), np.uint8)
    bars = cv2.morphologyEx(around.astype(np.uint8), cv2.MORPH_OPEN, side, borderValue=0)
    return bool((cv2.dilate(ink, np.ones((3, 3), np.uint8)) & bars).any())
