"""Evidence of several hypotheses: what two of them are worth together."""

import pytest

from digitwatch.log_codes import Reason, ReasonCode
from digitwatch.recognition.evidence import Evidence, Trust, choose
from digitwatch.recognition.hypotheses import FAINT, WHOLE_CROP
from digitwatch.recognition.result import Digit

THRESHOLD = 0.95


def evidence(text: str, confidence: float, **given: tuple[Reason, ...]) -> Evidence:
    """Graded evidence of one row."""
    digits = tuple(Digit(digit, confidence, None, None, None) for digit in text)  # type: ignore[arg-type]
    return Evidence((digits,) if digits else (), confidence, **given).graded(THRESHOLD)  # type: ignore[arg-type]


def together(best: Evidence, other: Evidence, trust: Trust) -> Evidence:
    """What both are together, graded."""
    return choose(best, other, trust).graded(THRESHOLD)


def test_doubts_are_given_only_below_the_threshold() -> None:
    """A note is always given, and a caveat makes any confidence a reading for review."""
    turned, doubt = Reason(ReasonCode.ROTATED, "turned", "180"), Reason(ReasonCode.AMBIGUOUS, "may be 1", "7|no digit")
    sure = evidence("7", 0.95, notes=(turned,), doubts=(doubt,)).reading()
    unsure = evidence("7", 0.94, notes=(turned,), doubts=(doubt,)).reading()

    assert (sure.status, sure.reason) == ("ok", "turned")
    assert (unsure.status, unsure.reason) == ("review", "turned; may be 1")
    assert unsure.codes == ("rotated:180", "ambiguous:7|no_digit")
    assert evidence("7", 1.0, caveats=(doubt,)).reading().status == "review"
    assert evidence("", 1.0).status == "empty"


@pytest.mark.parametrize("other", [evidence("7", 0.40), evidence("", 1.0)])
def test_evidence_that_adds_nothing_changes_nothing(other: Evidence) -> None:
    """The same digits less surely, or none at all: what was found before remains, as does its confidence."""
    best = evidence("7", 0.60)

    assert choose(best, other, WHOLE_CROP.trust) is best


def test_other_digits_of_a_second_opinion_make_a_sure_page_doubtful() -> None:
    """The more probable digits are for review, however sure they are by themselves."""
    both = together(evidence("17", 0.97), evidence("7", 0.99), WHOLE_CROP.trust)

    assert (both.text, both.status, both.caveats) == ("7", "review", (WHOLE_CROP.trust.reason,))
    assert both.confidence < THRESHOLD


@pytest.mark.parametrize(("ink", "status", "confidence"), [(0.93, "ok", 0.96), (0.80, "review", 0.895)])
def test_the_same_digits_of_a_second_opinion_raise_a_doubtful_confidence(
    ink: float, status: str, confidence: float
) -> None:
    """To the mean of both, and the digits stay as they were found first."""
    best = evidence("7", ink)
    both = together(best, evidence("7", 0.99), WHOLE_CROP.trust)

    assert (both.status, both.rows) == (status, best.rows)
    assert both.confidence == pytest.approx(confidence)


def test_the_same_digits_do_not_lower_a_sure_confidence() -> None:
    """A less sure second opinion with the same digits changes nothing."""
    best = evidence("7", 0.97)

    assert choose(best, evidence("7", 0.60), WHOLE_CROP.trust) is best


def test_what_only_a_fallback_finds_is_for_review() -> None:
    """Faint writing, with the reason, however sure it is."""
    both = together(evidence("", 1.0), evidence("7", 1.0), FAINT.trust)

    assert (both.text, both.status, both.caveats) == ("7", "review", (FAINT.trust.reason,))
    assert both.confidence == FAINT.trust.alone
