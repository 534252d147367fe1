"""Rests of neighbours at the edge of a page are left out, digits that touch the edge are not."""

import numpy as np

from digitwatch.recognition.segmentation.border_fragments import p_spanning_digits, without_fragments
from digitwatch.recognition.segmentation.text_lines import Component

PAPER = (0, 0, 300, 100)


def component(left: int, top: int = 30, width: int = 25, height: int = 40) -> Component:
    """A component of ink on a page of 100 by 300."""
    return Component(left, top, np.full((height, width), 255, np.uint8))


def test_what_the_edge_cuts_beside_one_digit_is_left_out() -> None:
    """A narrow component at the side belongs to what stands there outside the picture; that is likely, not sure."""
    rows, sure = without_fragments([[component(0, width=12), component(120)]], PAPER)

    assert [[each.left for each in row] for row in rows] == [[120]]
    assert 0.5 < sure < 0.95


def test_a_rest_in_a_row_of_its_own_takes_the_row_along() -> None:
    """It stands higher than the digit, where no number has its next digit."""
    rows, _ = without_fragments([[component(270, top=0, width=30)], [component(120, top=50)]], PAPER)

    assert [[each.left for each in row] for row in rows] == [[120]]


def test_the_last_digit_of_a_number_may_run_off_the_page() -> None:
    """It stands as the next digit would, so it is kept, and makes the number doubtful."""
    rows, sure = without_fragments([[component(100), component(150), component(200), component(250, width=50)]], PAPER)

    assert len(rows[0]) == 4 and sure < 0.95


def test_in_a_tight_crop_nothing_is_a_rest() -> None:
    """Where other digits reach the upper edge too, the picture was cut along the number."""
    rows = [[component(0, top=0, height=100), component(100, top=1, height=98), component(275, top=0, height=100)]]

    assert without_fragments(rows, PAPER) == (rows, 1.0)


def test_a_page_without_cut_pieces_is_as_it_was() -> None:
    """Nothing is left out, and nothing is doubtful."""
    rows = [[component(100), component(150)]]

    assert without_fragments(rows, PAPER) == (rows, 1.0)


def test_a_lone_line_from_edge_to_edge_is_hardly_a_one() -> None:
    """A crease or a margin; in a crop along a 1 it takes most of the width, and digits keep from the edges."""
    crease = [[component(150, top=0, width=6, height=100)]]

    assert p_spanning_digits(crease, PAPER) < 0.9
    assert p_spanning_digits(crease, (145, 0, 160, 100)) == p_spanning_digits([[component(150)]], PAPER) == 1.0
