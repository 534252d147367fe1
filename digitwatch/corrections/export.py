"""The log with what people corrected beside it, for spreadsheets and statistics."""

import csv
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import Row, parse
from digitwatch.spool.durable_io import identity
from digitwatch.spool.log_search import siblings

COLUMNS = (*Row._fields, "corrected", "corrected_by", "corrected_at")
ALL = 1_000_000  # rotated files: whatever there is


def lines(
    predictions: Path, corrected: Path, *, day: str = "", shown: Callable[[str], str] = lambda text: text
) -> Iterator[str]:
    """Yield the CSV lines of the log and its rotated siblings, oldest first, with the corrected values.

    Args:
        predictions: the log.
        corrected: corrections.csv; it need not exist.
        day: `2026-11-22` for the rows of one day (UTC), empty for all.
        shown: how texts in which paths of the machine may stand are written.

    Raises:
        OSError: a file cannot be read.
    """
    known = correction_log.read(corrected)
    yield _line(COLUMNS)
    for row in rows(predictions):
        if row.time.startswith(day):
            told = {name: shown(getattr(row, name)) for name in ("reason", "annotated", "filed")}
            yield _line((*row._replace(**told), *_columns(known.get((row.id, row.page)))))


def rows(predictions: Path, newest: int = ALL, besides: tuple[int, int] | None = None) -> Iterator[Row]:
    """Yield the rows of the log and of the `newest` files that rotation made of it, oldest first.

    The file with device and inode `besides` is left out.
    """
    found = siblings(predictions, newest)
    for path in reversed(found):
        is_packing = path.suffix == ".gz" and path.with_suffix("") in found
        if not is_packing and (besides is None or identity(path) != besides):
            yield from parse(_lines_of(path))


def _lines_of(path: Path) -> Iterator[str]:
    """Yield the whole lines of a log, plain or packed; one that vanishes or is still being packed has none."""
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield from (line.decode("utf-8", "replace") for line in file if line.endswith(b"\n"))
    except (FileNotFoundError, EOFError, gzip.BadGzipFile, zlib.error):
        return


def _columns(correction: Correction | None) -> tuple[str, str, str]:
    return (correction.now, correction.who, correction.time) if correction else ("", "", "")


def _line(fields: tuple[str, ...]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(fields)
    return text.getvalue()
