"""Facts about digits drawn by program."""

import numpy as np
import pytest

from digitwatch.training.synthesis import strokes


@pytest.mark.parametrize("label", range(10))
def test_every_digit_has_hands_that_draw_ink(label: int) -> None:
    """Each of the ten digits has three hands or more, and each attempt leaves ink inside the paper."""
    drawings = [strokes.digit(label, np.random.default_rng(seed)) for seed in range(10)]

    assert len(strokes.FORMS[label]) >= 3
    assert all(drawing.max() == 255 for drawing in drawings)
    assert all(not drawing[0].any() and not drawing[-1].any() for drawing in drawings)


def test_smooth_curve_passes_through_its_points() -> None:
    """The curve starts, ends and bends at the given points."""
    points = np.array([[0.0, 0.0], [1.0, 0.5], [0.2, 1.0]])

    curve = strokes.smooth(points)

    assert curve.shape == (17, 2)
    assert np.allclose(points, curve[[0, 8, 16]])


def test_strokes_are_shaky() -> None:
    """Two drawings of one form differ slightly."""
    first, second = (strokes.strokes("-0,0 100,0 | -50,0 50,100", np.random.default_rng(s))[1] for s in (1, 2))

    assert not np.array_equal(first, second)
    assert abs(first[[0, -1]] - second[[0, -1]]).max() < 0.3
