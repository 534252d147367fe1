"""The counts of the day, one log line for each scan, and the status line that systemctl shows."""

import logging
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from digitwatch.spool.csv_rows import printable
from digitwatch.spool.log_search import scans_of_day
from digitwatch.system import sd_notify
from digitwatch.workers.messages import Rejected, Result

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two status lines
PAUSED = "PAUSED"


def _today() -> date:
    return datetime.now(UTC).date()


class Status:
    """Counts the scans of the day of one profile and logs each."""

    def __init__(self, profile: str = "", today: Callable[[], date] = _today) -> None:
        """Start a day with nothing read; the name of the profile, if any, stands before those of its scans."""
        self._lead = f"{profile}: " if profile else ""
        self._today = today
        self._day = today()
        self._counts: Counter[str] = Counter()

    def resume(self, predictions: Path) -> None:
        """Continue the counts of an earlier run, from its rows in the log."""
        self._counts = Counter(scans_of_day(predictions, self._day.isoformat()))

    def count(self, result: Result) -> None:
        """Count a recorded scan and write its log lines."""
        if self._day != self._today():
            self._day = self._today()
            self._counts.clear()
        name = f"{self._lead}{printable(result.job.name)}"
        if isinstance(result, Rejected):
            self._counts["failed"] += 1
            log.warning("%s failed: %s", name, printable(result.reason))
            return
        self._counts["read"] += 1
        several = len({page.page for page in result.pages}) > 1
        for page in result.pages:
            place = name + (f", page {page.page}" if several else "") + (f", field {page.field}" if page.field else "")
            read = page.text or page.prediction or "nothing"
            percent = min(100 * page.confidence, 99.9)  # no reading is certain
            codes = f"; {page.codes}" if page.codes else ""
            log.info("%s: %s (%s, confidence %.1f %%%s)", place, printable(read), page.status, percent, codes)

    def line(self, watching: str, waiting: int, paused: str, *left: str) -> str:
        """Return the status: how new files are noticed, how many wait, why processing is `paused`, what is `left`."""
        line = (
            f"watching by {watching}; {waiting} waiting; "
            f"{self._counts['read']} read, {self._counts['failed']} failed today"
        )
        if paused:
            line = f"{PAUSED}: {paused}; {line}"
        if any(left):
            line += f"; left alone: {'; '.join(filter(None, left))}"
        return line


class StatusLine:
    """Informs the service manager."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with no line sent; `clock` gives monotonic seconds."""
        self._clock = clock
        self._line = ""
        self._sent_at = float("-inf")

    def publish(self, states: Mapping[str, str]) -> None:
        """Feed the watchdog, and send the status line when it has changed and the last one is old enough.

        It has the state of each profile, by its name; a paused one comes first.
        """
        named = [f"{name}: {state}" if name else state for name, state in states.items()]
        line = " | ".join(sorted(named, key=lambda text: PAUSED not in text))
        if line != self._line and self._clock() - self._sent_at >= EVERY:
            self._line = line
            self._sent_at = self._clock()
            sd_notify.notify(WATCHDOG=1, STATUS=line)
        else:
            sd_notify.notify(WATCHDOG=1)
