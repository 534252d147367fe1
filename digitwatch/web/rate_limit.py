"""Token buckets: how often one address may do something expensive."""

import math
from collections.abc import Callable

KNOWN = 10_000  # addresses remembered; the oldest are forgotten beyond


class Rate:
    """Allows each address `burst` uses at once and `per_second` uses a second in the long run."""

    def __init__(self, burst: int, per_second: float, clock: Callable[[], float]) -> None:
        """Start with full buckets; `clock` returns monotonic seconds."""
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # uses left, and the time of that

    def wait(self, visitor: str) -> int:
        """Return 0 and count one use when it is allowed now, else the seconds to wait."""
        left, now = self._left(visitor)
        self._buckets.pop(visitor, None)
        self._buckets[visitor] = (left - (left >= 1), now)
        if len(self._buckets) > KNOWN:
            del self._buckets[next(iter(self._buckets))]
        return self._seconds(left)

    def peek(self, visitor: str) -> int:
        """Return what `wait` would, and count nothing."""
        return self._seconds(self._left(visitor)[0])

    def _left(self, visitor: str) -> tuple[float, float]:
        now = self._clock()
        left, then = self._buckets.get(visitor, (float(self._burst), now))
        return min(self._burst, left + (now - then) * self._per_second), now

    def _seconds(self, left: float) -> int:
        return 0 if left >= 1 else math.ceil((1 - left) / self._per_second)
