"""How the daemon notices files."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WatchPolicy:
    """How the daemon notices files and when it waits."""

    watch: str
    recursive: bool
    rescan: float
    poll: float
    min_free: int
