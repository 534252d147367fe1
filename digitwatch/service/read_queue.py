"""Claimed scans that wait to be read: when, and whether alone because a process died over them."""

import heapq
from collections import deque
from collections.abc import Callable

from digitwatch.spool.claims import Claim


class ReadQueue:
    """What is to be read, in turn. A suspect is read while nothing else is, so that a death points at it."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Begin empty; `clock` gives monotonic seconds."""
        self._clock = clock
        self._waiting: list[tuple[float, str]] = []  # heap: not before, id
        self._claims: dict[str, Claim] = {}
        self._suspects: deque[Claim] = deque()
        self._alone = ""

    def later(self, claim: Claim, seconds: float = 0.0) -> None:
        """Let a scan be read, after some seconds."""
        self._claims[claim.id] = claim
        heapq.heappush(self._waiting, (self._clock() + seconds, claim.id))

    def suspect(self, claim: Claim) -> None:
        """Let a scan be read alone."""
        self.ended(claim.id)
        self._suspects.append(claim)

    def next_due(self) -> float | None:
        """Give the clock time at which `take` may give something, or None."""
        if self._suspects:
            return self._clock()
        return self._waiting[0][0] if self._waiting else None

    def take(self, busy: int) -> Claim | None:
        """Give the next scan to be read now, with `busy` others being read, or None."""
        if self._alone or (self._suspects and busy):
            return None
        if self._suspects:
            claim = self._suspects.popleft()
            self._alone = claim.id
            return claim
        if self._waiting and self._waiting[0][0] <= self._clock():
            return self._claims.pop(heapq.heappop(self._waiting)[1])
        return None

    @property
    def wants_quiet(self) -> bool:
        """Tell whether nothing else may be read: a suspect is being read or waits for the others to end."""
        return bool(self._alone or self._suspects)

    def is_alone(self, scan: str) -> bool:
        """Tell whether this scan is the one that is being read alone."""
        return self._alone == scan

    def ended(self, scan: str) -> None:
        """Note that a scan is no longer being read."""
        if self._alone == scan:
            self._alone = ""
