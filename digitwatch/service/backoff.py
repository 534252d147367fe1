"""Back-off after environment errors: when to pause, for how long, and when to log it."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

BACK_OFF = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds until the next try; the last value is repeated until a try succeeds."""

REPEAT_SECONDS = 600.0  # an error that comes and goes is logged once in this time


class Backoff:
    """Whether an environment error pauses the daemon. Each is logged once, not at every try and for every file."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start unpaused; `clock` gives monotonic seconds."""
        self._clock = clock
        self._tries = 0
        self._open: dict[str, str] = {}  # kind of error -> its first message, oldest first, since the last success
        self._logged_at: dict[str, float] = {}  # kind of error -> when it was logged
        self._is_logged = False  # whether the log says that processing is paused
        self.reason = ""
        self.resume_at = 0.0

    @property
    def is_holding(self) -> bool:
        """Return whether it is too early for the next try."""
        return bool(self.reason) and self._clock() < self.resume_at

    @property
    def summary(self) -> str:
        """Return the reason to pause, and the first one where that was another; "" when nothing is wrong."""
        oldest = next(iter(self._open.values()), "")
        return f"{self.reason} (it began with: {oldest})" if len(self._open) > 1 else self.reason

    def pause(self, reason: str) -> None:
        """Pause for a while, longer each time."""
        kind = reason.rpartition("/")[0] or reason  # the same error names one file after the other
        if kind not in self._open and self._clock() - self._logged_at.get(kind, float("-inf")) >= REPEAT_SECONDS:
            self._logged_at[kind] = self._clock()
            self._is_logged = True
            log.error("paused: %s; no scan is lost, processing resumes automatically", reason)
        self._open.setdefault(kind, reason)
        self.reason = reason
        self.resume_at = self._clock() + BACK_OFF[min(self._tries, len(BACK_OFF) - 1)]
        self._tries += 1

    def recovered(self) -> None:
        """Note that a try succeeded."""
        if self.reason and self._is_logged:
            log.info("resumed; the error is over: %s", self.reason)
        self._open.clear()
        self._is_logged = False
        self.reason = ""
        self._tries = 0
        self.resume_at = 0.0
        now = self._clock()
        self._logged_at = {kind: at for kind, at in self._logged_at.items() if now - at < REPEAT_SECONDS}
