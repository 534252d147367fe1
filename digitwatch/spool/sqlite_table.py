"""The SQLite table `readings` that `digitwatch export` and the sink `sqlite` write, for Datasette, Grafana, pandas.

SQLite has no type for times: they are ISO 8601 texts in UTC, which its date functions understand and which sort.
"""

import sqlite3
from collections.abc import Iterable, Mapping, Sequence

from digitwatch.spool.typed_rows import Column, Value, plain

_TYPES = {"text": "TEXT", "integer": "INTEGER", "real": "REAL", "time": "TEXT"}


def create(database: sqlite3.Connection, columns: Sequence[Column], key: Sequence[str] = ()) -> None:
    """Create the table where it does not exist, and the columns that it lacks; `key`, if any, is unique."""
    names = [f"{_quoted(column.name)} {_TYPES[column.kind]}" for column in columns]
    if key:
        names.append(f"PRIMARY KEY ({', '.join(key)})")
    database.execute(f"CREATE TABLE IF NOT EXISTS readings ({', '.join(names)})")
    present = {row[1] for row in database.execute("PRAGMA table_info(readings)")}
    for column in columns:
        if column.name not in present:  # made by an earlier version
            database.execute(f"ALTER TABLE readings ADD COLUMN {_quoted(column.name)} {_TYPES[column.kind]}")
    for name in ("id", "time", "status"):
        database.execute(f"CREATE INDEX IF NOT EXISTS readings_{name} ON readings ({name})")


def insert(database: sqlite3.Connection, columns: Sequence[Column], rows: Iterable[Sequence[Value]]) -> None:
    """Add rows to a table without a key."""
    names = ", ".join(_quoted(column.name) for column in columns)
    marks = ", ".join("?" * len(columns))
    database.executemany(f"INSERT INTO readings ({names}) VALUES ({marks})", (list(map(plain, row)) for row in rows))


def upsert(database: sqlite3.Connection, values: Mapping[str, str | int | float | None], key: Sequence[str]) -> None:
    """Add a row, or change these values of the row that has its key."""
    names = [_quoted(name) for name in values]
    changed = ", ".join(f"{name} = excluded.{name}" for name in names)
    database.execute(
        f"INSERT INTO readings ({', '.join(names)}) VALUES ({', '.join('?' * len(names))}) "
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}",
        tuple(values.values()),
    )


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
