"""Rules of series: which readings belong together, and what may follow what."""

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

LONGEST = 40  # characters of a number
_NUMBER = re.compile(r"-?\d+(?:[.,]\d+)?", re.ASCII)
_PART = re.compile(r"(\*|\{[a-z_]+\})")


class Problem(StrEnum):
    """Why a reading does not follow: the detail of the code `series`."""

    DECREASES = "decreases"
    TOO_FAST = "too_fast"
    UNCONFIRMED = "unconfirmed"
    NOT_A_NUMBER = "not_a_number"


class Point(NamedTuple):
    """A reading of a series. `scan` is its id, which sorts by the time of the claim; `day` is that time in days."""

    scan: str
    day: float
    text: str

    @property
    def value(self) -> Decimal:
        """The number; the text is one."""
        return number(self.text) or Decimal(0)


@dataclass(frozen=True)
class Rule:
    """One entry of `series` in config.yaml.

    file: pattern of names; equal texts in its {placeholders} belong together. field: of a form, "" for whole pages.
    at_most_per_day: largest change in a day, None for any.
    """

    file: str = "*"
    field: str = ""
    never_decreases: bool = False
    at_most_per_day: float | None = None

    def group(self, file: str, field: str) -> tuple[str, ...] | None:
        """Return what distinguishes the series of a reading from the others of this rule; None for no series."""
        if field != self.field:
            return None
        found = compiled(self.file).fullmatch(file)
        return found.groups() if found else None

    def problem(self, before: Point, after: Point) -> Problem | None:
        """Return why `after` cannot follow `before`; None where it can.

        Between two readings of one day the change may be that of a whole day.
        """
        change = after.value - before.value
        if self.never_decreases and change < 0:
            return Problem.DECREASES
        if self.at_most_per_day is not None:
            most = Decimal(str(self.at_most_per_day)) * Decimal(max(1.0, after.day - before.day))
            if abs(change) > most:
                return Problem.TOO_FAST
        return None


@functools.lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """Return a pattern of file names as a regular expression whose time grows with the length of the name only."""
    parts = [part for part in _PART.split(pattern) if part]
    return re.compile("".join(_expressions(parts)), re.DOTALL)


def _expressions(parts: list[str]) -> Iterator[str]:
    """Yield the regular expression of each placeholder with the text behind it, which it is never extended beyond."""
    last = max((number for number, part in enumerate(parts) if _PART.fullmatch(part)), default=-1)
    number = 0
    while number < len(parts):
        part = parts[number]
        if not _PART.fullmatch(part):
            yield re.escape(part)
        elif number == last:
            yield ".*" if part == "*" else "([^/]+)"
        else:
            number += 1
            yield f"(?>{'.*?' if part == '*' else '([^/]+?)'}{re.escape(parts[number])})"
        number += 1


def number(text: str) -> Decimal | None:
    """Return the number of a reading, with a point or comma for the decimals; None for other texts."""
    if len(text) > LONGEST or not _NUMBER.fullmatch(text):
        return None
    return Decimal(text.replace(",", "."))
