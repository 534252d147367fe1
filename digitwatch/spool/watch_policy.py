"""How the daemon notices files."""

from dataclasses import dataclass

from digitwatch.spool.ignored_names import IGNORED, IgnoredNames


@dataclass(frozen=True)
class WatchPolicy:
    """How the daemon notices files and when it waits."""

    watch: str
    recursive: bool
    rescan: float
    poll: float
    min_free: int
    ignored: IgnoredNames = IGNORED
