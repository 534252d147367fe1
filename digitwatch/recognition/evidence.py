"""What one hypothesis finds on a page, and how the findings of several are combined."""

from dataclasses import dataclass, replace

from digitwatch.log_codes import Reason, Status
from digitwatch.recognition.result import Digit, Reading

THIN_SHAPES = set("01 ")  # digits that a blurred crease or drop resembles


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
        """Return the evidence with its status: the only comparison of a confidence with the threshold."""
        if not self.rows:
            return replace(self, status=Status.EMPTY)
        if self.confidence >= review_below and not self.caveats:
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
    """How much a hypothesis counts beside the evidence so far; the numbers are factors of its confidence.

    Attributes:
        reason: given where its evidence replaces what was found before.
        alone: where nothing was found before.
        thin_shapes: and of that, where it finds nothing but 0 and 1.
        differs: where other digits were found before.
        forces_review: True where its evidence is never sure enough for the status "ok".
        second_opinion: True where it reads the same page area again: the same digits leave the evidence as it is,
            more confident; other digits make both doubtful.
    """

    reason: Reason | None = None
    alone: float = 1.0
    thin_shapes: float = 1.0
    differs: float = 1.0
    forces_review: bool = False
    second_opinion: bool = False


def choose(best: Evidence, other: Evidence, trust: Trust) -> Evidence:
    """Return what the graded evidence so far and that of a further hypothesis are together, to be graded again.

    The same digits are as probable as the mean of both; of different digits the more confident ones remain.
    """
    if not other.rows:
        return best
    if not best.rows:
        thin = trust.thin_shapes if set(other.text) <= THIN_SHAPES else 1.0
        return _marked(other, other.confidence * trust.alone * thin, trust)
    if other.text == best.text:
        mean = (best.confidence + other.confidence) / 2
        if best.status == Status.OK or mean <= best.confidence:
            return best
        return replace(best, confidence=mean) if trust.second_opinion else _marked(other, mean, trust)
    if trust.second_opinion:
        surer = other if other.confidence > best.confidence else best
        confidence = trust.differs * surer.confidence
        return replace(surer, confidence=confidence, notes=(), doubts=(), caveats=_given(trust))
    confidence = trust.differs * other.confidence
    return _marked(other, confidence, trust) if confidence > best.confidence else best


def _marked(evidence: Evidence, confidence: float, trust: Trust) -> Evidence:
    """Return the evidence with another confidence, and with the reason of its hypothesis where that lowers it."""
    if trust.forces_review:
        return replace(evidence, confidence=confidence, caveats=evidence.caveats + _given(trust))
    doubts = _given(trust) if evidence.status == Status.OK else evidence.doubts
    return replace(evidence, confidence=confidence, doubts=doubts)


def _given(trust: Trust) -> tuple[Reason, ...]:
    """Return the reason of a hypothesis, if it has one."""
    return () if trust.reason is None else (trust.reason,)
