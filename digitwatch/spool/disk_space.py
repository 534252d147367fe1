"""Free space on the disks that are written to."""

import shutil
from collections.abc import Callable, Iterable
from itertools import chain
from pathlib import Path

SECONDS = 1.0  # for which a sufficient measurement is cached


def shortage(folders: Iterable[Path], min_free: int) -> str:
    """Return which folder's disk has fewer than `min_free` bytes free; "" when none has.

    Raises:
        OSError: a folder's filesystem does not answer.
    """
    for folder in folders:
        free = shutil.disk_usage(nearest(folder)).free
        if free < min_free:
            return f"{folder} has {free // 10**6} MB free, less than min_free ({min_free // 10**6} MB)"
    return ""


class FreeSpace:
    """The free space of the disks that are written to, cached for SECONDS."""

    def __init__(self, folders: Iterable[Path], min_free: int, clock: Callable[[], float]) -> None:
        """Set the folders to measure; `clock` returns monotonic seconds."""
        self._folders = tuple(folders)
        self._min_free = min_free
        self._clock = clock
        self._enough_until = float("-inf")

    def shortage(self) -> str:
        """Return which disk is short of space; "" when none is.

        Raises:
            OSError: a disk does not answer.
        """
        if self._clock() < self._enough_until:
            return ""
        reason = shortage(self._folders, self._min_free)
        if not reason:
            self._enough_until = self._clock() + SECONDS
        return reason


def nearest(folder: Path) -> Path:
    """Return the folder or its nearest parent that exists; outbox and archive get a new folder each day."""
    return next(path for path in chain([folder], folder.parents) if path.exists())
