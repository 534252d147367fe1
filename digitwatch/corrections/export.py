"""Export of the log with the corrected values, for spreadsheets and statistics."""

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

from digitwatch.spool import correction_log, typed_rows
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.log_search import all_rows, further_columns
from digitwatch.spool.typed_rows import Column, Value

UNNAMED = "unnamed"
"""Stands in `corrected_by` for a correction of an earlier version that was saved without a name."""

CORRECTION, CONFIRMED = "corrected", "confirmed"  # status of a field in the wide export, beside those of the log

CORRECTED = tuple(column.name for column in typed_rows.CORRECTED)
COLUMNS = (*Row._fields, *CORRECTED)
PATHS = ("reason", "annotated", "filed")  # columns that may hold paths of this machine


def lines(
    predictions: Path,
    corrected: Path,
    *,
    day: str = "",
    shown: Callable[[str], str] = lambda text: text,
    rotated: Path | None = None,
) -> Iterator[str]:
    """Yield the CSV lines of the log and its rotated siblings, oldest first, with the corrected values.

    Columns that only a later version knows are kept, in front of the corrected values.

    Args:
        predictions: the log.
        corrected: corrections.csv; it need not exist.
        day: `2026-11-22` for the rows of one day (UTC), empty for all.
        shown: how texts that may hold paths of the machine are written.
        rotated: a folder with rotated logs, besides that of the log.

    Raises:
        OSError: a file cannot be read.
    """
    names = [column.name for column in columns(predictions, rotated)]
    yield _line(names)
    for texts in _texts(predictions, corrected, names, day, rotated):
        yield _line([shown(texts[name] or "") if name in PATHS else texts[name] or "" for name in names])


def csv_lines(names: Sequence[str], rows: Iterable[Sequence[str]], shown: Callable[[str], str]) -> Iterator[str]:
    """Yield a header and rows as CSV lines; `shown` writes the texts that may hold paths of the machine."""
    yield _line(names)
    for row in rows:
        yield _line([shown(text) if name in PATHS else text for name, text in zip(names, row, strict=True)])


def columns(predictions: Path, rotated: Path | None = None) -> tuple[Column, ...]:
    """Return the columns of the log, those that only a later version knows, and those of corrections.

    Raises:
        OSError: a file cannot be read.
    """
    return (*typed_rows.COLUMNS, *map(Column, further_columns(predictions, rotated)), *typed_rows.CORRECTED)


def records(
    predictions: Path, corrected: Path, wanted: tuple[Column, ...], *, day: str = "", rotated: Path | None = None
) -> Iterator[tuple[Value, ...]]:
    """Yield the values of the `wanted` columns of each row as `lines` does, with their types.

    The corrected values are None where nobody corrected.

    Raises:
        OSError: a file cannot be read.
    """
    names = [column.name for column in wanted]
    for texts in _texts(predictions, corrected, names, day, rotated):
        yield typed_rows.typed(wanted, [texts[name] for name in names])


def _texts(
    predictions: Path, corrected: Path, names: list[str], day: str, rotated: Path | None
) -> Iterator[dict[str, str | None]]:
    """Yield the texts of each row by the names of the columns."""
    known = correction_log.read(corrected)
    empty: dict[str, str | None] = dict.fromkeys(names, "")
    for row, further in all_rows(predictions, rotated=rotated):
        if row.time.startswith(day):
            yield empty | row._asdict() | further | _corrected(known.get((row.id, row.page, row.field)))


def wide_lines(predictions: Path, corrected: Path, *, day: str = "", rotated: Path | None = None) -> Iterator[str]:
    """Yield one CSV line a page of a form: file and page, then for each field its text and its status.

    A corrected field has the corrected text and the status `corrected`, or `confirmed` where both are alike. Pages that
    were read as a whole are left out. A scan that was read again has a line for each time.

    Args:
        predictions: the log.
        corrected: corrections.csv; it need not exist.
        day: `2026-11-22` for the rows of one day (UTC), empty for all.
        rotated: a folder with rotated logs, besides that of the log.

    Raises:
        OSError: a file cannot be read.
    """
    known = correction_log.read(corrected)
    names: dict[str, None] = {}
    for row in _field_rows(predictions, day, rotated):
        names.setdefault(row.field)
    columns = [column for name in names for column in (name, f"{name}_status")]
    yield _line(["time", "file", "page", "id", *columns])
    page: dict[str, str] = {}
    key: tuple[str, str, str] | None = None
    for row in _field_rows(predictions, day, rotated):
        if key != (row.id, row.page, row.time):
            if page:
                yield _line([page.get(column, "") for column in ("time", "file", "page", "id", *columns)])
            key = row.id, row.page, row.time
            page = {"time": row.time, "file": row.file, "page": row.page, "id": row.id}
        page |= _field_values(row, known.get((row.id, row.page, row.field)))
    if page:
        yield _line([page.get(column, "") for column in ("time", "file", "page", "id", *columns)])


def _field_rows(predictions: Path, day: str, rotated: Path | None) -> Iterator[Row]:
    return (row for row, _ in all_rows(predictions, rotated=rotated) if row.field and row.time.startswith(day))


def _field_values(row: Row, correction: Correction | None) -> dict[str, str]:
    """Return the two columns of a field: the text that counts, and its status."""
    value, status = row.text or row.prediction, row.status
    if correction is not None:
        status = CONFIRMED if correction.now == value else CORRECTION
        value = correction.now
    return {row.field: value, f"{row.field}_status": status}


def _corrected(correction: Correction | None) -> dict[str, str | None]:
    values = (correction.now, correction.who or UNNAMED, correction.time) if correction else (None, None, None)
    return dict(zip(CORRECTED, values, strict=True))


def _line(fields: Sequence[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue()
