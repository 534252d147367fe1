"""Rows of a few scans, looked up at the end of the log and of what rotation made of it."""

import bz2
import gzip
import lzma
import os
import zlib
from collections.abc import Callable, Iterator
from io import BufferedIOBase
from pathlib import Path

from digitwatch.spool.rows import Row, parse

SEARCHED = 64 << 20
"""How far back, in bytes, a recorded scan is looked for. A scan that is recorded but not yet filed is one
of the few in flight, and nothing new is taken while filing fails: its rows are among the very last."""

PACKED: dict[str, Callable[[Path], BufferedIOBase]] = {".gz": gzip.GzipFile, ".bz2": bz2.BZ2File, ".xz": lzma.LZMAFile}
NEWEST = 3  # rotated files that are searched


def siblings(path: Path) -> list[Path]:
    """Give the log and what rotation made of it, newest first.

    That is `predictions.csv.1`, `predictions.csv-20261122.gz`, `predictions-20261122.csv`, also in folders
    beside the log (logrotate's `olddir`).
    """
    folder, stem = path.parent, path.stem
    rotated = []
    for pattern in (f"{_escaped(stem)}*", f"*/{_escaped(stem)}*"):
        for found in folder.glob(pattern):
            name = found.name.removeprefix(stem)
            if found != path and name[:1] in (".", "-", "_") and found.is_file():
                rotated.append(found)
    newest = sorted(rotated, key=_age)[:NEWEST]
    return ([path] if path.exists() else []) + newest


def rows_near_end(path: Path, wanted: set[str]) -> Iterator[Row]:
    """Yield the whole rows of the wanted ids in the last SEARCHED bytes of a log, plain or packed, synced.

    Raises:
        FileNotFoundError: the file was renamed meanwhile.
    """
    needles = [f",{scan},".encode() for scan in wanted]
    for line in _last_lines(path):
        if any(needle in line for needle in needles):
            yield from (row for row in parse([line.decode("utf-8", "replace")]) if row.id in wanted)


def _last_lines(path: Path) -> Iterator[bytes]:
    unpack = PACKED.get(path.suffix)
    if unpack is not None:  # a pack can only be read from its beginning, line by line
        try:
            with unpack(path) as packed:
                yield from packed
        except (EOFError, OSError, lzma.LZMAError, zlib.error):
            return  # still being packed: the plain file lies beside it
        return
    with path.open("rb") as file:
        os.fsync(file.fileno())
        file.seek(max(0, os.fstat(file.fileno()).st_size - SEARCHED))
        yield from (line for line in file if line.endswith(b"\n"))


def _age(path: Path) -> float:
    try:
        return -path.stat().st_mtime
    except FileNotFoundError:
        return 0.0


def _escaped(text: str) -> str:
    return "".join(f"[{c}]" if c in "*?[" else c for c in text)
