"""A digit that stands alone and broke in two: its halves lie one above the other, and would be two rows."""

from digitwatch.recognition.decoding.candidate import Classify, guess
from digitwatch.recognition.segmentation.text_lines import Component, join

GAP = 0.15  # the paper between the halves is lower than this share of the digit
OVER = 0.5  # and they have this share of the narrower one's width in common
WHOLE = 0.8  # how likely such halves are to be one digit, before either is looked at


def mend(rows: list[list[Component]], classify: Classify, digits: list[int]) -> tuple[list[list[Component]], float]:
    """Return the rows, joined where they are the halves of one digit, and the probability that this is right.

    Args:
        rows: pieces in reading order.
        classify: the model of single digits.
        digits: which of the classes are the digits 0 to 9.
    """
    if [len(row) for row in rows] != [1, 1]:
        return rows, 1.0
    upper, lower = (row[0] for row in rows)
    whole = join([upper, lower])
    shared = min(upper.right, lower.right) - max(upper.left, lower.left)
    if lower.top - upper.bottom > GAP * whole.height or shared < OVER * min(upper.width, lower.width):
        return rows, 1.0
    one, first, second = (float(each.probabilities[digits].max()) for each in guess([whole, upper, lower], classify))
    joined, apart = WHOLE * one, (1 - WHOLE) * first * second
    certainty = max(joined, apart) / max(joined + apart, 1e-9)
    return ([[whole]] if joined >= apart else rows), certainty
