"""Where the log says that a file of a scan lies, found again without leaving the folders."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from digitwatch.errors import InputError


class NotThereError(InputError):
    """The file of a reading is not where the log says."""


def find(base: Path, shown: str, folders: tuple[Path, ...]) -> Path:
    """Return the place that the log shows, counted from `base`, if it really lies below one of the folders.

    Raises:
        NotThereError: there is no file, or it lies elsewhere.
    """
    for text in _readings_of(shown):
        path = Path(os.path.normpath(base / text))
        real = Path(os.path.realpath(path.parent)) / path.name
        if any(real.is_relative_to(os.path.realpath(folder)) for folder in folders) and real.is_file():
            return real
    raise NotThereError(shown)


def _readings_of(shown: str) -> Iterator[str]:
    r"""Yield what a text of the log may stand for: itself, and with \xNN turned back into bytes."""
    if shown:
        yield shown
    if "\\x" in shown:
        raw = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), os.fsencode(shown))
        if b"\0" not in raw:
            yield os.fsdecode(raw)
