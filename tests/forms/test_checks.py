"""What must hold for the text of a field, and for several fields together."""

import re

import pytest

from digitwatch.forms.checks import failed, field_problems, luhn, mod11, mod97
from digitwatch.forms.schema import Check, Field

BOX = (0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("field", "text", "codes"),
    [
        (Field("a", BOX), "123", []),
        (Field("a", BOX, digits=(2, 4)), "1", ["pattern"]),
        (Field("a", BOX, pattern=re.compile("[0-9]{2}")), "123", ["pattern"]),
        (Field("a", BOX, known=frozenset({"17"})), "71", ["list"]),
        (Field("a", BOX, minimum=5, maximum=10), "11", ["range"]),
        (Field("a", BOX, minimum=5, maximum=10), "4", ["range"]),
        (Field("a", BOX, digits=(1, 2), maximum=100), "250", ["pattern", "range"]),
    ],
)
def test_a_text_that_cannot_be_right_has_a_code(field: Field, text: str, codes: list[str]) -> None:
    """Each condition of a field has its own."""
    assert [reason.coded for reason in field_problems(field, text)] == codes


def test_a_sum_holds_or_not() -> None:
    """An empty field counts as 0; the reason has both numbers."""
    check = Check("sum", ("a", "b"), "total")

    assert failed(check, {"a": "3", "b": "", "total": "3"}) is None
    reason = failed(check, {"a": "3", "b": "4", "total": "8"})
    assert reason is not None and reason.code == "sum" and "is 7, total is 8" in reason.text


def test_check_digits_find_a_wrong_digit() -> None:
    """By the published examples: ISO/IEC 7812, ISBN-10 weights, and an IBAN's number."""
    assert luhn("79927398713") and not luhn("79927398710")
    assert mod11("0365327") and not mod11("0365372")
    assert mod97("3214282912345698765432161182") and not mod97("3214282912345698765432161183")
    assert failed(Check("luhn", ("card",)), {"card": "79927398710"}) is not None
    assert failed(Check("luhn", ("card",)), {"card": ""}) is None


def test_the_text_with_its_signs_is_checked() -> None:
    """A pattern may ask for a comma, and limits hold for the number as it is written."""
    field = Field("a", BOX, pattern=re.compile(r"\d+,\d\d"), maximum=20)

    assert [reason.coded for reason in field_problems(field, "1250", "12,50")] == []
    assert [reason.coded for reason in field_problems(field, "1250", "1250")] == ["pattern", "range"]
