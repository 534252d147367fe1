"""Rings around a number are no digits; a 0 is one."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.segmentation.components import find_components
from digitwatch.recognition.segmentation.enclosures import without_rings


def left_over(strength: np.ndarray) -> int:
    """How many components of the page are no rings."""
    labels, stats, writing = find_components(strength, (strength >= 1).astype(np.uint8))
    return len(without_rings(labels, stats, writing))


def strokes(*columns: int) -> np.ndarray:
    """A page of 200 by 300 with an upright stroke, 60 pixels high, at each column."""
    strength = np.zeros((200, 300), np.float32)
    for column in columns:
        strength[70:130, column - 3 : column + 3] = 2
    return strength


def ring(strength: np.ndarray, axes: tuple[int, int], end: int = 360) -> np.ndarray:
    """The page with an oval around its middle."""
    return cv2.ellipse(strength, (150, 100), axes, 0, 0, end, (2,), 3)


@pytest.mark.parametrize("end", [360, 345])
@pytest.mark.parametrize("columns", [(150,), (110, 150, 190)])
def test_a_ring_around_a_number_goes(columns: tuple[int, ...], end: int) -> None:
    """Closed or not quite, around one digit or several."""
    assert left_over(ring(strokes(*columns), (90, 60), end)) == len(columns)


def test_a_ring_with_a_stroke_as_high_as_itself_is_a_slashed_zero() -> None:
    """Where the slash touches the 0 nowhere, it still fills it from top to bottom."""
    page = strokes(150)
    page[65:135, 147:153] = 2

    assert left_over(ring(page, (26, 40))) == 2


def test_a_ring_beside_a_number_is_a_zero() -> None:
    """Nothing stands in it."""
    assert left_over(ring(strokes(60, 240), (25, 35))) == 3


def test_what_hangs_on_the_ring_keeps_it() -> None:
    """Where a digit touches the ring, both are one component that cannot be left out."""
    page = ring(strokes(110, 150), (90, 60))
    page[98:102, 60:110] = 2

    assert left_over(page) == 2
