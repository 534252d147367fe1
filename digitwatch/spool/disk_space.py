"""How much room the disks have that are written to."""

import shutil
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

SECONDS = 1.0  # how old a look at the free space may be


def shortage(folders: Iterable[Path], min_free: int) -> str:
    """Say which folder's disk has fewer than `min_free` bytes left, or "" when all have more.

    Raises:
        OSError: a folder's filesystem does not answer.
    """
    for folder in folders:
        free = shutil.disk_usage(nearest(folder)).free
        if free < min_free:
            return f"{folder} has {free // 10**6} MB free, less than min_free ({min_free // 10**6} MB)"
    return ""


class Room:
    """The room on the disks that are written to, looked up now and then."""

    def __init__(self, folders: Iterable[Path], min_free: int, clock: Callable[[], float]) -> None:
        """Remember what to look at; `clock` gives monotonic seconds."""
        self._folders = tuple(folders)
        self._min_free = min_free
        self._clock = clock
        self._well_until = float("-inf")

    def shortage(self) -> str:
        """Say what is short, or "": that holds for SECONDS.

        Raises:
            OSError: a disk does not answer.
        """
        if self._clock() < self._well_until:
            return ""
        reason = shortage(self._folders, self._min_free)
        if not reason:
            self._well_until = self._clock() + SECONDS
        return reason


def nearest(folder: Path) -> Path:
    """Return the folder or its nearest parent that exists; outbox and archive make theirs day by day."""
    return next(path for path in chain([folder], folder.parents) if path.exists())
