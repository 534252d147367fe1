"""How much room the disks have that are written to."""

import shutil
from collections.abc import Iterable
from itertools import chain
from pathlib import Path


def shortage(folders: Iterable[Path], min_free: int) -> str:
    """Say which folder's disk has fewer than `min_free` bytes left, or "" when all have more.

    Raises:
        OSError: a folder's filesystem does not answer.
    """
    for folder in folders:
        free = shutil.disk_usage(_existing(folder)).free
        if free < min_free:
            return f"{folder} has {free >> 20} MB free, less than min_free ({min_free >> 20} MB)"
    return ""


def _existing(folder: Path) -> Path:
    """Give the folder or its nearest parent that exists; outbox and archive make theirs day by day."""
    return next(path for path in chain([folder], folder.parents) if path.exists())
