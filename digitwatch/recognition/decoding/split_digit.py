"""A single digit that was split: its halves lie one above the other, and would be two text lines."""

from digitwatch.recognition.decoding.candidate import Classify, classify_components
from digitwatch.recognition.segmentation.text_lines import Component, join

MAX_GAP = 0.15  # of paper between the halves, by the height of the digit
MIN_OVERLAP = 0.5  # horizontal overlap of the halves, by the width of the narrower one
ONE_DIGIT_PRIOR = 0.8  # probability that such halves are one digit, before they are classified


def merge_split_digit(
    rows: list[list[Component]], classify: Classify, digits: list[int]
) -> tuple[list[list[Component]], float]:
    """Return the rows, merged where they are the halves of one digit, and the probability that this is right.

    Args:
        rows: components in reading order.
        classify: the digit classifier.
        digits: which of the classes are the digits 0 to 9.
    """
    if [len(row) for row in rows] != [1, 1]:
        return rows, 1.0
    upper, lower = (row[0] for row in rows)
    whole = join([upper, lower])
    shared = min(upper.right, lower.right) - max(upper.left, lower.left)
    if lower.top - upper.bottom > MAX_GAP * whole.height or shared < MIN_OVERLAP * min(upper.width, lower.width):
        return rows, 1.0
    one, first, second = (
        float(each.probabilities[digits].max()) for each in classify_components([whole, upper, lower], classify)
    )
    joined, apart = ONE_DIGIT_PRIOR * one, (1 - ONE_DIGIT_PRIOR) * first * second
    certainty = max(joined, apart) / max(joined + apart, 1e-9)
    return ([[whole]] if joined >= apart else rows), certainty
