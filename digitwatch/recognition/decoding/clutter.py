"""So many doubtful marks that they are no writing: noise, a screen, print. They are seen once, and told as that."""

from digitwatch.recognition.decoding.candidate import Classify, guess
from digitwatch.recognition.decoding.line_decoder import Row, legibility
from digitwatch.recognition.segmentation.text_lines import Component

CROWD = 200  # marks; to part each in all ways and to look again takes three times as long, seconds for more than these
MOST = 5000  # marks on a page that are looked at closely, whatever they look like: specks may look like ones
DOUBTFUL = 0.5  # legibility below which most marks are no digits; noise has 0.1 to 0.35, a page of digits 0.9
CROWDED = "too many doubtful marks to look at each closely"


def is_crowd(rows: list[list[Component]], classify: Classify, digits: list[int]) -> bool:
    """Tell whether there are so many marks, and so few digits in a sample of them, that no close look can help.

    Args:
        rows: pieces in reading order.
        classify: the model of single digits.
        digits: which of the classes are the digits 0 to 9.
    """
    count = sum(map(len, rows))
    return count > MOST or (count > CROWD and legibility(rows, classify, digits) < DOUBTFUL)


def glimpse(rows: list[list[Component]], classify: Classify) -> list[Row]:
    """Return each piece as what it seems to be at first sight: not parted, not joined, not seen by the line model."""
    first = iter(guess([piece for row in rows for piece in row], classify))
    return [Row(tuple(next(first) for _ in row), 1.0) for row in rows]
