"""What must hold for the text of a field, and for several fields together."""

from collections.abc import Iterator, Mapping

from digitwatch.forms.schema import Check, Field
from digitwatch.log_codes import Reason, ReasonCode


def field_problems(field: Field, text: str, written: str = "") -> Iterator[Reason]:
    """Yield why the digits of a field cannot be right; `written` is the text with its signs, if it has any."""
    written = written or text
    if field.digits is not None and not field.digits[0] <= len(text) <= field.digits[1]:
        low, high = field.digits
        expected = f"{low}" if low == high else f"{low} to {high}"
        yield Reason(ReasonCode.PATTERN, f"expected {expected} digits, found {len(text)}")
    if field.pattern is not None and not field.pattern.fullmatch(written):
        yield Reason(ReasonCode.PATTERN, f"expected the pattern {field.pattern.pattern}")
    if field.known is not None and not {text, written} & field.known:
        yield Reason(ReasonCode.LIST, "not in the list of known numbers")
    number = value(written)
    if field.minimum is not None and (number is None or number < field.minimum):
        yield Reason(ReasonCode.RANGE, f"expected {field.minimum:g} or more")
    if field.maximum is not None and (number is None or number > field.maximum):
        yield Reason(ReasonCode.RANGE, f"expected {field.maximum:g} or less")


def failed(check: Check, texts: Mapping[str, str]) -> Reason | None:
    """Return why a condition does not hold for the texts of the fields; an empty field counts as 0 in a sum."""
    if check.kind == "sum":
        total, wanted = sum(_number(texts[name]) for name in check.fields), _number(texts[check.equals])
        if total != wanted:
            return Reason(ReasonCode.SUM, f"{' + '.join(check.fields)} is {total}, {check.equals} is {wanted}")
        return None
    passes = {"luhn": luhn, "mod11": mod11, "mod97": mod97}[check.kind]
    wrong = [name for name in check.fields if texts[name] and not passes(texts[name])]
    return Reason(ReasonCode.CHECKSUM, f"the check digit of {', '.join(wrong)} is wrong") if wrong else None


def value(written: str) -> float | None:
    """Return the number that a text stands for, with a decimal comma or point; None where it stands for none."""
    try:
        return float(written.replace(",", "."))
    except ValueError:
        return None


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else 0


def luhn(digits: str) -> bool:
    """Return whether a number passes ISO/IEC 7812-1, annex B, as the numbers of bank cards do."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (1 + place % 2)
        total += value - 9 * (value > 9)
    return total % 10 == 0


def mod11(digits: str) -> bool:
    """Return whether digits weighted 1, 2, 3 ... 7, 2 ... from the right sum up to a multiple of 11."""
    weights = [1] + [2 + place % 6 for place in range(len(digits) - 1)]
    return sum(int(digit) * weight for digit, weight in zip(reversed(digits), weights, strict=True)) % 11 == 0


def mod97(digits: str) -> bool:
    """Return whether a number leaves the rest 1 when divided by 97 (ISO/IEC 7064)."""
    return int(digits or "0") % 97 == 1
