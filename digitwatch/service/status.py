"""How it goes: the counts of the day, one log line for each scan, and the line that systemctl shows."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from digitwatch.spool.csv_rows import printable
from digitwatch.spool.log_search import scans_of_day
from digitwatch.system import sd_notify
from digitwatch.workers.messages import Outcome

log = logging.getLogger(__name__)

EVERY = 1.0  # seconds between two status lines; people read no faster


def _today() -> date:
    return datetime.now(UTC).date()


class Status:
    """Counts what was read and tells the service manager."""

    def __init__(self, clock: Callable[[], float], today: Callable[[], date] = _today) -> None:
        """Begin a day with nothing read; `clock` gives monotonic seconds."""
        self._clock = clock
        self._today = today
        self._day = today()
        self._counts: Counter[str] = Counter()
        self._line = ""
        self._told = float("-inf")

    def resume(self, predictions: Path) -> None:
        """Go on counting where an earlier run stopped, as its rows in the log tell."""
        self._counts = Counter(scans_of_day(predictions, self._day.isoformat()))

    def count(self, outcome: Outcome) -> None:
        """Count a recorded scan and write its log lines."""
        if self._day != self._today():
            self._day = self._today()
            self._counts.clear()
        self._counts["failed" if outcome.failure else "read"] += 1
        name = printable(outcome.job.name)
        if outcome.failure:
            log.warning("%s failed: %s", name, outcome.failure)
        for page in outcome.pages:
            read = page.prediction or "nothing"
            sure = min(100 * page.confidence, 99.9)  # nothing that is read is certain
            log.info("%s: %s (%s, confidence %.1f %%)", name, read, page.status, sure)

    def tell(self, watching: str, waiting: int, trouble: str, left: str = "") -> None:
        """Tell how new files are noticed, how many wait, why we pause, and what has been `left` alone longest.

        Ping the watchdog, and renew the status line when it changed and the last one is old enough."""
        line = (
            f"watching by {watching}; {waiting} waiting; "
            f"{self._counts['read']} read, {self._counts['failed']} failed today"
        )
        if trouble:
            line = f"PAUSED: {trouble}; {line}"
        if left:
            line += f"; left alone: {left}"
        if line != self._line and self._clock() - self._told >= EVERY:
            self._line = line
            self._told = self._clock()
            sd_notify.notify(WATCHDOG=1, STATUS=line)
        else:
            sd_notify.notify(WATCHDOG=1)
