"""The files of a known reading, opened without ever leaving the folders that they must lie in."""

import os
import sqlite3
import stat
from pathlib import Path

from digitwatch.spool.filed import NotThereError, find
from digitwatch.web.web_settings import WebSettings

LARGEST = 200 << 20  # bytes that are read into memory


def picture(site: WebSettings, reading: sqlite3.Row) -> bytes:
    """Give the annotated picture of a reading.

    Raises:
        NotThereError: it is gone, or is no plain file in the outbox.
    """
    return _content(site, reading["annotated"], (site.places.outbox,))


def original(site: WebSettings, reading: sqlite3.Row) -> bytes:
    """Give the bytes of the scan that a reading was made of.

    Raises:
        NotThereError: it is gone, or is no plain file in the archive or among the failed ones.
    """
    return _content(site, reading["filed"], (site.places.archive, site.places.failed))


def _content(site: WebSettings, shown: str, folders: tuple[Path, ...]) -> bytes:
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
