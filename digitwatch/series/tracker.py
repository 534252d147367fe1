"""All series of a log: their histories follow from its rows and from the corrections, and from nothing else.

A row is judged before it is written and counts once it is; after a restart the same rows give the same histories.
"""

import contextlib
import logging
from collections import ChainMap
from collections.abc import Iterator, MutableMapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from digitwatch.log_codes import Reason, ReasonCode, Status
from digitwatch.series.history import History
from digitwatch.series.rules import Point, Problem, Rule, number
from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.log_cursor import LineCursor, PositionLostError
from digitwatch.spool.log_search import all_rows

log = logging.getLogger(__name__)

MOST = 50_000  # series, about 2 kB each; of more, those that were read longest ago begin anew
DAY = 86_400  # seconds

Key = tuple[int, tuple[str, ...], str]  # the number of the rule, its group, the page
Histories = MutableMapping[Key, History]


class Entry(NamedTuple):
    """What of a reading its series needs.

    file: the name as the log shows it. is_sure: the status was `ok` without its series. is_copy: an earlier scan has
    the same bytes, so that it confirms nothing.
    """

    scan: str
    time: str
    file: str
    page: str
    field: str
    text: str
    is_sure: bool
    is_copy: bool = False


class Verdict(NamedTuple):
    """What the series says about a reading: why it contradicts, None where it does not, and what was expected."""

    reason: Reason | None
    expected: str


class Draft:
    """The series with readings that are about to be written."""

    def __init__(self, rules: Sequence[Rule], histories: Histories) -> None:
        """Begin with what is known; that is not changed."""
        self._rules = rules
        self.changed: dict[Key, History] = {}
        self._histories = ChainMap(self.changed, histories)

    def judge(self, entry: Entry) -> Verdict | None:
        """Enter a reading; return what its series says, None for one that belongs to no series."""
        found = _series_of(self._rules, entry.file, entry.page, entry.field)
        if found is None:
            return None
        rule, key = found
        history = self._histories.get(key, History())
        point = Point(entry.scan, _day(entry), entry.text)
        if number(entry.text) is None:
            problem: Problem | None = Problem.NOT_A_NUMBER
        elif entry.is_sure and not entry.is_copy:
            self.changed[key], problem = history.with_reading(point, rule)
        else:
            problem = history.problem(point, rule)
        if not entry.is_sure and problem is Problem.UNCONFIRMED:
            problem = None  # it is for review in any case
        expected = history.expected(entry.scan)
        reason = _reason(problem, expected, rule, is_only=entry.is_sure) if problem else None
        return Verdict(reason, expected if problem or not entry.is_sure else "")


class Tracker:
    """The histories of all series of a log."""

    def __init__(
        self, rules: Sequence[Rule], predictions: Path, corrections: Path, rotated: Path | None = None
    ) -> None:
        """Keep rules and files; `load` reads them."""
        self._rules = tuple(rules)
        self._predictions, self._path, self._rotated = predictions, corrections, rotated
        self._histories: dict[Key, History] = {}
        self._corrections = self._cursor()

    def load(self) -> None:
        """Read the whole log with its rotated files, and the corrections, in the order of their times.

        Raises:
            OSError: a file cannot be read.
        """
        self._histories.clear()
        self._corrections = self._cursor()
        waiting = list(self._new_corrections())
        waiting.reverse()
        for row, _ in all_rows(self._predictions, rotated=self._rotated):
            while waiting and waiting[-1].time <= row.time:
                self._correct(waiting.pop())
            if (entry := entry_of(row)) is not None:
                draft = Draft(self._rules, self._histories)
                draft.judge(entry)
                self.keep(draft)
        while waiting:
            self._correct(waiting.pop())

    def draft(self) -> Draft:
        """Return what is known now, with the newest corrections.

        Raises:
            OSError: a file cannot be read.
        """
        try:
            for correction in self._new_corrections():
                self._correct(correction)
        except PositionLostError:
            log.warning("%s was replaced; reading all series anew", self._path)
            self.load()
        return Draft(self._rules, self._histories)

    def keep(self, draft: Draft) -> None:
        """Let the readings of a draft count: their rows are written."""
        for key, history in draft.changed.items():
            self._histories.pop(key, None)
            self._histories[key] = history
        while len(self._histories) > MOST:
            del self._histories[next(iter(self._histories))]

    def _cursor(self) -> LineCursor:
        return LineCursor(self._path, lambda: [self._path] if self._path.exists() else [])

    def _new_corrections(self) -> Iterator[Correction]:
        try:
            while lines := self._corrections.read(1000):
                yield from correction_log.parse(line.rstrip("\n") for line, _ in lines)
        finally:
            self._corrections.close()

    def _correct(self, correction: Correction) -> None:
        """Take a correction as the truth; a reading that turns out to be no number counts no more."""
        found = _series_of(self._rules, correction.file, correction.page, correction.field)
        if found is None:
            return
        rule, key = found
        history = self._histories.pop(key, History())
        point = Point(correction.id, _day(correction), correction.now)
        is_number = number(correction.now) is not None
        self._histories[key] = history.with_correction(point, rule) if is_number else history.without(correction.id)


def entry_of(row: Row) -> Entry | None:
    """Return what a row of the log says about its series; None for an empty or failed page.

    The code `series` has a detail where it alone made the row one for review.
    """
    if row.status not in (Status.OK, Status.REVIEW):
        return None
    codes = row.codes.split()
    is_sure = row.status == Status.OK or any(code.startswith(f"{ReasonCode.SERIES}:") for code in codes)
    text = row.text or row.prediction
    return Entry(row.id, row.time, row.file, row.page, row.field, text, is_sure, ReasonCode.DUPLICATE in codes)


def _series_of(rules: Sequence[Rule], file: str, page: str, field: str) -> tuple[Rule, Key] | None:
    """Return the first rule for a reading, and which of its series it belongs to; None for no series."""
    for place, rule in enumerate(rules):
        if (group := rule.group(file, field)) is not None:
            return rule, (place, group, page)
    return None


def _day(event: Entry | Correction) -> float:
    """Return the time of the claim in days, from the id of the scan, else the time of the event."""
    scan = event.scan if isinstance(event, Entry) else event.id
    for text in (scan[:19], event.time):
        with contextlib.suppress(ValueError):
            return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() / DAY
    return 0.0


def _reason(problem: Problem, expected: str, rule: Rule, *, is_only: bool) -> Reason:
    """Return the reason for review; `is_only`: there is no other one, which the detail of the code says."""
    return Reason(ReasonCode.SERIES, _text(problem, expected, rule), str(problem) if is_only else "")


def _text(problem: Problem, expected: str, rule: Rule) -> str:
    match problem:
        case Problem.DECREASES:
            return f"does not fit {expected}: the series never decreases"
        case Problem.TOO_FAST:
            return f"does not fit {expected}: the series changes by at most {rule.at_most_per_day:g} a day"
        case Problem.UNCONFIRMED:
            return "a new series: known after three consistent readings or a correction"
        case Problem.NOT_A_NUMBER:
            return "not one number, as the series has"
