"""A row of components to one strip: level, of one height, with long gaps shortened."""

import numpy as np

from digitwatch.recognition.networks.line_image import (
    MAX_STRIP_WIDTH,
    STRIP_HEIGHT,
    STRIP_MARGIN,
    WRITING_HEIGHT,
    strip,
)
from digitwatch.recognition.segmentation.text_lines import Component


def block(left: int, top: int = 0, width: int = 30, height: int = 50) -> Component:
    """A full rectangle of ink."""
    return Component(left, top, np.full((height, width), 255, np.uint8))


def rows_with_ink(picture: np.ndarray) -> np.ndarray:
    """Which rows of the picture have any."""
    return np.flatnonzero(picture.max(axis=1) > 128)


def test_the_writing_has_its_height_and_is_in_the_middle() -> None:
    """Two digits of 50 pixels become 20 pixels high, with as much paper above as below."""
    picture = strip([block(0), block(60)], 50).picture
    inked = rows_with_ink(picture)

    assert picture.shape[0] == STRIP_HEIGHT
    assert len(inked) == WRITING_HEIGHT
    assert inked[0] == STRIP_HEIGHT - 1 - inked[-1]


def test_a_long_gap_is_shortened() -> None:
    """A page's width between two digits becomes less than a digit."""
    assert strip([block(0), block(5000)], 50).picture.shape[1] < 4 * WRITING_HEIGHT + 2 * STRIP_MARGIN


def test_a_short_gap_stays() -> None:
    """Digits with 20 pixels between them keep them, in proportion."""
    columns = strip([block(0), block(50)], 50).picture.max(axis=0)

    assert np.isclose((columns == 0).sum() - 2 * STRIP_MARGIN, 20 * WRITING_HEIGHT / 50, atol=1)


def test_a_climbing_row_is_levelled() -> None:
    """Four digits, each ten pixels above the last, stand on one line."""
    climbing = [block(60 * k, 100 - 10 * k) for k in range(4)]

    assert len(rows_with_ink(strip(climbing, 50).picture)) <= WRITING_HEIGHT + 2


def test_tall_strokes_are_cut_at_the_edges() -> None:
    """Ink far above the row does not move the row out of the picture."""
    picture = strip([block(0), block(60, -300, 4, 350), block(120)], 50).picture

    assert picture.shape[0] == STRIP_HEIGHT
    assert picture[:, STRIP_MARGIN : STRIP_MARGIN + 10].max() == 255


def test_faint_ink_becomes_full() -> None:
    """The darkest pixel of a strip is full ink."""
    assert strip([Component(0, 0, np.full((50, 30), 90, np.uint8))], 50).picture.max() == 255


def test_an_endless_row_is_squeezed() -> None:
    """A row of a thousand digits still fits the widest strip."""
    assert strip([block(40 * k) for k in range(1000)], 50).picture.shape[1] <= MAX_STRIP_WIDTH


def test_a_column_of_the_strip_is_found_on_the_page() -> None:
    """The middle of the second digit, behind a shortened gap, is where it was written."""
    row = strip([block(0), block(5000)], 50)
    inked = np.flatnonzero(row.picture.max(axis=0))
    middle_of_second = inked[-1] - 15 * WRITING_HEIGHT / 50

    assert abs(row.on_page(middle_of_second) - 5015) <= 3
