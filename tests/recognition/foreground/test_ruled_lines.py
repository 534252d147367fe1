"""Ruled lines across a whole page."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.foreground.ruled_lines import grid_lines, page_lines


def ruled(left: int, right: int, strength: float = 1.5) -> np.ndarray:
    """A page of 200 by 400 with a straight line that climbs by 8 pixels."""
    page = np.zeros((200, 400), np.float32)
    cv2.line(page, (0, left), (399, right), (strength,), 2)
    return page


@pytest.mark.parametrize("strength", [0.7, 1.5])
def test_a_line_from_edge_to_edge_is_found(strength: float) -> None:
    """Pale or dark, slightly tilted or not, the whole line is found."""
    page = ruled(104, 96, strength)

    assert (page_lines(page, 60, 400, pattern=4)[page > 0] == 1).mean() > 0.95


def test_half_a_line_is_a_stroke() -> None:
    """What ends in the middle of the page was not printed there."""
    page = ruled(100, 100)
    page[:, 230:] = 0

    assert not page_lines(page, 60, 230, pattern=4).any()


def test_with_too_little_ink_no_line_is_searched() -> None:
    """A page whose ink takes a third of its width has no line across it."""
    page = np.zeros((200, 400), np.float32)
    page[100:103, 100:230] = 2

    assert not page_lines(page, 60, 130, pattern=4).any()


@pytest.mark.parametrize(("count", "found"), [(3, False), (4, True)])
def test_lines_through_the_middle_of_a_tight_crop_are_strokes_unless_they_are_many(count: int, found: bool) -> None:
    """Three horizontal lines may be those of a square 8; four are ruled."""
    page = np.zeros((200, 200), np.float32)
    for row in (60, 100, 140, 180)[:count]:
        page[row : row + 2] = 1.5

    assert page_lines(page, 150, 200, pattern=4)[100].any() == found


def test_squared_paper_is_its_lines_both_ways_and_a_box_is_none() -> None:
    """Two lines one way and three the other, evenly printed; the four sides of a box are too few."""
    page = np.zeros((200, 200), np.float32)
    page[[40, 140]] = page[:, [50, 150]] = 0.8
    assert grid_lines(page) is None
    page[:, 100] = 0.8
    level, upright = grid_lines(page)

    assert level[[40, 140]].all() and upright[:, [50, 100, 150]].all()
    assert (level | upright).sum() < 1.5 * (page > 0).sum()
