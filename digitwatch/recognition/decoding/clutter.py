"""Clutter: so many doubtful components that they are no writing, but noise, a halftone or print."""

from digitwatch.recognition.decoding.candidate import Classify, classify_components
from digitwatch.recognition.decoding.line_decoder import Row, mean_digit_probability
from digitwatch.recognition.segmentation.text_lines import Component

# Components of a cluttered page; decoding each takes three times as long, seconds for more than these.
MAX_DOUBTFUL_COMPONENTS = 200
MAX_COMPONENTS = 5000  # components on any page that is decoded in full; specks may resemble 1
CLUTTER_PROBABILITY = 0.5  # mean digit probability below which a page is clutter: noise has 0.1 to 0.35, digits 0.9


def is_cluttered(rows: list[list[Component]], classify: Classify, digits: list[int]) -> bool:
    """Return whether a page has so many components, and so few digits among a sample of them, that it is clutter.

    Args:
        rows: components in reading order.
        classify: the digit classifier.
        digits: which of the classes are the digits 0 to 9.
    """
    count = sum(map(len, rows))
    return count > MAX_COMPONENTS or (
        count > MAX_DOUBTFUL_COMPONENTS and mean_digit_probability(rows, classify, digits) < CLUTTER_PROBABILITY
    )


def classify_only(rows: list[list[Component]], classify: Classify) -> list[Row]:
    """Return each component as classified once: not split, not joined, without the line recogniser."""
    first = iter(classify_components([component for row in rows for component in row], classify))
    return [Row(tuple(next(first) for _ in row), 1.0) for row in rows]
