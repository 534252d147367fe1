"""Which values people may enter for a page."""

import pytest

from digitwatch.corrections.answer import LONGEST, digits, normalised


@pytest.mark.parametrize(
    ("text", "kept", "plain"),
    [
        ("12,5", "12,5", "125"),
        (" 12   34\n", "12 34", "12 34"),
        ("\u22123", "-3", "3"),
        ("12/05/1998", "12/05/1998", "12051998"),
        ("2½", "2½", "2½"),
        ("€ 1'000.-", "€ 1'000.-", " 1000"),
    ],
)
def test_a_number_is_kept_as_it_is_written(text: str, kept: str, plain: str) -> None:
    """With its signs, one space between two numbers, and the hyphen for every dash."""
    assert normalised(text) == kept
    assert digits(kept) == plain


@pytest.mark.parametrize(
    "text", ["", "-", "abc", "n/a", "see 5", "=1+1", "@1", "1|2", "٣", "1\x002", "1" * (LONGEST + 1)]
)
def test_other_text_is_no_number(text: str) -> None:
    """Letters, other digits, signs alone, and whatever could begin a formula that does harm."""
    assert normalised(text) is None
