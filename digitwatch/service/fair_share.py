"""Which profile's scan is read next: the one whose scans have had the least time of the workers."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping


class FairShare:
    """Shares the workers between profiles by the seconds that their scans took, not by their number.

    A profile that had nothing to read saves up nothing: it begins level with the one that has had the least of those
    that have scans at the workers.
    """

    def __init__(self, spent: Mapping[str, float]) -> None:
        """Take the seconds that workers have read for each profile; they are looked up with every question."""
        self._spent = spent
        self._lift: defaultdict[str, float] = defaultdict(float)  # seconds added to those of a profile that was idle
        self._reading: Counter[str] = Counter()  # scans at the workers
        self._done: Counter[str] = Counter()
        self._idle: set[str] = set()

    def next(self, profiles: Iterable[str]) -> str:
        """Return which of some profiles is to have the next place; there is at least one."""
        return min(profiles, key=lambda name: (self._used(name), self._reading[name]))

    def has_none(self, profile: str) -> None:
        """Note that a profile has nothing to read now."""
        self._idle.add(profile)

    def began(self, profile: str) -> None:
        """Note that a scan was sent to a worker."""
        others = [name for name, number in self._reading.items() if number and name != profile]
        if profile in self._idle and others:
            self._lift[profile] += max(0.0, min(map(self._used, others)) - self._used(profile))
        self._idle.discard(profile)
        self._reading[profile] += 1

    def ended(self, profile: str) -> None:
        """Note that a scan came back, read or not."""
        self._reading[profile] -= 1
        self._done[profile] += 1

    def _used(self, profile: str) -> float:
        """Return the seconds of a profile, those expected for its scans at the workers included."""
        mean = self._spent[profile] / self._done[profile] if self._done[profile] else 0.0
        return self._spent[profile] + self._lift[profile] + self._reading[profile] * mean
