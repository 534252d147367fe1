"""The log: whether rows can be added, its first and last lines, and the clock that the rows were written by."""

import errno
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from digitwatch.diagnostics.check_folders import user
from digitwatch.diagnostics.finding import Finding, mend, note, ok
from digitwatch.spool.csv_rows import HEADER, Row, RowParser, columns_of, is_whole
from digitwatch.system.os_errors import describe

TAIL = 1 << 16  # bytes in which the newest row is looked for
AHEAD = timedelta(minutes=1)  # by which a clock may have been set back without a word


def record(predictions: Path, now: datetime | None = None) -> Iterator[Finding]:
    """Look at the log without touching it."""
    try:
        status = predictions.stat()
    except FileNotFoundError:
        yield ok(f"log: {predictions} will be made with the first reading")
        return
    except OSError as error:
        yield mend(f"log: {describe(error)}")
        return
    if not stat.S_ISREG(status.st_mode):
        yield mend(f"log: {predictions} is no plain file; move it away or name another in config.yaml")
        return
    try:
        os.close(os.open(predictions, os.O_RDWR | os.O_APPEND))
        head, tail = _ends(predictions, status.st_size)
    except OSError as error:
        yield mend(f"log: no row can be added to {predictions}: {_help(predictions, error)}")
        return
    yield from _judged(predictions, head, tail)
    yield from _clock(tail, columns_of(head.decode("utf-8", "replace")) or Row._fields, now or datetime.now(UTC))


def _ends(predictions: Path, size: int) -> tuple[bytes, bytes]:
    with predictions.open("rb") as file:
        head = file.readline(TAIL)
        file.seek(max(0, size - TAIL))
        return head, file.read()


def _help(predictions: Path, error: OSError) -> str:
    match error.errno:
        case errno.EACCES:
            return f"no right to write; give it to user {user()}: chown {user()} {predictions}"
        case errno.EPERM:
            return f"it is locked against changes; see `lsattr {predictions}`, then: chattr -i -a {predictions}"
        case errno.EROFS:
            return "its disk is read-only; see `dmesg` for why, then: mount -o remount,rw MOUNT"
    return error.strerror or str(error)


def _judged(predictions: Path, head: bytes, tail: bytes) -> Iterator[Finding]:
    if head and not HEADER.encode().startswith(head):
        old = f"{predictions.name}.old-N"
        yield note(
            f"log: {predictions} has another header than this version writes; it is kept as {old}, a new one begun"
        )
    elif tail and not tail.endswith(b"\n") and not is_whole(tail.rpartition(b"\n")[2], Row._fields):
        yield note(f"log: {predictions} ends in the middle of a line, which the next start cuts off")
    else:
        yield ok(f"log: {predictions} is sound, and rows can be added")


def _clock(tail: bytes, columns: tuple[str, ...], now: datetime) -> Iterator[Finding]:
    """Compare the newest row with the clock: rows must not go back in time."""
    lines = tail.decode("utf-8", "replace").splitlines()
    for line in reversed(lines):
        for row in RowParser(columns).rows([line]):
            try:
                newest = datetime.fromisoformat(row.time)
            except ValueError:
                continue
            if newest.tzinfo is not None and newest > now + AHEAD:
                yield mend(
                    f"clock: it says {now:%Y-%m-%d %H:%M} UTC, but the newest row is of {newest:%Y-%m-%d %H:%M}; "
                    "set it: timedatectl set-ntp true"
                )
            return
