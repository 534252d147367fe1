"""Checks of the log: rows can be appended, the first and last lines are valid, and the clock is not behind."""

import errno
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digitwatch.diagnostics.check_folders import user
from digitwatch.diagnostics.finding import Finding, fail, note, ok
from digitwatch.spool.csv_rows import HEADER, Row, RowParser, columns_of, is_whole
from digitwatch.system.os_errors import describe

TAIL = 1 << 16  # bytes at the end in which the newest row is searched
AHEAD = timedelta(minutes=1)  # tolerated difference of the clock


def prediction_log(predictions: Path, now: datetime | None = None) -> Iterator[Finding]:
    """Check the log without changing it."""
    try:
        status = predictions.stat()
    except FileNotFoundError:
        yield ok(f"log: {predictions} will be created with the first reading")
        return
    except OSError as error:
        yield fail(f"log: {describe(error)}")
        return
    if not stat.S_ISREG(status.st_mode):
        yield fail(f"log: {predictions} is not a regular file; move it away or set another path in config.yaml")
        return
    try:
        os.close(os.open(predictions, os.O_RDWR | os.O_APPEND))
        head, tail = _ends(predictions, status.st_size)
    except OSError as error:
        yield fail(f"log: no row can be appended to {predictions}: {_help(predictions, error)}")
        return
    yield from _first_and_last_line(predictions, head, tail)
    yield from _clock(tail, columns_of(head.decode("utf-8", "replace")) or Row._fields, now or datetime.now(UTC))


def _ends(predictions: Path, size: int) -> tuple[bytes, bytes]:
    with predictions.open("rb") as file:
        head = file.readline(TAIL)
        file.seek(max(0, size - TAIL))
        return head, file.read()


def _help(predictions: Path, error: OSError) -> str:
    match error.errno:
        case errno.EACCES:
            return f"user {user()} may not write it; chown {user()} {predictions}"
        case errno.EPERM:
            return f"it is immutable or append-only; see `lsattr {predictions}`, then: chattr -i -a {predictions}"
        case errno.EROFS:
            return "its disk is read-only; see `dmesg` for the cause, then: mount -o remount,rw MOUNT"
    return error.strerror or str(error)


def _first_and_last_line(predictions: Path, head: bytes, tail: bytes) -> Iterator[Finding]:
    if head and not HEADER.encode().startswith(head):
        old = f"{predictions.name}.old-N"
        yield note(
            f"log: {predictions} has the header of another version; it will be kept as {old} and a new log started"
        )
    elif tail and not tail.endswith(b"\n") and not is_whole(tail.rpartition(b"\n")[2], Row._fields):
        yield note(f"log: {predictions} ends in the middle of a line, which the next start removes")
    else:
        yield ok(f"log: {predictions} is valid, and rows can be appended")


def _clock(tail: bytes, columns: tuple[str, ...], now: datetime) -> Iterator[Finding]:
    """Compare the newest row with the clock: the times of rows must not decrease."""
    lines = tail.decode("utf-8", "replace").splitlines()
    for line in reversed(lines):
        for row in RowParser(columns).rows([line]):
            try:
                newest = datetime.fromisoformat(row.time)
            except ValueError:
                continue
            if newest.tzinfo is not None and newest > now + AHEAD:
                yield fail(
                    f"clock: it is {now:%Y-%m-%d %H:%M} UTC, but the newest row is of {newest:%Y-%m-%d %H:%M}; "
                    "set it: timedatectl set-ntp true"
                )
            return
