"""Claimed scans that wait to be read: when, and whether alone because a worker died while reading them."""

import heapq
from collections import deque
from collections.abc import Callable

from digitwatch.spool.claims import Claim


class ReadQueue:
    """The scans to be read, in order. A suspect is read while no other scan is: a death then identifies its cause."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start empty; `clock` gives monotonic seconds."""
        self._clock = clock
        self._waiting: list[tuple[float, str]] = []  # heap: not before, id
        self._claims: dict[str, Claim] = {}
        self._suspects: deque[Claim] = deque()
        self._alone = ""

    def later(self, claim: Claim, seconds: float = 0.0) -> None:
        """Add a scan to be read after some seconds."""
        self._claims[claim.id] = claim
        heapq.heappush(self._waiting, (self._clock() + seconds, claim.id))

    def suspect(self, claim: Claim) -> None:
        """Add a scan to be read alone."""
        self.ended(claim.id)
        self._suspects.append(claim)

    def next_due(self) -> float | None:
        """Return the clock time at which `take` may return a scan, or None."""
        if self._suspects:
            return self._clock()
        return self._waiting[0][0] if self._waiting else None

    def take(self, busy: int) -> Claim | None:
        """Return the next scan to be read now, while `busy` others are being read, or None."""
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
        """Return whether no other scan may be read: a suspect is being read or waits for the others to end."""
        return bool(self._alone or self._suspects)

    def is_alone(self, scan: str) -> bool:
        """Return whether this scan is being read alone."""
        return self._alone == scan

    def ended(self, scan: str) -> None:
        """Note that a scan is no longer being read."""
        if self._alone == scan:
            self._alone = ""
