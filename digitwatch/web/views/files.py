"""The files of a known reading, opened without leaving the folders that they must lie in."""

import sqlite3
from io import FileIO

from digitwatch.spool.filed import open_filed
from digitwatch.web.web_settings import WebSettings


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
