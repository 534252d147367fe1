"""The files of a known reading, opened without leaving the folders that they must lie in."""

import sqlite3
from io import FileIO

from digitwatch.log_codes import Status
from digitwatch.spool.filed import NotThereError, name_below, open_filed
from digitwatch.web.web_settings import WebSettings


def is_in_failed(settings: WebSettings, reading: sqlite3.Row) -> bool:
    """Return whether the original of a reading failed and lies in the folder failed now."""
    if reading["status"] != Status.FAILED:
        return False
    try:
        name_in_failed(settings, reading)
    except NotThereError:
        return False
    return True


def name_in_failed(settings: WebSettings, reading: sqlite3.Row) -> str:
    """Return the path of an original below the folder failed.

    Raises:
        NotThereError: it is not there.
    """
    return name_below(settings.places.base, reading["filed"], settings.places.failed)


def open_annotated(settings: WebSettings, reading: sqlite3.Row) -> FileIO:
    """Return the annotated image of a reading, open for reading.

    Raises:
        NotThereError: it is gone, or is no regular file in the outbox.
    """
    return open_filed(settings.places.base, reading["annotated"], (settings.places.outbox,))


def open_original(settings: WebSettings, reading: sqlite3.Row) -> FileIO:
    """Return the scan that a reading was made of, open for reading.

    Raises:
        NotThereError: it is gone, or is no regular file in `archive` or `failed`.
    """
    return open_filed(settings.places.base, reading["filed"], (settings.places.archive, settings.places.failed))
