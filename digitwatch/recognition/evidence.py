"""What one hypothesis finds on a page, and how the findings of several are combined."""

from dataclasses import dataclass, replace

import numpy as np

from digitwatch.log_codes import Reason, Status
from digitwatch.recognition.result import Digit, Reading


def is_sure(confidence: float, review_below: float) -> bool:
    """Return whether a reading needs no review: the only comparison of a confidence with the threshold."""
    return confidence >= review_below


def unsure(confidence: float, review_below: float) -> float:
    """Return the confidence, below the threshold: something speaks for a review whatever it is."""
    return float(min(confidence, np.nextafter(review_below, 0)))


@dataclass(frozen=True)
class Evidence:
    """The digits that one hypothesis finds on a page.

    Attributes:
        rows: the digits, row by row from the top, each row from the left.
        confidence: calibrated probability, 0 to 1, that the whole text is right.
        turn: by how many degrees the page was turned clockwise.
        notes: reasons that are given whatever the status.
        doubts: reasons that are given where the confidence is below the threshold.
        caveats: reasons for review whatever the confidence.
        status: None before it is `graded`.
    """

    rows: tuple[tuple[Digit, ...], ...]
    confidence: float
    turn: int = 0
    notes: tuple[Reason, ...] = ()
    doubts: tuple[Reason, ...] = ()
    caveats: tuple[Reason, ...] = ()
    status: Status | None = None

    @property
    def count(self) -> int:
        """The number of digits."""
        return sum(map(len, self.rows))

    @property
    def text(self) -> str:
        """The digits as text, rows separated by one space."""
        return " ".join("".join(digit.text for digit in row) for row in self.rows)

    def graded(self, review_below: float) -> "Evidence":
        """Return the evidence with its status."""
        if not self.rows:
            return replace(self, status=Status.EMPTY)
        if is_sure(self.confidence, review_below) and not self.caveats:
            return replace(self, status=Status.OK, doubts=())
        return replace(self, status=Status.REVIEW)

    def reading(self, labels: tuple[str, ...] = ()) -> Reading:
        """Return the graded evidence as the reading of its page."""
        if self.status is None:
            raise ValueError("expected graded evidence, found none with a status")
        reasons = self.notes + self.doubts + self.caveats
        text, codes = "; ".join(reason.text for reason in reasons), tuple(reason.coded for reason in reasons)
        return Reading(self.rows, self.confidence, self.status, text, self.turn, labels, codes)


@dataclass(frozen=True)
class Trust:
    """How much a further hypothesis about the same page counts beside the evidence so far; the numbers are factors.

    Attributes:
        reason: given where it alone finds digits, or other ones.
        alone: of its confidence where nothing was found before; such a page is for review.
        differs: of the higher confidence where other digits were found before.
    """

    reason: Reason | None = None
    alone: float = 1.0
    differs: float = 1.0


def choose(best: Evidence, other: Evidence, trust: Trust) -> Evidence:
    """Return what the graded evidence so far and that of a further hypothesis are together, to be graded again.

    The same digits are as probable as the mean of both where that is more; of different digits the more confident ones
    remain, and are doubtful where the hypothesis has a reason to give.
    """
    if not other.rows:
        return best
    caveats = () if trust.reason is None else (trust.reason,)
    if not best.rows:
        return replace(other, confidence=trust.alone * other.confidence, caveats=other.caveats + caveats)
    if other.text == best.text:
        mean = (best.confidence + other.confidence) / 2
        return best if best.status == Status.OK or mean <= best.confidence else replace(best, confidence=mean)
    surer = other if other.confidence > best.confidence else best
    if trust.reason is None:
        return surer
    return replace(surer, confidence=trust.differs * surer.confidence, notes=(), doubts=(), caveats=caveats)
