"""Whether a digit may have lost a stroke with a line."""

import numpy as np
import pytest

from digitwatch.recognition.segmentation.lost_strokes import p_intact
from digitwatch.recognition.segmentation.text_lines import Component


def page(*, bar: int, above: int = 0, height: int = 60) -> float:
    """The wholeness of an upright stroke, 6 pixels wide, below a removed bar so thick, `above` pixels away."""
    strength = np.zeros((140, 100), np.float32)
    strength[40 : 40 + height, 47:53] = 2
    strength[40 - above - bar : 40 - above, 10:90] = 2
    mask = np.zeros(strength.shape, np.uint8)
    mask[40 : 40 + height, 47:53] = 1
    return p_intact(strength, mask, [[Component(47, 40, np.full((height, 6), 255, np.uint8))]])


def test_a_bar_as_thick_as_the_pen_may_have_been_the_top_of_a_seven() -> None:
    """It ends where the stroke begins."""
    assert page(bar=6) < 0.95


@pytest.mark.parametrize(("bar", "above"), [(1, 0), (6, 5)])
def test_a_hairline_or_a_bar_apart_was_none(bar: int, above: int) -> None:
    """A printed line is finer than the pen, or touches nothing."""
    assert page(bar=bar, above=above) == 1.0


def test_nothing_removed_leaves_digits_whole() -> None:
    """Without lines there is no doubt."""
    assert page(bar=0) == 1.0


def test_low_digits_with_lines_through_them_are_doubtful() -> None:
    """A line as thick as the strokes it crosses cannot be separated from them."""
    strength = np.full((40, 40), 2, np.float32)
    mask = np.zeros(strength.shape, np.uint8)
    mask[10:26:2, 10:22] = 1
    component = Component(10, 10, np.full((16, 12), 255, np.uint8))

    assert p_intact(strength, mask, [[component]]) < 0.95
