"""Digits, pattern, list and limits of a field, as what the decoders may read there."""

import re

import pytest

from digitwatch.forms.expected_texts import expected
from digitwatch.forms.schema import Field
from digitwatch.recognition.decoding.expected import Texts

BOX = (0.0, 0.0, 1.0, 1.0)


def possible(texts: Texts, *tried: str) -> list[str]:
    """Return which of the texts can be reached character by character, and are whole then."""
    return [
        text for text in tried if all(texts.begins(text[:end]) for end in range(len(text) + 1)) and texts.accepts(text)
    ]


@pytest.mark.parametrize(
    ("field", "tried", "written"),
    [
        (Field("digits", BOX, digits=(2, 3)), "1 12 1.2 123 1234", "12 1.2 123"),
        (Field("pattern", BOX, pattern=re.compile(r"\d\d/\d")), "12/3 123 1/23", "12/3"),
        (Field("list", BOX, known=frozenset({"12", "4/5"})), "12 1 4/5 45 1.2 13", "12 4/5 45 1.2"),
        (Field("limits", BOX, minimum=5, maximum=20), "4 5 20 21 200 7,5 20.5", "5 20 7,5"),
        (Field("both", BOX, digits=(2, 2), known=frozenset({"12", "123"})), "12 123", "12"),
    ],
)
def test_what_a_field_may_hold(field: Field, tried: str, written: str) -> None:
    """Each condition by itself, and two together."""
    found = expected(field)

    assert found is not None
    assert possible(found.written, *tried.split()) == written.split()


def test_a_field_without_conditions_expects_nothing() -> None:
    """Nor does one with a pattern that is too complicated; it is checked afterwards."""
    assert expected(Field("any", BOX)) is None
    assert expected(Field("same", BOX, pattern=re.compile(r"(\d)\1"))) is None


def test_digits_alone_have_no_signs() -> None:
    """A date is six digits to the first reader, or has ones for its slashes; a listed fraction has two."""
    date = expected(Field("date", BOX, pattern=re.compile(r"\d\d/\d\d/\d\d")))
    half = expected(Field("half", BOX, known=frozenset({"4/5"})))

    assert date is not None and possible(date.digits, "151222", "15112122", "15/12/22") == ["151222", "15112122"]
    assert half is not None and possible(half.digits, "45", "415") == ["45"]
