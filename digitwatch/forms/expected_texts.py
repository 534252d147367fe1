"""What may stand in a field, as the decoders take it: from its digits, pattern, list and limits."""

import re
from bisect import bisect_left
from collections.abc import Iterable
from functools import cache, partial

from digitwatch.forms.checks import value
from digitwatch.forms.patterns import Automaton, UnsupportedPatternError, automaton
from digitwatch.forms.schema import Field
from digitwatch.recognition.decoding.expected import Expected, Texts

DIGITS = "0123456789"
WRITTEN = DIGITS + ".,-/:()%½"  # what the second reader knows; the first knows digits, and takes a slash for a 1
SLASH_AS_DIGIT = "1"


def expected(field: Field) -> Expected | None:
    """Return the texts that may stand in a field; None where any may."""
    written, digits = [], []
    if field.digits is not None:
        count = Texts(partial(_has_at_most, field.digits[1]), partial(_has_between, *field.digits))
        written, digits = [count], [count]
    if field.known is not None:
        alone = _listed("".join(each for each in known if each in DIGITS) for known in field.known)
        written.append(_either(_listed(field.known), alone))
        digits.append(alone)
    if field.pattern is not None and (parts := _pattern(field.pattern)) is not None:
        written.append(parts[0])
        digits.append(parts[1])
    if field.minimum is not None or field.maximum is not None:
        written.append(Texts(partial(_is_below, field), partial(_is_between, field)))
        if field.pattern is None and field.known is None:
            digits.append(written[-1])
    return Expected(_all(written), _all(digits)) if written else None


def _digits(text: str) -> str:
    return "".join(each for each in text if each in DIGITS)


def _has_at_most(most: int, text: str) -> bool:
    return len(_digits(text)) <= most


def _has_between(least: int, most: int, text: str) -> bool:
    return least <= len(_digits(text)) <= most


def _listed(known: Iterable[str]) -> Texts:
    """Return the texts of a list."""
    ordered = sorted(set(known))

    def begins(text: str) -> bool:
        at = bisect_left(ordered, text)
        return at < len(ordered) and ordered[at].startswith(text)

    return Texts(begins, frozenset(ordered).__contains__)


def _either(written: Texts, digits: Texts) -> Texts:
    """Return the texts that are listed, as they are or without their signs."""
    return Texts(
        lambda text: written.begins(text) or digits.begins(_digits(text)),
        lambda text: written.accepts(text) or digits.accepts(_digits(text)),
    )


def _pattern(pattern: re.Pattern[str]) -> tuple[Texts, Texts] | None:
    """Return the texts of a pattern, as written and as digits alone; None where it is too complicated to steer by."""
    try:
        written = automaton(pattern.pattern, WRITTEN)
    except UnsupportedPatternError:
        return None
    return _matching(written), _matching(written.without(set(WRITTEN) - set(DIGITS), {"/": SLASH_AS_DIGIT}))


def _matching(found: Automaton) -> Texts:
    @cache
    def after(text: str) -> frozenset[int]:
        return found.step(after(text[:-1]), text[-1]) if text else found.start

    return Texts(lambda text: bool(after(text)), lambda text: found.end in after(text))


def _is_below(field: Field, text: str) -> bool:
    """Return whether a number that begins so can be in the limits; those that may have a fraction or a sign can."""
    return not text.isdecimal() or field.maximum is None or int(text) <= field.maximum


def _is_between(field: Field, text: str) -> bool:
    number = value(text)
    low = -float("inf") if field.minimum is None else field.minimum
    high = float("inf") if field.maximum is None else field.maximum
    return number is not None and low <= number <= high


def _all(parts: list[Texts]) -> Texts:
    """Return the texts that are in all sets."""
    return Texts(
        lambda text: all(part.begins(text) for part in parts), lambda text: all(part.accepts(text) for part in parts)
    )
