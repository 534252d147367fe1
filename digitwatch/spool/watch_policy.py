"""How the daemon notices files."""

from dataclasses import dataclass


@dataclass(frozen=True)
class WatchPolicy:
    """How the daemon notices files and when it holds back."""

    watch: str
    recursive: bool
    rescan: float
    poll: float
    min_free: int
