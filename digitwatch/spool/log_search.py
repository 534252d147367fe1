"""Search for the rows of a few scans at the end of the log and of its rotated files."""

import contextlib
import gzip
import os
import stat
import zlib
from collections.abc import Iterator
from pathlib import Path

from digitwatch.log_codes import Status
from digitwatch.spool.csv_rows import Row, RowParser, columns_of
from digitwatch.spool.durable_io import identity

SEARCHED = 64 << 20
"""Bytes from the end that are searched for a recorded scan. A scan that is recorded but not yet filed is one
of the few in flight, and nothing new is taken while filing fails: its rows are among the very last."""

LONGEST_LINE = 1 << 20  # bytes; the row of a page of thousands of digits is far shorter
NEWEST = 3  # rotated files that are searched
ALL = 1_000_000  # rotated files: all of them


def siblings(path: Path, newest: int = NEWEST, rotated: Path | None = None) -> list[Path]:
    """Return the log and its rotated files (the `newest` ones), newest first.

    That is `predictions.csv.1`, `predictions.csv-20261122.gz`, `predictions-20261122.csv` or `predictions.csv.old-1`:
    regular files beside the log, and in the folder `rotated` (logrotate's `olddir`), that begin with the header of a
    log and belong to the log's owner or to us.
    """
    owners = {os.geteuid()}
    with contextlib.suppress(OSError):
        owners.add(path.stat().st_uid)
    found = []
    for folder in (path.parent, rotated):
        for other in folder.glob(f"{_escaped(path.stem)}*") if folder is not None else ():
            rest = other.name.removeprefix(path.stem)
            if other != path and rest[:1] in (".", "-", "_") and path.suffix in rest and _is_log(other, owners):
                found.append(other)
    return ([path] if path.exists() else []) + sorted(found, key=_age)[:newest]


def all_rows(
    path: Path, newest: int = ALL, *, besides: tuple[int, int] | None = None, rotated: Path | None = None
) -> Iterator[tuple[Row, dict[str, str]]]:
    """Yield the rows of the log and of its `newest` rotated files, oldest first.

    With each row come the values of the columns that only a later version knows. The file with device and inode
    `besides` is left out.
    """
    found = siblings(path, newest, rotated)
    for each in reversed(found):
        is_packing = each.suffix == ".gz" and each.with_suffix("") in found
        if not is_packing and (besides is None or identity(each) != besides):
            yield from RowParser().rows_and_further(_lines_of(each))


def further_columns(path: Path, rotated: Path | None = None) -> tuple[str, ...]:
    """Return the columns of the log and its rotated files that only a later version knows, in their order."""
    columns = [name for each in reversed(siblings(path, ALL, rotated)) for name in _columns(each) or ()]
    return tuple(dict.fromkeys(name for name in columns if name not in Row._fields))


def rows_near_end(path: Path, wanted: set[str]) -> Iterator[Row]:
    """Yield the whole rows of the wanted ids in the last SEARCHED bytes of a log, plain or compressed, synced.

    Raises:
        FileNotFoundError: the file was renamed meanwhile.
    """
    needles = [f",{scan},".encode() for scan in wanted]
    parser = RowParser(_columns(path) or Row._fields)
    for line in _last_lines(path):
        if any(needle in line for needle in needles):
            yield from (row for row in parser.rows([line.decode("utf-8", "replace")]) if row.id in wanted)


def scans_of_day(path: Path, day: str) -> dict[str, int]:
    """Count the scans that were read and that failed on a day (`2026-11-22`), within the searched bytes."""
    scans: dict[str, set[str]] = {"read": set(), "failed": set()}
    start = day.encode()
    with contextlib.suppress(OSError):  # the count is not essential
        parser = RowParser(_columns(path) or Row._fields)
        for line in _last_lines(path):
            if line.startswith(start):
                for row in parser.rows([line.decode("utf-8", "replace")]):
                    scans["failed" if row.status == Status.FAILED else "read"].add(row.id)
    return {kind: len(ids) for kind, ids in scans.items()}


def _is_log(path: Path, owners: set[int]) -> bool:
    """Return whether a path is a regular file of one of the owners that begins with a header; no link is followed."""
    try:
        status = path.lstat()
        return stat.S_ISREG(status.st_mode) and status.st_uid in owners and _columns(path) is not None
    except OSError:
        return False


def _columns(path: Path) -> tuple[str, ...] | None:
    """Return the columns that the first line of a log names, plain or compressed; None where it has no header."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return columns_of(file.readline(LONGEST_LINE).decode("utf-8", "replace"))
    except (EOFError, gzip.BadGzipFile, zlib.error):  # still being compressed
        return None


def _lines_of(path: Path) -> Iterator[str]:
    """Yield the whole lines of a log, plain or compressed; one that vanishes or is still being packed has none."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from (line.decode("utf-8", "replace") for line in file if line.endswith(b"\n"))
    except (FileNotFoundError, EOFError, gzip.BadGzipFile, zlib.error):
        return


def _last_lines(path: Path) -> Iterator[bytes]:
    if path.suffix == ".gz":  # a compressed file can only be read from its beginning, line by line
        try:
            with gzip.open(path) as packed:
                yield from iter(lambda: packed.readline(LONGEST_LINE), b"")
        except (EOFError, OSError, zlib.error):
            return  # still being compressed: the plain file lies beside it
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())
        file.seek(max(0, os.fstat(file.fileno()).st_size - SEARCHED))
        yield from (line for line in iter(lambda: file.readline(LONGEST_LINE), b"") if line.endswith(b"\n"))


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _escaped(text: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)
