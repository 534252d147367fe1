"""Sink `sqlite`: the table `readings` of an SQLite file, one row for each page or field, corrections in their row."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from digitwatch.sinks.event import Event, Values
from digitwatch.sinks.sink import DeliveryError
from digitwatch.spool import sqlite_table
from digitwatch.spool.correction_log import UNDONE
from digitwatch.spool.typed_rows import COLUMNS, CORRECTED

KEY = ("id", "page", "field")


class SqliteSink:
    """Keeps the table; an event that comes again changes nothing."""

    batch = 500

    def __init__(self, name: str, path: Path) -> None:
        """Keep the path; the file is opened with the first event."""
        self.name = name
        self._path = path
        self._database: sqlite3.Connection | None = None

    def deliver(self, events: Sequence[Event]) -> None:
        """Write all events in one transaction.

        Raises:
            DeliveryError: the file cannot be written, or another program has locked it.
        """
        try:
            if self._database is None:
                self._database = self._open()
            with self._database:
                for event in events:
                    if event.kind == "reading":
                        sqlite_table.upsert(self._database, event.values, KEY)
                    else:
                        _correct(self._database, event.values)
        except sqlite3.Error as error:
            self.close()
            raise DeliveryError(f"{self._path}: {error}") from error

    def close(self) -> None:
        """Close the file."""
        if self._database is not None:
            self._database.close()
        self._database = None

    def _open(self) -> sqlite3.Connection:
        database = sqlite3.connect(self._path, timeout=5)
        database.execute("PRAGMA journal_mode = WAL")  # readers are not kept waiting
        with database:
            sqlite_table.create(database, (*COLUMNS, *CORRECTED), KEY)
        return database


def _correct(database: sqlite3.Connection, values: Values) -> None:
    is_undone = values["now"] == UNDONE
    said = (None, None, None) if is_undone else (values["now"], values["who"], values["time"])
    where = " AND ".join(f"{name} = ?" for name in KEY)
    query = f"UPDATE readings SET corrected = ?, corrected_by = ?, corrected_at = ? WHERE {where}"
    database.execute(query, (*said, *(values[name] for name in KEY)))
