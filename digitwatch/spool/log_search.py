"""Rows of a few scans, looked up at the end of the log and of what rotation made of it."""

import contextlib
import gzip
import os
import zlib
from collections.abc import Iterator
from pathlib import Path

from digitwatch.spool.csv_rows import Row, parse

SEARCHED = 64 << 20
"""How far back, in bytes, a recorded scan is looked for. A scan that is recorded but not yet filed is one
of the few in flight, and nothing new is taken while filing fails: its rows are among the very last."""

LONGEST_LINE = 1 << 20  # bytes; the row of a page of thousands of digits is far shorter
NEWEST = 3  # rotated files that are searched


def siblings(path: Path, newest: int = NEWEST) -> list[Path]:
    """Give the log and what rotation made of it (the `newest` files), newest first.

    That is `predictions.csv.1`, `predictions.csv-20261122.gz`, `predictions-20261122.csv`, also in folders
    beside the log (logrotate's `olddir`); a scan called `predictions-1.jpg` in one of them is none.
    """
    rotated = []
    for pattern in (f"{_escaped(path.stem)}*", f"*/{_escaped(path.stem)}*"):
        for found in path.parent.glob(pattern):
            rest = found.name.removeprefix(path.stem)
            if found != path and rest[:1] in (".", "-", "_") and path.suffix in rest and found.is_file():
                rotated.append(found)
    return ([path] if path.exists() else []) + sorted(rotated, key=_age)[:newest]


def rows_near_end(path: Path, wanted: set[str]) -> Iterator[Row]:
    """Yield the whole rows of the wanted ids in the last SEARCHED bytes of a log, plain or packed, synced.

    Raises:
        FileNotFoundError: the file was renamed meanwhile.
    """
    needles = [f",{scan},".encode() for scan in wanted]
    for line in _last_lines(path):
        if any(needle in line for needle in needles):
            yield from (row for row in parse([line.decode("utf-8", "replace")]) if row.id in wanted)


def scans_of_day(path: Path, day: str) -> dict[str, int]:
    """Count the scans that were read and that failed on a day (`2026-11-22`), as far back as rows are looked for."""
    scans: dict[str, set[str]] = {"read": set(), "failed": set()}
    start = day.encode()
    with contextlib.suppress(OSError):  # a count is a courtesy
        for line in _last_lines(path):
            if line.startswith(start):
                for row in parse([line.decode("utf-8", "replace")]):
                    scans["failed" if row.status == "failed" else "read"].add(row.id)
    return {kind: len(ids) for kind, ids in scans.items()}


def _last_lines(path: Path) -> Iterator[bytes]:
    if path.suffix == ".gz":  # a pack can only be read from its beginning, line by line
        try:
            with gzip.open(path) as packed:
                yield from iter(lambda: packed.readline(LONGEST_LINE), b"")
        except (EOFError, OSError, zlib.error):
            return  # still being packed: the plain file lies beside it
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
