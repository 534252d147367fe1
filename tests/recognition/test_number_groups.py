"""Number groups: a wide gap parts two numbers of a row."""

import numpy as np
import pytest

from digitwatch.recognition.number_groups import groups
from digitwatch.recognition.result import Box, Digit


def row(lefts: list[int]) -> tuple[Digit, ...]:
    """Return digits 10 wide and 20 high at these columns; the text of each is its place in the row."""
    empty = np.zeros((28, 28), np.uint8)
    return tuple(
        Digit(str(number), 1.0, Box(left, 0, 10, 20), empty, np.zeros(10, np.float32))
        for number, left in enumerate(lefts)
    )


@pytest.mark.parametrize(
    ("lefts", "texts"),
    [
        ([], [""]),
        ([0], ["0"]),
        ([0, 14, 28, 70, 84], ["012", "34"]),  # two numbers
        ([0, 14, 60, 74, 120, 134], ["01", "23", "45"]),  # three
        ([0, 40, 80, 120], ["0123"]),  # the cells of a form
        ([0, 14, 40, 54], ["0123"]),  # a gap, but no wide one
        ([0, 50], ["01"]),  # nothing to compare with
        ([0, 70], ["0", "1"]),  # and yet far apart
    ],
)
def test_a_gap_much_wider_than_the_others_parts_numbers(lefts: list[int], texts: list[str]) -> None:
    """Digits of equal pitch stay together, however wide that is."""
    assert ["".join(digit.text for digit in part) for part in groups(row(lefts)).numbers] == texts


def test_a_gap_that_is_not_that_wide_leaves_a_doubt() -> None:
    """Two heights and three times the other distances are clear."""
    assert not groups(row([0, 14, 28, 60, 74])).clear
    assert groups(row([0, 14, 28, 90, 104])).clear
    assert groups(row([0, 14, 28])).clear
