"""The CSV file of corrections: the values that people entered. Appended to, never rewritten."""

import csv
import logging
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from digitwatch.spool import csv_append
from digitwatch.spool.csv_rows import printable

log = logging.getLogger(__name__)

NOT_A_NUMBER = "x"
"""Value of `now` where the page has no number."""

UNDONE = "undo"
"""Value of `now` that withdraws the correction before; none applies then."""


class Correction(NamedTuple):
    """One line of corrections.csv; the last line of a reading (`id`, `page` and `field`) applies.

    `now` holds the number as it is written, nothing for an empty page, NOT_A_NUMBER or UNDONE.
    Where it equals `was`, a person has confirmed the reading. `field` names the field of a form, "" for a whole page.
    """

    time: str
    id: str
    file: str
    page: str
    sha256: str
    was: str
    now: str
    who: str
    field: str = ""

    @property
    def key(self) -> "Key":
        """The reading that is corrected."""
        return self.id, self.page, self.field


Key = tuple[str, str, str]
"""`id`, `page` and `field` of a reading."""

FIRST = Correction._fields[:8]
"""The columns of the first version, which had no fields."""

HEADER = ",".join(Correction._fields) + "\n"


def append(path: Path, correction: Correction) -> None:
    """Add a line and sync it.

    Raises:
        OSError: the disk is full, gone or read-only; nothing was added and it may be tried again.
    """
    csv_append.append(path, HEADER, lambda file: encode(correction, _width(file, correction)))


def read(path: Path) -> dict[Key, Correction]:
    """Return the correction that applies for each corrected reading.

    Raises:
        OSError: the file cannot be read; one that does not exist holds no correction.
    """
    last: dict[Key, Correction] = {}
    for correction in lines(path):
        last.pop(correction.key, None)
        if correction.now != UNDONE:
            last[correction.key] = correction
    return last


def lines(path: Path) -> Iterator[Correction]:
    """Yield every whole line of the file, also those that a later one replaces.

    Raises:
        OSError: the file cannot be read; one that does not exist has no line.
    """
    try:
        text = path.read_text("utf-8", "replace")
    except FileNotFoundError:
        return
    yield from parse(text.split("\n")[:-1])


def parse(lines: Iterable[str]) -> Iterator[Correction]:
    """Yield the corrections that lines hold, without the header; a damaged line is left out."""
    for line in lines:
        try:
            records = list(csv.reader([line], strict=True))
        except csv.Error as error:  # a quote that is not closed, or a bare CR
            log.warning("corrections: a line is damaged and left out (%s): %s", error, printable(line[:80]))
            continue
        for fields in records:
            if len(fields) >= len(FIRST) and fields[:2] != ["time", "id"]:
                yield Correction(*fields[: len(Correction._fields)])


def encode(correction: Correction, width: int = len(Correction._fields)) -> bytes:
    """Return the first `width` columns of a correction as a CSV line (RFC 4180 quoting, LF, UTF-8).

    The name of the field is always quoted, so that a line that is cut off within it is damaged and never about another.
    """
    further = "".join(',"' + value.replace('"', '""') + '"' for value in correction[len(FIRST) : width])
    return f"{csv_append.encoded(correction[: len(FIRST)])}{further}\n".encode("utf-8", "backslashreplace")


def _width(file: int, correction: Correction) -> int:
    """Return how many columns a line gets: without a field, as many as the header of its file names."""
    is_first_version = os.pread(file, len(HEADER), 0).startswith(",".join(FIRST).encode() + b"\n")
    return len(FIRST) if is_first_version and not correction.field else len(Correction._fields)
