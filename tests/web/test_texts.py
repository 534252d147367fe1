"""Texts that several views show."""

import pytest

from digitwatch.web.texts import correction_text, percent


@pytest.mark.parametrize(("confidence", "text"), [(1, "100.0 %"), (0.9999, "99.9 %"), (0.9961, "99.6 %"), (0, "0.0 %")])
def test_a_confidence_is_never_rounded_up_to_certainty(confidence: float, text: str) -> None:
    """Only a certain reading has 100 %."""
    assert percent(confidence) == text


def test_a_correction_is_shown_in_words() -> None:
    """The codes of the file are not."""
    assert [correction_text(now) for now in ("12,5", "x", "")] == ["12,5", "not a number", "empty"]
    assert correction_text("x", sorts_pictures=True) == "none of them"
