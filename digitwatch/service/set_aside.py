"""Claimed scans that an error of their own keeps waiting, while all others go on."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass

from digitwatch.service.backoff import BACK_OFF
from digitwatch.spool.claims import WAITING, Claim
from digitwatch.spool.csv_rows import printable

log = logging.getLogger(__name__)


@dataclass
class _Entry:
    text: str
    due: float
    tries: int


class SetAside:
    """Why scans wait and when each is tried again: said once per scan, with longer and longer pauses."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start with no scan; `clock` gives monotonic seconds."""
        self._clock = clock
        self._entries: dict[str, _Entry] = {}

    def add(self, claim: Claim, reason: str) -> float:
        """Hold a scan back and return the seconds until its next try."""
        entry = self._entries.setdefault(claim.id, _Entry("", 0.0, 0))
        if not entry.tries:
            log.warning("%s is set aside and tried again: %s", printable(claim.name), printable(reason))
            with contextlib.suppress(OSError):  # a full disk; the log line must do
                claim.note(WAITING).write_text(f"{claim.name}: {reason}\n", "utf-8", "backslashreplace")
        seconds = BACK_OFF[min(entry.tries, len(BACK_OFF) - 1)]
        entry.text = f"{printable(claim.name)} is set aside: {printable(reason)}"
        entry.due = self._clock() + seconds
        entry.tries += 1
        return seconds

    def remove(self, scan: str) -> None:
        """Forget a scan that was filed, given back or has gone; its note goes with its claim."""
        self._entries.pop(scan, None)

    def due(self, scan: str) -> float:
        """Return the clock time of a scan's next try; 0.0 when it is not set aside."""
        return self._entries[scan].due if scan in self._entries else 0.0

    @property
    def summary(self) -> str:
        """Return what has waited longest and why; "" when nothing waits."""
        oldest = next(iter(self._entries.values()), None)
        if oldest is None:
            return ""
        more = len(self._entries) - 1
        return f"{oldest.text} (and {more} more)" if more else oldest.text
