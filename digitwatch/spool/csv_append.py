"""Appends a line to a small CSV file in which the actions of people are kept: corrections and deletions."""

import contextlib
import csv
import errno
import fcntl
import io
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from digitwatch.spool.durable_io import sync_folder


def append(path: Path, header: str, line: Callable[[int], bytes]) -> None:
    """Add a line in one write and sync it; a last line without its end gets one first.

    Args:
        path: the file; a new one begins with the header.
        header: with its line end.
        line: returns the line with its end; called with a handle of the locked file.

    Raises:
        OSError: the disk is full, gone or read-only; nothing was added and it may be tried again.
    """
    file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o664)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        start = os.fstat(file).st_size
        data = _lead(file, start, header) + line(file)
        try:
            if os.write(file, data) < len(data):  # a nearly full disk takes a part without an error
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            os.fdatasync(file)
        except OSError:
            with contextlib.suppress(OSError):  # the remainder is then skipped as a torn line
                os.ftruncate(file, start)
            raise
        if not start:
            sync_folder(path.parent)
    finally:
        os.close(file)


def encoded(fields: Sequence[str]) -> str:
    """Return fields as a CSV line without its end (RFC 4180 quoting)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="").writerow(fields)
    return text.getvalue()


def _lead(file: int, size: int, header: str) -> bytes:
    """Return what to write before the next line: the header, or a missing line end."""
    if size == 0:
        return header.encode()
    return b"" if os.pread(file, 1, size - 1) == b"\n" else b"\n"
