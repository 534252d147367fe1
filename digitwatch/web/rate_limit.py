"""How often a visitor may do something that costs: a bucket for each address, filled at a steady rate."""

import math
from collections.abc import Callable

KNOWN = 10_000  # addresses remembered; the oldest are forgotten beyond


class Rate:
    """Allows `burst` times at once and `per_second` times a second over a longer time, to each visitor."""

    def __init__(self, burst: int, per_second: float, clock: Callable[[], float]) -> None:
        """Begin with full buckets; `clock` gives monotonic seconds."""
        self._burst = burst
        self._per_second = per_second
        self._clock = clock
        self._buckets: dict[str, tuple[float, float]] = {}  # what is left, and when that was so

    def wait(self, visitor: str) -> int:
        """Give 0 and count it where the visitor may do it now, else the seconds to wait."""
        now = self._clock()
        left, then = self._buckets.pop(visitor, (float(self._burst), now))
        left = min(self._burst, left + (now - then) * self._per_second)
        allowed = left >= 1
        self._buckets[visitor] = (left - allowed, now)
        if len(self._buckets) > KNOWN:
            del self._buckets[next(iter(self._buckets))]
        return 0 if allowed else math.ceil((1 - left) / self._per_second)
