"""The CSV log: append, repair, rotation and the look for what is already recorded."""

import csv
import errno
import fcntl
import gzip
import io
import logging
import os
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from digitwatch.spool.durable import sync_folder, write_durably

log = logging.getLogger(__name__)

BLOCK = 1 << 20
SEARCHED = 64 << 20
"""How far back, in bytes, a recorded scan is looked for. A scan that is recorded but not yet filed is one
of the few in flight, and nothing new is taken while filing fails: its rows are among the very last."""


class Row(NamedTuple):
    """One line of the log; every field is text, ready for `csv`. Columns are only ever added at the end."""

    time: str
    file: str
    page: str
    prediction: str
    confidence: str
    status: str
    reason: str
    digits: str
    id: str
    sha256: str
    annotated: str
    filed: str
    model: str
    elapsed_ms: str


HEADER = ",".join(Row._fields) + "\n"


def printable(text: str) -> str:
    r"""Write what must not stand raw in a log line as \xNN, byte by byte.

    That is: control characters, line and paragraph separators, characters that turn the writing
    direction around (they could make one name look like another), and bytes that are not UTF-8.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    turns_direction = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    if turns_direction or unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs"):
        return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
    return character


def shown_name(name: str) -> str:
    """Give a file name as the log shows it: printable, and never a formula to a spreadsheet."""
    return ("./" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else "") + printable(name)


def encode(rows: Iterable[Row]) -> bytes:
    """Give the rows as CSV lines (RFC 4180 quoting, LF, UTF-8)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


class PredictionLog:
    """The CSV file at `path`, opened for appending and reopened when somebody rotates or removes it."""

    def __init__(self, path: Path) -> None:
        """Remember where the log lies; the file is opened by the first append."""
        self.path = path
        self._file: int | None = None
        self._cut_to: int | None = None  # where the file must be cut back to after a failed append

    def append(self, rows: Sequence[Row]) -> None:
        """Add rows in one write and sync them: the commit point of their scans.

        Either all rows are in the file and on disk when this returns, or none are in it.

        Raises:
            OSError: the disk is full, gone or read-only; nothing was recorded and it may be tried again.
        """
        file = self._current()
        fcntl.flock(file, fcntl.LOCK_EX)  # another digitwatch may share the log
        try:
            self._undo_failed_append(file)
            start = os.fstat(file).st_size
            data = (HEADER.encode() if start == 0 else b"") + encode(rows)
            several = len({row.id for row in rows}) < len(rows)
            if several:
                self._intend(file, start, start + len(data))
            self._cut_to = start
            written = os.write(file, data)
            if written < len(data):  # a nearly full disk takes a part without an error
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self.path))
            os.fdatasync(file)
            self._cut_to = None
            if several:
                self._intent.unlink(missing_ok=True)
        except OSError:
            self._try_undo(file)
            raise
        finally:
            fcntl.flock(file, fcntl.LOCK_UN)

    def reopen(self) -> None:
        """Close the file; the next append opens whatever lies at the path then."""
        if self._file is not None:
            os.close(self._file)
        self._file = None
        self._cut_to = None

    def repair(self) -> int:
        """Cut off what a write left that was cut short, by SIGKILL or a power cut; give the bytes cut."""
        cut = self._undo_intent()
        try:
            file = os.open(self.path, os.O_RDWR)
        except FileNotFoundError:
            return cut
        try:
            size = os.fstat(file).st_size
            sound = _sound_length(file, size)
            if sound < size:
                os.ftruncate(file, sound)
                os.fsync(file)
            return cut + size - sound
        finally:
            os.close(file)

    def find(self, scans: Iterable[str]) -> dict[str, list[Row]]:
        """Look the ids up near the end of the log and its rotated siblings; give the rows found by id."""
        wanted = set(scans)
        found: dict[str, list[Row]] = {}
        for path in self._siblings():
            if not wanted - found.keys():
                break
            for row in _rows_near_end(path, wanted):
                found.setdefault(row.id, []).append(row)
        return found

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
        """Cut the log (or what rotation made of it) back when an intended write did not arrive whole."""
        try:
            inode, start, end = map(int, self._intent.read_text().split())
        except (FileNotFoundError, ValueError):  # none, or itself cut short: then nothing was written
            return 0
        cut = 0
        for path in self._siblings():
            size = path.stat().st_size
            if path.stat().st_ino == inode and start < size < end:
                os.truncate(path, start)
                cut = size - start
        self._intent.unlink()
        return cut

    def _siblings(self) -> list[Path]:
        """Give the log and what rotation made of it, newest first (predictions.csv.1, -20261122, .gz)."""
        rotated = (p for p in self.path.parent.glob(f"{self.path.name}?*") if p.is_file())
        newest = sorted(rotated, key=lambda p: p.stat().st_mtime, reverse=True)[:3]
        return ([self.path] if self.path.exists() else []) + newest

    def _current(self) -> int:
        """Give the open file, opened anew when the path no longer leads to it."""
        if self._file is not None and _same_file(self._file, self.path):
            return self._file
        self.reopen()
        _set_aside_foreign(self.path)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        self._file = os.open(self.path, flags, 0o664)
        sync_folder(self.path.parent)
        return self._file

    def _undo_failed_append(self, file: int) -> None:
        if self._cut_to is not None and os.fstat(file).st_size > self._cut_to:
            os.ftruncate(file, self._cut_to)

    def _try_undo(self, file: int) -> None:
        try:
            self._undo_failed_append(file)
        except OSError as error:  # said here, mended before the next append
            log.warning("%s: could not cut back an incomplete line: %s", self.path, error.strerror)


def _same_file(file: int, path: Path) -> bool:
    try:
        there = os.stat(path)
    except FileNotFoundError:
        return False
    here = os.fstat(file)
    return (here.st_dev, here.st_ino) == (there.st_dev, there.st_ino)


def _sound_length(file: int, size: int) -> int:
    """Give the length up to the end of the last whole line; zeros in the tail are no line."""
    start = max(0, size - BLOCK)
    tail = os.pread(file, size - start, start)
    zero = tail.find(b"\0")
    return start + tail.rfind(b"\n", 0, zero if zero >= 0 else len(tail)) + 1


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


def _tail(path: Path, length: int) -> bytes:
    with path.open("rb") as file:
        file.seek(-length, os.SEEK_END)
        return file.read()


def _rows_near_end(path: Path, wanted: set[str]) -> Iterator[Row]:
    """Yield the whole rows of the wanted ids in the last SEARCHED bytes of a log, plain or gzipped."""
    if path.suffix == ".gz":
        with gzip.open(path) as packed:
            data = packed.read()[-SEARCHED:]
    else:
        data = _tail(path, min(SEARCHED, path.stat().st_size))
    needles = [f",{scan}," for scan in wanted]
    lines = (line for line in data.decode("utf-8", "replace").split("\n") if any(n in line for n in needles))
    for fields in csv.reader(lines):
        if len(fields) >= len(Row._fields) and fields[Row._fields.index("id")] in wanted:
            yield Row(*fields[: len(Row._fields)])
