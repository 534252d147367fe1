"""Which readings belong together, and what may follow what."""

import time
from decimal import Decimal

import pytest

from digitwatch.series.rules import Point, Problem, Rule, number


def point(day: float, text: str) -> Point:
    """Return a reading of a day."""
    return Point(f"{day:08.3f}", day, text)


@pytest.mark.parametrize(
    ("pattern", "name", "group"),
    [
        ("meter-{meter}-*.jpg", "meter-17-2026.jpg", ("17",)),
        ("meter-{meter}-*.jpg", "meter-17-b-2026.jpg", ("17",)),
        ("meter-{meter}-*.jpg", "water-17-2026.jpg", None),
        ("{house}/{meter}.png", "12/gas.png", ("12", "gas")),
        ("{house}/{meter}.png", "gas.png", None),
        ("*.png", "a/b.png", ()),
        ("water.png", "water.png", ()),
        ("water.png", "waterXpng", None),
    ],
)
def test_names_belong_to_series(pattern: str, name: str, group: tuple[str, ...] | None) -> None:
    """Equal texts in the placeholders belong together; a placeholder never crosses a folder."""
    assert Rule(pattern).group(name, "") == group


def test_a_long_name_takes_no_time() -> None:
    """A pattern of many placeholders does not try all ways to divide a name."""
    begun = time.monotonic()

    assert Rule("*a{b}a{c}a{d}a*a*a{e}b").group("a" * 4000, "") is None
    assert time.monotonic() - begun < 1


def test_a_field_is_a_series_of_its_own() -> None:
    """A rule with a field takes no whole page, and the other way round."""
    assert (Rule(field="meter").group("a.png", "meter"), Rule(field="meter").group("a.png", "")) == ((), None)


@pytest.mark.parametrize(
    ("text", "value"),
    [("004821", "4821"), ("12,50", "12.50"), ("-3.5", "-3.5"), ("1 2", None), ("", None), ("1/2", None), ("٣", None)],
)
def test_a_number_is_one_number(text: str, value: str | None) -> None:
    """Leading zeros do not count, and a comma is a point."""
    assert number(text) == (None if value is None else Decimal(value))


def test_a_meter_never_decreases() -> None:
    """Equal readings may follow each other."""
    rule = Rule(never_decreases=True)

    assert rule.problem(point(1, "12"), point(2, "11")) is Problem.DECREASES
    assert rule.problem(point(1, "12"), point(2, "12")) is None


@pytest.mark.parametrize(("days", "text", "fits"), [(0.01, "150", True), (0.01, "151", False), (3, "250", True)])
def test_a_change_is_bounded_by_the_days_between(days: float, text: str, fits: bool) -> None:
    """A gap shorter than a day allows what a day allows."""
    found = Rule(at_most_per_day=50).problem(point(1, "100"), point(1 + days, text))

    assert found is (None if fits else Problem.TOO_FAST)
