"""The files that `digitwatch export --out` writes: CSV, JSON lines, Parquet and SQLite.

A file is written under a temporary name, synced and renamed, so that it is complete whenever it exists.
"""

import contextlib
import importlib.util
import json
import os
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from digitwatch.corrections import export
from digitwatch.errors import UsageError
from digitwatch.spool import sqlite_table
from digitwatch.spool.durable_io import sync_folder
from digitwatch.spool.typed_rows import Column, Value, plain

FORMATS = ("csv", "jsonl", "parquet", "sqlite")
ENDINGS = {".csv": "csv", ".jsonl": "jsonl", ".parquet": "parquet", ".sqlite": "sqlite", ".db": "sqlite"}
ROW_GROUP = 65_536  # rows that are in memory at a time


@dataclass(frozen=True)
class Source:
    """What is exported: the log with its rotated files, the corrections, and the day, "" for all days."""

    predictions: Path
    corrections: Path
    rotated: Path | None = None
    day: str = ""

    def lines(self) -> Iterator[str]:
        """Yield the CSV lines."""
        return export.lines(self.predictions, self.corrections, day=self.day, rotated=self.rotated)

    def columns(self) -> tuple[Column, ...]:
        """Return the columns of `records`."""
        return export.columns(self.predictions, self.rotated)

    def records(self, columns: tuple[Column, ...]) -> Iterator[tuple[Value, ...]]:
        """Yield the typed rows."""
        return export.records(self.predictions, self.corrections, columns, day=self.day, rotated=self.rotated)


def chosen_format(given: str | None, out: Path | None) -> str:
    """Return the format: the given one, else that of the ending of `out`, else CSV.

    Raises:
        UsageError: a format that needs a file has none, the ending is unknown, or an extra is missing.
    """
    if given is None and out is not None and out.suffix.lower() not in ENDINGS:
        raise UsageError(f"--out: expected an ending of {', '.join(ENDINGS)}, or --format, found {out.name!r}")
    chosen = given or (ENDINGS[out.suffix.lower()] if out else "csv")
    if chosen in ("parquet", "sqlite") and out is None:
        raise UsageError(f"--format {chosen} writes a file: add --out FILE")
    if chosen == "parquet" and importlib.util.find_spec("pyarrow") is None:
        raise UsageError("--format parquet needs PyArrow: pip install 'digitwatch[parquet]'")
    return chosen


def texts(source: Source, chosen: str) -> Iterator[str]:
    """Yield the lines of an export as text, `csv` or `jsonl`.

    Raises:
        OSError: a file cannot be read.
    """
    if chosen == "csv":
        yield from source.lines()
        return
    columns = source.columns()
    names = [column.name for column in columns]
    for row in source.records(columns):
        yield json.dumps(dict(zip(names, map(plain, row), strict=True)), ensure_ascii=False) + "\n"


def write(source: Source, chosen: str, out: Path) -> None:
    """Write an export in place of the file `out`.

    Raises:
        UsageError: `out` is a folder, or one of the files that are exported.
        OSError: a file cannot be read or written; `out` is as it was.
    """
    if out.is_dir():
        raise UsageError(f"--out: expected a file, found the folder {out}")
    if os.path.realpath(out) in map(os.path.realpath, (source.predictions, source.corrections)):
        raise UsageError(f"--out: expected a file of its own, found {out}, which is exported")
    scratch = out.with_name(f".{out.name}.{os.getpid()}.tmp")
    try:
        _WRITERS[chosen](source, scratch)
        with scratch.open("rb") as file:
            os.fsync(file.fileno())
        scratch.replace(out)
        sync_folder(out.parent)
    finally:
        scratch.unlink(missing_ok=True)


def _write_text(chosen: str) -> Callable[[Source, Path], None]:
    def write(source: Source, path: Path) -> None:
        with path.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(texts(source, chosen))

    return write


def _write_sqlite(source: Source, path: Path) -> None:
    columns = source.columns()
    with contextlib.closing(sqlite3.connect(path)) as database, database:
        database.execute("PRAGMA journal_mode = OFF")  # the file is new: it is complete or thrown away
        database.execute("PRAGMA synchronous = OFF")  # synced as a whole
        sqlite_table.create(database, columns)
        sqlite_table.insert(database, columns, source.records(columns))


def _write_parquet(source: Source, path: Path) -> None:
    import pyarrow  # noqa: PLC0415 (an extra, and slow to load)
    from pyarrow import parquet  # noqa: PLC0415

    types = {
        "text": pyarrow.string(),
        "integer": pyarrow.int64(),
        "real": pyarrow.float64(),
        "time": pyarrow.timestamp("ms", tz="UTC"),
    }
    columns = source.columns()
    schema = pyarrow.schema([(column.name, types[column.kind]) for column in columns])
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        rows = source.records(columns)
        while group := list(islice(rows, ROW_GROUP)):
            values = zip(zip(*group, strict=True), schema, strict=True)
            writer.write_table(
                pyarrow.table([pyarrow.array(each, field.type) for each, field in values], schema=schema)
            )


_WRITERS: dict[str, Callable[[Source, Path], None]] = {
    "csv": _write_text("csv"),
    "jsonl": _write_text("jsonl"),
    "sqlite": _write_sqlite,
    "parquet": _write_parquet,
}
