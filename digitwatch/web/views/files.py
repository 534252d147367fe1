"""The files of a known reading, opened without ever leaving the folders that they must lie in."""

import os
import re
import sqlite3
import stat
from collections.abc import Iterator
from pathlib import Path

from digitwatch.web.web_settings import Site

LARGEST = 200 << 20  # bytes that are read into memory


class NotThereError(Exception):
    """The file of a reading is not where the log says."""


def picture(site: Site, reading: sqlite3.Row) -> bytes:
    """Give the annotated picture of a reading.

    Raises:
        NotThereError: it is gone, or is no plain file in the outbox.
    """
    return _content(site, reading["annotated"], (site.places.outbox,))


def original(site: Site, reading: sqlite3.Row) -> bytes:
    """Give the bytes of the scan that a reading was made of.

    Raises:
        NotThereError: it is gone, or is no plain file in the archive or among the failed ones.
    """
    return _content(site, reading["filed"], (site.places.archive, site.places.failed))


def _content(site: Site, shown: str, folders: tuple[Path, ...]) -> bytes:
    try:
        handle = os.open(
            find(site.places.base, shown, folders), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        )
    except OSError as error:
        raise NotThereError(shown) from error
    with open(handle, "rb") as file:
        status = os.fstat(handle)
        if not stat.S_ISREG(status.st_mode) or status.st_size > LARGEST:
            raise NotThereError(shown)
        return file.read()


def find(base: Path, shown: str, folders: tuple[Path, ...]) -> Path:
    """Give the place that the log shows, counted from `base`, if it really lies below one of the folders.

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
