"""Files of a scan by the paths in the log: resolved, and confined to the configured folders."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from digitwatch.errors import InputError


class NotThereError(InputError):
    """The file of a reading is not where the log says."""


def find(base: Path, shown: str, folders: tuple[Path, ...]) -> Path:
    """Return the file at a path of the log, relative to `base`, if its real path lies below one of the folders.

    Raises:
        NotThereError: the file does not exist, or it lies outside the folders.
    """
    for text in _decodings(shown):
        path = Path(os.path.normpath(base / text))
        real = Path(os.path.realpath(path.parent)) / path.name
        if any(real.is_relative_to(os.path.realpath(folder)) for folder in folders) and real.is_file():
            return real
    raise NotThereError(shown)


def _decodings(shown: str) -> Iterator[str]:
    r"""Yield the paths that a text of the log may mean: itself, and with \xNN decoded to bytes."""
    if shown:
        yield shown
    if "\\x" in shown:
        raw = re.sub(rb"\\x([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), os.fsencode(shown))
        if b"\0" not in raw:
            yield os.fsdecode(raw)
