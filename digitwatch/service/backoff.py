"""Trouble of the world: when to hold back, for how long, and when to say so."""

import logging
from collections.abc import Callable

log = logging.getLogger(__name__)

BACK_OFF = (1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds until the next try; the last one is repeated until the world is well again."""


SAY_AGAIN = 600.0  # seconds: trouble that comes and goes is said so often at most


class Backoff:
    """Whether the world lets us work. Each reason to pause is said once, not at every try and for every file."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin well; `clock` gives monotonic seconds."""
        self._clock = clock
        self._tries = 0
        self._open: dict[str, str] = {}  # kind of trouble -> its first words, oldest first, since all was well
        self._said: dict[str, float] = {}  # kind of trouble -> when it was said
        self._is_told = False  # whether people know that we pause
        self.reason = ""
        self.resume_at = 0.0

    @property
    def holds(self) -> bool:
        """Tell whether it is too early for the next try."""
        return bool(self.reason) and self._clock() < self.resume_at

    @property
    def trouble(self) -> str:
        """The reason to pause, and with what it began where that was another; "" when all is well."""
        oldest = next(iter(self._open.values()), "")
        return f"{self.reason} (it began with: {oldest})" if len(self._open) > 1 else self.reason

    def pause(self, reason: str) -> None:
        """Hold back for a while, longer each time."""
        kind = reason.rpartition("/")[0] or reason  # the same trouble names one file after the other
        if kind not in self._open and self._clock() - self._said.get(kind, float("-inf")) >= SAY_AGAIN:
            self._said[kind] = self._clock()
            self._is_told = True
            log.error("paused: %s; no scan is lost, work goes on when this is mended", reason)
        self._open.setdefault(kind, reason)
        self.reason = reason
        self.resume_at = self._clock() + BACK_OFF[min(self._tries, len(BACK_OFF) - 1)]
        self._tries += 1

    def well(self) -> None:
        """Note that a try went well."""
        if self.reason and self._is_told:
            log.info("going on; no longer in the way: %s", self.reason)
        self._open.clear()
        self._is_told = False
        self.reason = ""
        self._tries = 0
        self.resume_at = 0.0
        now = self._clock()
        self._said = {kind: said for kind, said in self._said.items() if now - said < SAY_AGAIN}
