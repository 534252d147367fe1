"""What counts in a series, what is doubted, and how a wrong base heals."""

import random

import pytest

from digitwatch.series.history import History
from digitwatch.series.rules import Point, Problem, Rule

METER = Rule("{meter}.png", never_decreases=True, at_most_per_day=10)


def point(day: int, value: int) -> Point:
    """Return the reading of a day."""
    return Point(f"{day:04}", day, f"{value:06}")


def read(history: History, *points: Point) -> tuple[History, list[Problem | None]]:
    """Enter readings; return what is wrong with each."""
    problems = []
    for each in points:
        history, problem = history.with_reading(each, METER)
        problems.append(problem)
    return history, problems


KNOWN, _ = read(History(), *(point(day, 100 + day) for day in range(3)))


def test_a_new_series_is_known_after_three_consistent_readings() -> None:
    """Nothing is trusted before, since the first reading of all may be the wrong one."""
    _, problems = read(History(), point(1, 100), point(2, 101), point(3, 102))

    assert problems == [Problem.UNCONFIRMED, Problem.UNCONFIRMED, None]


def test_a_contradiction_does_not_count() -> None:
    """The reading after it is compared with the one before it, which is expected."""
    history, problems = read(KNOWN, point(3, 903), point(4, 104))

    assert problems == [Problem.TOO_FAST, None]
    assert KNOWN.expected("0003") == "000102" and history.expected("0005") == "000104"


def test_a_wrong_base_heals_with_the_third_consistent_reading() -> None:
    """Also where another wrong reading comes between them."""
    wrong = KNOWN.with_correction(point(3, 900_000), METER)
    _, problems = read(wrong, point(4, 104), point(5, 105), point(6, 606), point(7, 107), point(8, 108))

    assert problems == [Problem.DECREASES] * 3 + [None, None]


def test_three_contradictions_that_differ_replace_nothing() -> None:
    """Misread digits seldom agree with each other."""
    history, problems = read(KNOWN, point(3, 903), point(4, 404), point(5, 605), point(6, 106))

    assert problems == [Problem.TOO_FAST] * 3 + [None]
    assert history.accepted[:-1] == KNOWN.accepted


def test_a_correction_is_the_truth() -> None:
    """What contradicts it counts no more, before and after it."""
    history = KNOWN.with_correction(point(1, 50), METER)

    assert history.accepted == (point(1, 50),)
    assert KNOWN.with_correction(point(1, 101), METER).accepted == KNOWN.accepted


@pytest.mark.parametrize("seed", range(20))
def test_the_order_of_commits_does_not_matter(seed: int) -> None:
    """Scans are read by several workers: each is compared with its neighbours in the order of the claims."""
    points = [point(day, 100 + 9 * day) for day in range(3, 9)]
    random.Random(seed).shuffle(points)
    base = KNOWN.with_correction(point(2, 118), METER)
    history, problems = read(base, *points)

    assert problems == [None] * 6 and history.accepted == tuple(sorted([*base.accepted, *points])[-8:])


def test_a_scan_that_is_read_again_replaces_itself() -> None:
    """A repeated row neither contradicts itself nor confirms itself."""
    history, problems = read(History(), point(1, 100), point(1, 100), point(1, 100), point(1, 100))

    assert problems == [Problem.UNCONFIRMED] * 4 and len(history.doubted) == 1
