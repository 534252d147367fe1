"""A position in a log that survives restarts of the reader and every kind of rotation of the log.

A position is an offset together with the bytes in front of it. The file that a position belongs to is found by these
bytes, whatever its name is now: renamed, copied and truncated (`copytruncate`), or packed (`.gz`).
"""

import contextlib
import gzip
import os
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

from digitwatch.errors import TransientError
from digitwatch.spool.csv_rows import Row, RowParser, columns_of
from digitwatch.spool.durable_io import identity
from digitwatch.spool.log_search import ALL, LONGEST_LINE, siblings

PROOF = 256  # bytes in front of a position; a row of the log with its id and sha256 fits into them

_UNREADABLE = (EOFError, OSError, zlib.error)  # removed, or still being packed


class PositionLostError(TransientError):
    """No file holds the bytes of a position any more: it was removed, or edited."""


class Position(NamedTuple):
    """The end of the last line that was taken: its offset in bytes, and up to PROOF bytes in front of it."""

    offset: int
    proof: bytes


class LineCursor:
    """Reads the complete lines behind a position, through a file and those that it was before."""

    def __init__(self, path: Path, files: Callable[[], Sequence[Path]], position: Position | None = None) -> None:
        """Keep the place; nothing is opened before `read`.

        Args:
            path: the file that is written to.
            files: returns it and its rotated files, newest first, those that exist.
            position: the end of the last line taken, None to begin with the first line of the oldest file.
        """
        self._path = path
        self._files = files
        self.position = position
        self.header = ""  # the first line of the file that the last line came from
        self._stream: BinaryIO | None = None
        self._at = Position(0, b"")  # in the open file

    def read(self, limit: int) -> list[tuple[str, Position]]:
        """Return up to `limit` further lines, each with the position behind it; none where there is nothing new.

        Raises:
            PositionLostError: the position is in none of the files.
            OSError: a file cannot be read.
        """
        if self._stream is None:
            files = self._files()
            if not files:
                return []
            self._open(files[-1 if self.position is None else self._index(files)], self.position)
        taken = self._take(limit)
        while not taken and (newer := self._newer()) is not None:
            taken = self._take(limit)  # what was written between the last look and the rotation
            if not taken:
                self._open(newer, None)
                taken = self._take(limit)
        return taken

    def close(self) -> None:
        """Close the file; the next `read` finds the position again."""
        if self._stream is not None:
            self._stream.close()
        self._stream = None

    def _take(self, limit: int) -> list[tuple[str, Position]]:
        if not self._is_intact():
            return []
        assert self._stream is not None
        taken: list[tuple[str, Position]] = []
        offset, proof = self._at
        _seek(self._stream, offset)
        with contextlib.suppress(EOFError, zlib.error):
            while len(taken) < limit and (line := self._stream.readline()).endswith(b"\n"):
                offset, proof = offset + len(line), (proof + line)[-PROOF:]
                taken.append((line.decode("utf-8", "replace"), Position(offset, proof)))
        if taken:
            self.position = self._at = taken[-1][1]
        return taken

    def _newer(self) -> Path | None:
        """Return the file that follows the open one, None where that is the one still written to."""
        assert self._stream is not None
        if _identity(self._stream) == identity(self._path) and self._is_intact():
            return None
        files = self._files()
        if self.position is None:
            self.close()
            if files:
                self._open(files[-1], None)
            return None
        here = self._index(files)
        self._open(files[here], self.position)  # the open file may have been truncated after it was copied
        return files[here - 1] if here else None

    def _is_intact(self) -> bool:
        """Return whether the open file still has the bytes in front of our position."""
        assert self._stream is not None
        return isinstance(self._stream, gzip.GzipFile) or _holds(self._stream, self._at)

    def _index(self, files: Sequence[Path]) -> int:
        assert self.position is not None
        for number, path in enumerate(files):
            with contextlib.suppress(*_UNREADABLE), _opened(path) as stream:
                if _holds(stream, self.position):
                    return number
        raise PositionLostError(f"{self._path}: the place up to which it was read is gone")

    def _open(self, path: Path, position: Position | None) -> None:
        self.close()
        self._stream = _opened(path)
        self.header = self._stream.readline().decode("utf-8", "replace")
        self._at = position or Position(0, b"")


class LogCursor:
    """Reads the rows of a prediction log behind a position."""

    def __init__(self, path: Path, rotated: Path | None = None, position: Position | None = None) -> None:
        """Keep the place; `rotated` is the folder of rotated logs besides that of the log."""
        self._lines = LineCursor(path, lambda: log_files(path, rotated), position)
        self._parser: tuple[str, RowParser] = ("", RowParser())

    @property
    def position(self) -> Position | None:
        """The position behind the last line that was read."""
        return self._lines.position

    def read(self, limit: int) -> list[tuple[Row, Position]]:
        """Return the rows of up to `limit` further lines, each with the position behind it.

        An empty list means that there are no further lines.

        Raises:
            PositionLostError: the position is in no file.
            OSError: a file cannot be read.
        """
        while lines := self._lines.read(limit):
            parser = self._parser_of(self._lines.header)
            if rows := [(row, position) for line, position in lines for row in parser.rows([line])]:
                return rows
        return []

    def close(self) -> None:
        """Close the file."""
        self._lines.close()

    def _parser_of(self, header: str) -> RowParser:
        if self._parser[0] != header:
            self._parser = (header, RowParser(columns_of(header) or Row._fields))
        return self._parser[1]


def log_files(path: Path, rotated: Path | None = None) -> list[Path]:
    """Return a log and its rotated files, newest first, each content once: not the pack of one that still exists."""
    found = siblings(path, ALL, rotated)
    return [each for each in found if each.suffix != ".gz" or each.with_suffix("") not in found]


def end_of(files: Sequence[Path]) -> Position | None:
    """Return the position behind the last complete line of the newest file that has one; None where none has."""
    for path in files:
        with contextlib.suppress(*_UNREADABLE), _opened(path) as stream:
            if path.suffix != ".gz":
                stream.seek(max(0, os.fstat(stream.fileno()).st_size - LONGEST_LINE))
            found = None
            while block := stream.read(LONGEST_LINE):
                if (end := block.rfind(b"\n") + 1) > 0:
                    found = Position(stream.tell() - len(block) + end, block[:end][-PROOF:])
            if found is not None:
                return found
    return None


def _opened(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path)) if path.suffix == ".gz" else path.open("rb")


def _identity(stream: BinaryIO) -> tuple[int, int]:
    status = os.fstat(stream.fileno())
    return status.st_dev, status.st_ino


def _holds(stream: BinaryIO, position: Position) -> bool:
    _seek(stream, position.offset - len(position.proof))
    return stream.read(len(position.proof)) == position.proof


def _seek(stream: BinaryIO, offset: int) -> None:
    """Go to an offset, and forget what is buffered: an incomplete line may have been cut off and written anew."""
    if not isinstance(stream, gzip.GzipFile):
        stream.seek(0, os.SEEK_END)
    stream.seek(offset)
