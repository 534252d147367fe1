"""The history of one series: which readings count, which contradict them, and when those replace the others."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from digitwatch.series.rules import Point, Problem, Rule

KEPT = 8  # newest readings that count: those that are committed in another order than claimed find their neighbours
DOUBTED = 8  # newest readings that contradict them
CONSISTENT = 3  # readings that make a series known, or replace what it was before


@dataclass(frozen=True)
class History:
    """The newest readings of a series, each group in the order of their claims.

    accepted: those that count, all consistent. doubted: those that contradict them, since the last one that did not.
    """

    accepted: tuple[Point, ...] = ()
    doubted: tuple[Point, ...] = ()

    def expected(self, scan: str) -> str:
        """Return the value before a scan; of the first scan, the one behind it; "" where nothing is known."""
        before = [point for point in self.accepted if point.scan < scan]
        near = before[-1:] or [point for point in self.accepted if point.scan > scan][:1]
        return near[0].text if near else ""

    def problem(self, point: Point, rule: Rule) -> Problem | None:
        """Return why a reading does not fit between those before and after it; None where it does."""
        if not self.accepted:
            return Problem.UNCONFIRMED
        before = [other for other in self.accepted if other.scan < point.scan]
        after = [other for other in self.accepted if other.scan > point.scan]
        pairs = [(before[-1], point)] if before else []
        pairs += [(point, after[0])] if after else []
        return next(filter(None, (rule.problem(*pair) for pair in pairs)), None)

    def with_reading(self, point: Point, rule: Rule) -> tuple["History", Problem | None]:
        """Return the history with one more reading, and why that is doubted; None where it counts.

        A third reading that is consistent with two doubted ones replaces all that counted before.
        """
        known = self.without(point.scan)
        problem = known.problem(point, rule)
        if problem is None:
            return History(_newest((*known.accepted, point), KEPT)), None
        if replacement := _consistent(known.doubted, point, rule):
            return History(replacement), None
        return replace(known, doubted=_newest((*known.doubted, point), DOUBTED)), problem

    def with_correction(self, point: Point, rule: Rule) -> "History":
        """Return the history in which this value is true: what contradicts it no longer counts."""
        known = [each for each in self.accepted if each.scan != point.scan and _fits(each, point, rule)]
        return History(_newest((*known, point), KEPT))

    def without(self, scan: str) -> "History":
        """Return the history without a scan."""
        groups = (self.accepted, self.doubted)
        return History(*(tuple(point for point in group if point.scan != scan) for group in groups))


def _newest(points: Iterable[Point], number: int) -> tuple[Point, ...]:
    return tuple(sorted(points)[-number:])


def _fits(one: Point, other: Point, rule: Rule) -> bool:
    return rule.problem(*sorted((one, other))) is None


def _consistent(doubted: Sequence[Point], point: Point, rule: Rule) -> tuple[Point, ...]:
    """Return CONSISTENT readings with `point` among them, each of which may follow the one before; () for none."""
    for others in itertools.combinations(reversed(doubted), CONSISTENT - 1):  # the newest first
        chain = tuple(sorted((*others, point)))
        if all(rule.problem(a, b) is None for a, b in itertools.pairwise(chain)):
            return chain
    return ()
