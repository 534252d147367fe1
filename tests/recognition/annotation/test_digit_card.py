"""The cards of digits: what is kept of them is what matplotlib draws."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.annotation.digit_card import TEMPLATES, drawn_template, kept_template


@pytest.mark.parametrize(("size", "plot", "classes"), TEMPLATES)
def test_kept_templates_are_those_that_matplotlib_draws(
    size: tuple[int, int], plot: tuple[int, int, int, int], classes: int
) -> None:
    """But for what differs between its versions; python docs/draw_cards.py draws them again."""
    kept = cv2.imread(str(kept_template(size, classes)), cv2.IMREAD_GRAYSCALE)

    assert kept is not None
    assert np.abs(kept.astype(int) - drawn_template(size, plot, classes)).mean() < 1
