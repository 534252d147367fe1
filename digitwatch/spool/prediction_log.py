"""The CSV log: append, repair, and search for recorded scans, across rotations."""

import contextlib
import errno
import fcntl
import logging
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from digitwatch.spool.csv_rows import HEADER, Row, columns_of, encode, is_whole
from digitwatch.spool.durable_io import identity, sync_folder, write_durably
from digitwatch.spool.log_search import rows_near_end, siblings
from digitwatch.spool.recent_scans import RecentScans

log = logging.getLogger(__name__)

BLOCK = 1 << 20
LONGEST_HEADER = 1 << 12  # bytes


class PredictionLog:
    """The CSV file at `path`, opened for appending and reopened when it was rotated or removed."""

    def __init__(self, path: Path, rotated: Path | None = None) -> None:
        """Store the path, and the folder of rotated logs if that is another; nothing is opened yet."""
        self.path = path
        self._rotated = rotated
        self._file: int | None = None
        self._torn: tuple[int, int] | None = None  # what a failed append left in the file: from, to
        self._recent = RecentScans(path, rotated)

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows in one write and sync them: the commit point of their scans.

        Either all rows are in the file and on disk when this returns, or none are in it.

        Raises:
            OSError: the disk is full, gone or read-only; nothing was recorded and it may be tried again.
        """
        file = self._current()
        fcntl.flock(file, fcntl.LOCK_EX)  # another digitwatch may share the log
        try:
            self._cut_torn(file)
            self._undo_intent()  # of a write that failed or died: kept any longer, it would apply to later rows
            while not self._append(file, rows):
                os.ftruncate(file, 0)
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)
        self._recent.add(rows)

    def duplicate_of(self, sha256: str, scan: str) -> str:
        """Return the id of an earlier, archived scan with the same bytes; "" where there is none but `scan` itself."""
        return self._recent.first(sha256, scan)

    def reopen(self) -> None:
        """Close the file; the next append opens the file that is at the path then."""
        if self._file is not None:
            os.close(self._file)
        self._file = None
        self._torn = None

    def repair(self) -> int:
        """Cut off an incomplete write, after SIGKILL or a power cut; return the number of bytes cut off.

        A file without the header of a log is not changed.
        """
        try:
            file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return self._undo_intent()
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            cut = self._undo_intent()
            size = os.fstat(file).st_size
            sound = _sound_length(file, size)
            if sound < size:
                os.ftruncate(file, sound)
            elif size and os.pread(file, 1, size - 1) != b"\n":
                os.pwrite(file, b"\n", size)
            os.fsync(file)  # SIGKILL may have come between write and sync: what is found now must be durable
            return cut + max(0, size - sound)
        finally:
            os.close(file)

    def find(self, scans: Iterable[str]) -> dict[str, list[Row]]:
        """Search for ids near the end of the log and its rotated siblings; return the rows found by id.

        What is found is durable when this returns.
        """
        wanted = set(scans)
        found: dict[str, list[Row]] = {}
        for path in siblings(self.path, rotated=self._rotated):
            if not wanted - found.keys():
                break
            with contextlib.suppress(FileNotFoundError):  # just rotated: it has another name now
                for row in rows_near_end(path, wanted - found.keys()):
                    found.setdefault(row.id, []).append(row)
        return found

    def _append(self, file: int, rows: Sequence[Row]) -> bool:
        """Add rows to the locked file; return whether they stand below a header.

        They do not where the file was cut to nothing just before they were written, as logrotate's `copytruncate` does.
        """
        start = os.fstat(file).st_size
        data = _lead(file, start) + encode(rows)
        several = len({row.id for row in rows}) < len(rows)
        if several:
            self._intend(file, start, start + len(data))
        self._write(file, start, data)
        if several:
            with contextlib.suppress(OSError):  # the rows are on disk; a left-over note does no harm
                self._intent.unlink()
        return start == 0 or os.fstat(file).st_size != len(data)

    def _write(self, file: int, start: int, data: bytes) -> None:
        written = 0
        try:
            written = os.write(file, data)
            if written < len(data):  # a nearly full disk accepts a part without an error
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            _sync(file)
        except OSError:
            self._torn = (start, start + written)
            try:
                self._cut_torn(file)
            except OSError as error:  # logged here, repaired before the next append
                log.warning("%s: could not cut back an incomplete line: %s", self.path, error.strerror)
            raise

    def _cut_torn(self, file: int) -> None:
        """Cut off the bytes of a failed append, unless another program has written behind them."""
        if self._torn is None:
            return
        start, end = self._torn
        if os.fstat(file).st_size == end:
            os.ftruncate(file, start)
        self._torn = None

    @property
    def _intent(self) -> Path:
        return self.path.with_name(f".{self.path.name}.intent")

    def _intend(self, file: int, start: int, end: int) -> None:
        """Note where the rows of a scan of several pages will stand.

        A single line is whole or visibly torn; of several lines a cut-short write could leave whole
        ones that look like a complete set.
        """
        write_durably(self._intent, f"{os.fstat(file).st_ino} {start} {end}".encode())
        sync_folder(self.path.parent)

    def _undo_intent(self) -> int:
        """Truncate the log (or its rotated file) when an intended write is incomplete."""
        try:
            inode, start, end = map(int, self._intent.read_text().split())
        except (FileNotFoundError, ValueError):  # none, or itself cut short: then nothing was written
            return 0
        cut = 0
        for path in siblings(self.path, rotated=self._rotated):
            status = path.stat()
            if status.st_ino == inode and start < status.st_size and not _is_written(path, start, end):
                with path.open("rb+") as file:
                    file.truncate(start)
                    os.fsync(file.fileno())
                cut = status.st_size - start
        self._intent.unlink()
        return cut

    def _current(self) -> int:
        """Return the open file, reopened when the path leads to another file or its header has changed."""
        if self._file is not None:
            status = os.fstat(self._file)
            if (status.st_dev, status.st_ino) == identity(self.path) and _has_our_head(self._file):
                return self._file
        self.reopen()
        _set_aside_foreign(self.path)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self.path, flags, 0o664)
        sync_folder(self.path.parent)
        return self._file


_sync = getattr(os, "fdatasync", os.fsync)  # macOS has only the stronger call


def _lead(file: int, size: int) -> bytes:
    """Return what to write before the next row: the header, or a line end that an editor left out."""
    if size == 0:
        return HEADER.encode()
    return b"" if os.pread(file, 1, size - 1) == b"\n" else b"\n"


def _has_our_head(file: int) -> bool:
    head = os.pread(file, len(HEADER), 0)
    return head in (b"", HEADER.encode())


def _sound_length(file: int, size: int) -> int:
    """Return the length up to the end of the last whole line; zeros in the tail are no line.

    A last line that lacks only its line end is whole. Only a file with our header, of any version, is checked.
    """
    head = os.pread(file, LONGEST_HEADER, 0)
    columns = columns_of(head.partition(b"\n")[0].decode("utf-8", "replace"))
    if columns is None or b"\n" not in head:
        return 0 if HEADER.encode().startswith(head) else size
    start = max(0, size - BLOCK)
    tail = os.pread(file, size - start, start)
    zero = tail.find(b"\0")
    last = tail.rfind(b"\n", 0, zero if zero >= 0 else len(tail)) + 1
    if not last and start:  # our lines are never longer than a block
        return size
    return size if zero < 0 and is_whole(tail[last:], columns) else start + last


def _is_written(path: Path, start: int, end: int) -> bool:
    """Return whether all of an intended write is there; a power cut may have left zeros in its place."""
    with path.open("rb") as file:
        file.seek(start)
        data = file.read(end - start)
    return len(data) == end - start and b"\0" not in data


def _set_aside_foreign(path: Path) -> None:
    """Rename a log whose first line is not today's header, so that no file ever holds two layouts."""
    try:
        with path.open("rb") as file:
            first = file.readline(len(HEADER) + 2)
    except FileNotFoundError:
        return
    if first in (b"", HEADER.encode()):
        return
    number = 1
    while (aside := path.with_name(f"{path.name}.old-{number}")).exists():
        number += 1
    log.warning("%s has another header than this version writes: kept as %s", path, aside.name)
    path.rename(aside)
