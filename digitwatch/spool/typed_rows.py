"""The values of log rows with their types: counts as integers, times as times, and every reading as text.

`prediction` and all other texts stay text, so that leading zeros are kept; an empty text is a value (a page without
ink). A number or time that a damaged row does not hold is None.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, NamedTuple

from digitwatch.spool.csv_rows import Row

Kind = Literal["text", "integer", "real", "time"]
Value = str | int | float | datetime | None

_KINDS: dict[str, Kind] = {"time": "time", "page": "integer", "confidence": "real", "elapsed_ms": "integer"}


class Column(NamedTuple):
    """Name and type of a column."""

    name: str
    kind: Kind = "text"


COLUMNS = tuple(Column(name, _KINDS.get(name, "text")) for name in Row._fields)
"""The columns of the log."""

CORRECTED = (Column("corrected"), Column("corrected_by"), Column("corrected_at", "time"))
"""The columns with what a person said about a page."""


def typed(columns: Sequence[Column], texts: Sequence[str | None]) -> tuple[Value, ...]:
    """Return the values of one row, in the order of `columns`; None stays None."""
    return tuple(_value(column.kind, text) for column, text in zip(columns, texts, strict=True))


def plain(value: Value) -> str | int | float | None:
    """Return a value as JSON and SQLite take it: a time as ISO 8601 text in UTC with milliseconds."""
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"
    return value


def _value(kind: Kind, text: str | None) -> Value:
    if text is None or kind == "text":
        return text
    try:
        if kind == "time":
            return datetime.fromisoformat(text).astimezone(UTC)
        return int(text) if kind == "integer" else float(text)
    except ValueError:
        return None
