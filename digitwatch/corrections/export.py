"""Export of the log with the corrected values, for spreadsheets and statistics."""

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.log_search import all_rows, further_columns

UNNAMED = "unnamed"
"""Stands in `corrected_by` for a correction of an earlier version that was saved without a name."""

CORRECTED = ("corrected", "corrected_by", "corrected_at")
COLUMNS = (*Row._fields, *CORRECTED)


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
    known = correction_log.read(corrected)
    unknown = further_columns(predictions, rotated)
    yield _line((*Row._fields, *unknown, *CORRECTED))
    for row, further in all_rows(predictions, rotated=rotated):
        if row.time.startswith(day):
            texts = {name: shown(getattr(row, name)) for name in ("reason", "annotated", "filed")}
            values = (further.get(name, "") for name in unknown)
            yield _line((*row._replace(**texts), *values, *_columns(known.get((row.id, row.page)))))


def wide_lines(predictions: Path, *, day: str = "", rotated: Path | None = None) -> Iterator[str]:
    """Yield one CSV line a page of a form: file and page, then for each field its text and its status.

    Pages that were read as a whole are left out. A scan that was read again has a line for each time.

    Args:
        predictions: the log.
        day: `2026-11-22` for the rows of one day (UTC), empty for all.
        rotated: a folder with rotated logs, besides that of the log.

    Raises:
        OSError: a file cannot be read.
    """
    names: dict[str, None] = {}
    for row in _field_rows(predictions, day, rotated):
        names.setdefault(row.field)
    columns = [column for name in names for column in (name, f"{name}_status")]
    yield _line(("time", "file", "page", "id", *columns))
    page: dict[str, str] = {}
    key: tuple[str, str, str] | None = None
    for row in _field_rows(predictions, day, rotated):
        if key != (row.id, row.page, row.time):
            if page:
                yield _line(tuple(page.get(column, "") for column in ("time", "file", "page", "id", *columns)))
            key = row.id, row.page, row.time
            page = {"time": row.time, "file": row.file, "page": row.page, "id": row.id}
        page |= {row.field: row.text or row.prediction, f"{row.field}_status": row.status}
    if page:
        yield _line(tuple(page.get(column, "") for column in ("time", "file", "page", "id", *columns)))


def _field_rows(predictions: Path, day: str, rotated: Path | None) -> Iterator[Row]:
    return (row for row, _ in all_rows(predictions, rotated=rotated) if row.field and row.time.startswith(day))


def _columns(correction: Correction | None) -> tuple[str, str, str]:
    return (correction.now, correction.who or UNNAMED, correction.time) if correction else ("", "", "")


def _line(fields: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue()
