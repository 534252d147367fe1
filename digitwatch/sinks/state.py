"""How far each sink has come, in an SQLite file beside the log: marks, counts, the current error, refused events.

Each commit survives a kill of the process. A power cut may take the last ones back: their events are delivered again.
"""

import contextlib
import sqlite3
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from digitwatch.sinks.event import Event
from digitwatch.sinks.source import Mark
from digitwatch.spool.log_cursor import Position

NAME = ".digitwatch-sinks.sqlite"
KEPT = 10_000  # refused events of a sink that are kept with their content

_SCHEMA = """
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS sinks (name TEXT PRIMARY KEY, delivered INTEGER DEFAULT 0, refused INTEGER DEFAULT 0,
    newest TEXT DEFAULT '', tries INTEGER DEFAULT 0, error TEXT DEFAULT '', since REAL DEFAULT 0);
CREATE TABLE IF NOT EXISTS marks (name TEXT, source TEXT, position INTEGER, proof BLOB, time TEXT,
    PRIMARY KEY (name, source));
CREATE TABLE IF NOT EXISTS refused (name TEXT, key TEXT, reason TEXT, time REAL, body BLOB, PRIMARY KEY (name, key));
"""


@dataclass(frozen=True)
class Progress:
    """What is known of a sink.

    delivered, refused: counts of events. newest: id of the newest scan whose row was delivered. tries: failed ones
    since the last success, `error` the last one's reason, `since` when the first failed (seconds of the epoch).
    """

    delivered: int
    refused: int
    newest: str
    tries: int
    error: str
    since: float
    marks: dict[str, Mark]


class State:
    """The state of all sinks; each thread opens its own."""

    def __init__(self, folder: Path) -> None:
        """Open the file in `folder`, or make it.

        Raises:
            sqlite3.Error: it cannot be used.
        """
        self._database = sqlite3.connect(folder / NAME, isolation_level=None, timeout=30)
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        self._database.close()

    def progress(self, name: str) -> Progress | None:
        """Return what is known of a sink, None for one that never ran."""
        return _progress(self._database, name)

    def begin(self, name: str, marks: Sequence[Mark]) -> None:
        """Note a new sink, and from where it is to deliver."""
        with self._transaction():
            self._database.execute("INSERT OR REPLACE INTO sinks (name) VALUES (?)", (name,))
            for mark in marks:
                self._mark(name, mark)

    def delivered(self, name: str, mark: Mark, number: int, newest: str) -> None:
        """Note that `number` events were delivered, up to a mark."""
        with self._transaction():
            self._mark(name, mark)
            query = "UPDATE sinks SET delivered = delivered + ?, newest = ?, tries = 0, error = '' WHERE name = ?"
            self._database.execute(query, (number, newest, name))

    def refused(self, name: str, mark: Mark, event: Event, reason: str) -> None:
        """Note that the receiver refuses an event for good: it is kept here, and the next ones are delivered."""
        with self._transaction():
            self._mark(name, mark)
            self._database.execute(
                "UPDATE sinks SET refused = refused + 1, tries = 0, error = '' WHERE name = ?", (name,)
            )
            values = (name, event.key, reason, time.time(), event.body)
            self._database.execute("INSERT OR REPLACE INTO refused VALUES (?, ?, ?, ?, ?)", values)
            query = """DELETE FROM refused WHERE name = ? AND rowid NOT IN
                (SELECT rowid FROM refused WHERE name = ? ORDER BY time DESC LIMIT ?)"""
            self._database.execute(query, (name, name, KEPT))

    def failed(self, name: str, reason: str) -> int:
        """Note a failed try; return how many have failed since the last success."""
        with self._transaction():
            query = """UPDATE sinks SET since = CASE tries WHEN 0 THEN ? ELSE since END, tries = tries + 1, error = ?
                WHERE name = ?"""
            self._database.execute(query, (time.time(), reason, name))
        found = self._database.execute("SELECT tries FROM sinks WHERE name = ?", (name,)).fetchone()
        return int(found[0]) if found else 1

    def _mark(self, name: str, mark: Mark) -> None:
        position = mark.position or (None, None)
        values = (name, mark.source, *position, mark.time)
        self._database.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)", values)

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._database.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")


def read_progress(folder: Path, name: str) -> Progress | None:
    """Return what is known of a sink without changing the file; None for one that never ran.

    Raises:
        sqlite3.Error: the file cannot be read.
    """
    if not (folder / NAME).exists():
        return None
    try:
        return _read(folder, name, "mode=ro")
    except sqlite3.OperationalError:  # who may not write beside the file can read it only so
        return _read(folder, name, "mode=ro&immutable=1")


def _read(folder: Path, name: str, how: str) -> Progress | None:
    with contextlib.closing(sqlite3.connect(f"{(folder / NAME).as_uri()}?{how}", uri=True, timeout=5)) as database:
        return _progress(database, name)


def _progress(database: sqlite3.Connection, name: str) -> Progress | None:
    query = "SELECT delivered, refused, newest, tries, error, since FROM sinks WHERE name = ?"
    found = database.execute(query, (name,)).fetchone()
    if found is None:
        return None
    query = "SELECT source, position, proof, time FROM marks WHERE name = ?"
    marks = {
        source: Mark(source, None if offset is None else Position(offset, proof), moment)
        for source, offset, proof, moment in database.execute(query, (name,))
    }
    delivered, refused, newest, tries, error, since = found
    return Progress(delivered, refused, newest, tries, error, since, marks)
