"""What a batch has recorded, in an SQLite file beside its log, so that a resumed batch reads neither again.

It is made from the log and holds nothing of its own but sizes, times and inodes of the files: it may be removed at any
time, and then each file is read once to compare its digest. Its use of memory does not grow with the number of scans.
"""

import contextlib
import logging
import os
import re
import sqlite3
import time
from pathlib import Path
from typing import NamedTuple

from digitwatch.errors import TransientError
from digitwatch.log_codes import Status
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.log_cursor import LogCursor, Position, PositionLostError

log = logging.getLogger(__name__)

_ID = re.compile("[0-9a-f]{16}")
_STATUSES = {status.value: number for number, status in enumerate(Status)}
_FAILED = _STATUSES[Status.FAILED]

NAME = ".digitwatch-index.sqlite"
VERSION = 1
BLOCK = 10_000  # rows taken from the log at a time
COMMIT_SECONDS = 1.0  # between two commits while scans are recorded
SETTLED_NS = 2_000_000_000  # a file changed later than so long ago may change again without another time of change

_SCHEMA = f"""
CREATE TABLE scans (id INTEGER PRIMARY KEY, name TEXT, size INTEGER, mtime INTEGER, inode INTEGER, sha256 TEXT,
    ok INTEGER, review INTEGER, empty INTEGER, failed INTEGER, reason TEXT,
    time TEXT, model TEXT);
CREATE TABLE log (position INTEGER, proof BLOB);
PRAGMA user_version = {VERSION};
"""
_PRAGMAS = """
PRAGMA locking_mode = EXCLUSIVE;
PRAGMA journal_mode = WAL;
PRAGMA synchronous = NORMAL;
PRAGMA cache_size = -16000;
"""


class Stamp(NamedTuple):
    """Size in bytes, time of the last change in nanoseconds, and inode: a file that keeps all three is unchanged."""

    size: int
    mtime: int
    inode: int


NO_STAMP = (None, None, None)


class Entry(NamedTuple):
    """What is known of a recorded scan.

    stamp: of its file when it was read, None where that is not known. counts: its pages of each Status, in the order of
    these. reason: why it failed, if it did. time, model: of its rows; of several readings, those of the last.
    """

    stamp: Stamp | None
    sha256: str
    counts: tuple[int, ...]
    reason: str
    time: str
    model: str

    @property
    def has_failed(self) -> bool:
        """Return whether the scan could not be read."""
        return self.counts[_FAILED] > 0


class IndexDamagedError(TransientError):
    """The index could not be used and was removed; the next run makes it from the log."""


class BatchIndex:
    """The index in the output folder of a batch; the caller holds the lock of that folder.

    Rows are taken from the log alone: an index that was not written for a while is behind, and never wrong.
    """

    def __init__(self, folder: Path, log_path: Path) -> None:
        """Keep the places; nothing is opened yet."""
        self._path = folder / NAME
        self._log_path = log_path
        self._database: sqlite3.Connection | None = None
        self._cursor = LogCursor(log_path)
        self._stamps: dict[str, Stamp | None] = {}  # of scans that were recorded since the last commit
        self._committed_at = 0.0

    def open(self) -> None:
        """Open the index and take in what the log has beyond it; make it from the log where it cannot be used.

        Raises:
            OSError: the log cannot be read, or the index cannot be written.
        """
        try:
            self._open()
        except (sqlite3.DatabaseError, PositionLostError) as error:
            log.info("%s is made from the log again: %s", self._path.name, error)
            self._remove()
            try:
                self._open()
            except (sqlite3.Error, PositionLostError) as again:
                raise self._damaged(again) from again

    def find(self, scan: str) -> Entry | None:
        """Return what is recorded of a scan, None where nothing is.

        Raises:
            IndexDamagedError: the index cannot be read.
        """
        try:
            return self._find(scan)
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def confirm(self, scan: str, stamp: Stamp | None) -> None:
        """Note that the recorded digest of a scan is that of its file as it is now."""
        try:
            self._set(scan, stamp)
        except sqlite3.Error as error:
            raise self._damaged(error) from error

    def recorded(self, scan: str, stamp: Stamp | None) -> None:
        """Note the file of a scan whose rows were just added to the log; an index that cannot be written is left."""
        self._stamps[scan] = stamp
        if self._database is None or time.monotonic() - self._committed_at < COMMIT_SECONDS:
            return
        try:
            self._catch_up()
        except (sqlite3.Error, OSError, PositionLostError) as error:
            log.warning("%s: %s; the batch goes on without it", self._path.name, error)
            self._abandon()

    def close(self) -> None:
        """Commit and close; may be called at any time."""
        if self._database is not None:
            with contextlib.suppress(sqlite3.Error, OSError, PositionLostError):  # the next run takes it from the log
                self._catch_up()
        self._abandon()

    @property
    def _db(self) -> sqlite3.Connection:
        assert self._database is not None
        return self._database

    def _open(self) -> None:
        self._database = sqlite3.connect(self._path)
        self._db.executescript(_PRAGMAS)
        version = self._db.execute("PRAGMA user_version").fetchone()[0]
        if version not in (0, VERSION):
            raise sqlite3.DatabaseError(f"it is of version {version}")
        if version == 0:
            self._db.executescript(_SCHEMA)
        position = self._db.execute("SELECT position, proof FROM log").fetchone()
        self._cursor = LogCursor(self._log_path, position=Position(*position) if position else None)
        if position and not self._log_path.exists():
            raise PositionLostError("the log was removed")
        self._catch_up()

    def _catch_up(self) -> None:
        """Take in the rows that were added to the log, then the files of their scans."""
        while found := self._cursor.read(BLOCK):
            for row, _ in found:
                self._add(row)
        for scan, stamp in self._stamps.items():
            self._set(scan, stamp)
        self._stamps.clear()
        if self._cursor.position is not None:
            self._db.execute("DELETE FROM log")
            self._db.execute("INSERT INTO log VALUES (?, ?)", self._cursor.position)
        self._db.commit()
        self._committed_at = time.monotonic()

    def _add(self, row: Row) -> None:
        """Take in a row of the log: a further one of its reading, or the first one of the scan read anew."""
        if not _ID.fullmatch(row.id):
            return
        known = self._find(row.id)
        if known is None or known.sha256 != row.sha256 or known.time != row.time:
            stamp = known.stamp if known and known.sha256 == row.sha256 else None
            known = Entry(stamp, row.sha256, (0,) * len(Status), "", row.time, row.model)
        counts = list(known.counts)
        if row.status in _STATUSES:
            counts[_STATUSES[row.status]] += 1
        reason = row.reason if row.status == Status.FAILED else known.reason
        values = (
            _key(row.id),
            row.file,
            *(known.stamp or NO_STAMP),
            row.sha256,
            *counts,
            reason,
            known.time,
            known.model,
        )
        self._db.execute(f"INSERT OR REPLACE INTO scans VALUES ({', '.join('?' * len(values))})", values)

    def _find(self, scan: str) -> Entry | None:
        row = self._db.execute("SELECT * FROM scans WHERE id = ?", (_key(scan),)).fetchone()
        if row is None:
            return None
        _, _, size, mtime, inode, sha256, *counts, reason, time_, model = row
        stamp = None if size is None else Stamp(size, mtime, inode)
        return Entry(stamp, sha256, tuple(counts), reason, time_, model)

    def _set(self, scan: str, stamp: Stamp | None) -> None:
        query = "UPDATE scans SET size = ?, mtime = ?, inode = ? WHERE id = ?"
        self._db.execute(query, (*(stamp or NO_STAMP), _key(scan)))

    def _damaged(self, error: Exception) -> IndexDamagedError:
        self._remove()
        return IndexDamagedError(f"{self._path} could not be used and was removed: {error}")

    def _abandon(self) -> None:
        self._cursor.close()
        if self._database is not None:
            self._database.close()
        self._database = None
        self._stamps.clear()

    def _remove(self) -> None:
        self._abandon()
        for ending in ("", "-wal", "-shm"):
            self._path.with_name(NAME + ending).unlink(missing_ok=True)


def stamp_of(status: os.stat_result) -> Stamp | None:
    """Return the stamp of a file; None for one that was changed so recently that a further change could hide."""
    if abs(time.time_ns() - status.st_mtime_ns) < SETTLED_NS:
        return None
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ino)


def _key(scan: str) -> int:
    """Return the id of a scan of a batch, 64 bits in hexadecimal, as a signed integer of SQLite."""
    return int.from_bytes(bytes.fromhex(scan), signed=True)
