"""Ruled lines across a whole page."""

import cv2
import numpy as np
import pytest

from digitwatch.reading.pagelines import page_lines


def ruled(left: int, right: int, strength: float = 1.5) -> np.ndarray:
    """A page of 200 by 400 with a straight line that climbs by 8 pixels."""
    page = np.zeros((200, 400), np.float32)
    cv2.line(page, (0, left), (399, right), (strength,), 2)
    return page


@pytest.mark.parametrize("strength", [0.7, 1.5])
def test_a_line_from_edge_to_edge_is_found(strength: float) -> None:
    """Pale or dark, a little tilted or not, all of it is told."""
    page = ruled(104, 96, strength)

    assert (page_lines(page, 60, 400)[page > 0] == 1).mean() > 0.95


def test_half_a_line_is_a_stroke() -> None:
    """What ends in the middle of the page was not printed there."""
    page = ruled(100, 100)
    page[:, 230:] = 0

    assert not page_lines(page, 60, 230).any()


def test_where_there_is_too_little_ink_nobody_looks() -> None:
    """A page whose ink takes a third of its width has no line across it."""
    page = np.zeros((200, 400), np.float32)
    page[100:103, 100:230] = 2

    assert not page_lines(page, 60, 130).any()
