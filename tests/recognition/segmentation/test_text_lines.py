"""From ink to components in reading order."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.segmentation.text_lines import Component, find_rows, join


def bars(*boxes: tuple[int, int, int, int]) -> list[list[tuple[int, int]]]:
    """Left and top of each component, row by row, of a page with filled boxes (left, top, width, height)."""
    strength = np.zeros((400, 600), np.float32)
    for left, top, width, height in boxes:
        strength[top : top + height, left : left + width] = 2
    rows = find_rows(strength, (strength >= 1).astype(np.uint8))
    # A component has a margin of one pixel for the grey edges of its strokes.
    return [[(component.left + 1, component.top + 1) for component in row] for row in rows]


def test_rows_are_read_from_the_top_and_each_from_the_left() -> None:
    """The order does not depend on which component is found first."""
    assert bars((200, 102, 12, 50), (100, 95, 12, 50), (300, 220, 12, 50), (80, 225, 12, 50)) == [
        [(100, 95), (200, 102)],
        [(80, 225), (300, 220)],
    ]


@pytest.mark.parametrize("slope", [-0.25, -0.1, 0.1, 0.25])
def test_a_slanted_row_is_one_row(slope: float) -> None:
    """Each component stands beside the one before it, however far the row climbs."""
    assert len(bars(*[(40 + 60 * k, round(180 + 60 * k * slope), 12, 50) for k in range(9)])) == 1


def test_points_and_commas_are_dropped() -> None:
    """1.234,5 has five digits."""
    digits = [(100 + 60 * k, 100, 12, 50) for k in range(5)]
    rows = bars(*digits, (132, 145, 6, 7), (312, 138, 8, 24))

    assert rows == [[(left, top) for left, top, _, _ in digits]]


def test_a_low_digit_is_not_a_comma() -> None:
    """A small zero that stands in the middle of the row is kept."""
    assert len(bars((100, 100, 30, 50), (160, 112, 26, 28), (220, 100, 30, 50))[0]) == 3


def test_a_loose_bar_above_belongs_to_the_digit() -> None:
    """The top stroke of a 5 that floats above it is part of its component."""
    rows = bars((100, 100, 30, 5), (100, 115, 12, 45), (200, 100, 12, 60))

    assert [len(row) for row in rows] == [2]
    assert rows[0][0] == (100, 100)


def test_a_piece_holds_only_its_own_ink() -> None:
    """Where the boxes of two digits overlap, neither sees the other."""
    strength = np.zeros((100, 100), np.float32)
    cv2.line(strength, (30, 80), (60, 20), (2,), 4)
    cv2.line(strength, (50, 80), (80, 20), (2,), 4)
    row = find_rows(strength, (strength >= 1).astype(np.uint8))[0]

    assert len(row) == 2
    assert sum(int((component.glyph > 128).sum()) for component in row) == int((strength > 1).sum())


def test_joined_pieces_lie_where_they_lay() -> None:
    """The picture of two components spans both."""
    one, other = (Component(left, 10, np.full((4, 3), 255, np.uint8)) for left in (5, 12))
    both = join([one, other])

    assert (both.left, both.right, both.top, both.bottom) == (5, 15, 10, 14)
    assert both.glyph[:, 3:7].max() == 0


def test_a_page_without_ink_has_no_rows() -> None:
    """Nothing is found on an empty page."""
    assert bars() == []


@pytest.mark.parametrize("edge", [0, 1, 7, 300])
def test_where_the_writing_lies_on_the_page_does_not_matter(edge: int) -> None:
    """Only the part of the page with ink is worked on; places are those on the whole page."""
    assert bars((40 + edge, 20 + edge, 12, 50), (80 + edge, 20 + edge, 12, 50)) == [
        [(40 + edge, 20 + edge), (80 + edge, 20 + edge)]
    ]


def test_a_tiny_picture_is_one_piece_with_all_that_touches_its_edges() -> None:
    """Sixteen pixels are filled by a digit from side to side: the foot of a 2 is no rest of another digit."""
    two = np.zeros((16, 16), np.float32)
    two[:3, 2:13] = two[3:8, 10:13] = two[8:13, 4:7] = two[14:, 2:15] = 2
    rows = find_rows(two, (two >= 1).astype(np.uint8))

    assert [[(component.width, component.height) for component in row] for row in rows] == [[(15, 16)]]
    assert int((rows[0][0].glyph > 128).sum()) == int((two > 0).sum())
