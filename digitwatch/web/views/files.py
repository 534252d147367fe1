"""The files of a known reading, opened without leaving the folders that they must lie in."""

import os
import sqlite3
import stat
from io import FileIO
from pathlib import Path

from digitwatch.spool.filed import NotThereError, find
from digitwatch.web.web_settings import WebSettings


def open_annotated(settings: WebSettings, reading: sqlite3.Row) -> FileIO:
    """Return the annotated image of a reading, open for reading.

    Raises:
        NotThereError: it is gone, or is no regular file in the outbox.
    """
    return _open(settings, reading["annotated"], (settings.places.outbox,))


def open_original(settings: WebSettings, reading: sqlite3.Row) -> FileIO:
    """Return the scan that a reading was made of, open for reading.

    Raises:
        NotThereError: it is gone, or is no regular file in `archive` or `failed`.
    """
    return _open(settings, reading["filed"], (settings.places.archive, settings.places.failed))


def _open(settings: WebSettings, shown: str, folders: tuple[Path, ...]) -> FileIO:
    try:
        path = find(settings.places.base, shown, folders)
        handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        raise NotThereError(shown) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotThereError(shown)
    return FileIO(handle)
