"""The result of reading a page: its digits, their places and probabilities, and the status."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from digitwatch.log_codes import Reason, Status
from digitwatch.recognition.arrays import Pixels


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the page as it was read, that is after its turn."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Digit:
    """One digit: its text, the probability that it is right, its place and the input of the model.

    `glyph` is (28, 28) uint8, 255 = ink; `probabilities` (classes,) float32 in the order of
    the model's labels. For a model that sorts whole pictures, the "digit" is the name of one, its box the page, and its
    glyph (height, width) or (height, width, 3) as in the model's input.
    """

    text: str
    probability: float
    box: Box
    glyph: Pixels
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """The reading of one page.

    Attributes:
        rows: the digits, row by row from the top, each row from the left.
        confidence: calibrated probability, 0 to 1, that the whole text is right.
        status: OK (need not be checked), REVIEW or EMPTY.
        reason: why the status is not "ok", in a few words; empty when it is.
        turn: by how many degrees the page was turned clockwise to be read: 0, 90, 180 or 270.
        labels: the names of all answers where a model sorts whole pictures; empty where it reads digits.
        codes: the same as `reason` as codes of ReasonCode, some with a detail behind a colon.
        signs: the text with the signs between its digits, where some were read; empty otherwise.
        left_out: where handwriting is that none of the digits accounts for.
        free: what would be read if nothing were known of what may stand there; empty where it is the same.
    """

    rows: tuple[tuple[Digit, ...], ...]
    confidence: float
    status: Status
    reason: str
    turn: int
    labels: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    signs: str = ""
    free: str = ""
    left_out: tuple[Box, ...] = ()

    def for_review(self, reasons: Sequence[Reason]) -> "Reading":
        """Return the reading with the status REVIEW and more reasons, or unchanged where there are none."""
        if not reasons:
            return self
        text = "; ".join(filter(None, [self.reason, *(reason.text for reason in reasons)]))
        codes = (*self.codes, *(reason.coded for reason in reasons))
        return replace(self, status=Status.REVIEW, reason=text, codes=codes)

    @cached_property
    def digits(self) -> tuple[Digit, ...]:
        """All digits in reading order."""
        return tuple(digit for row in self.rows for digit in row)

    @property
    def text(self) -> str:
        """The digits as text, rows separated by one space."""
        return " ".join("".join(digit.text for digit in row) for row in self.rows)

    @property
    def written(self) -> str:
        """The text as it is written, with its signs."""
        return self.signs or self.text
