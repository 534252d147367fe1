"""The lines of the CSV log: their columns, and how odd names are written so that no line breaks."""

import csv
import io
import os
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the log; every field is text, ready for `csv`. Columns are only ever added at the end."""

    time: str
    file: str
    page: str
    prediction: str
    confidence: str
    status: str
    reason: str
    digits: str
    id: str
    sha256: str
    annotated: str
    filed: str
    model: str
    elapsed_ms: str


HEADER = ",".join(Row._fields) + "\n"

csv.field_size_limit(1 << 26)  # the column `digits` of a crowded page is long


def printable(text: str) -> str:
    r"""Write what must not stand raw in a log line as \xNN, byte by byte.

    That is: control characters, line and paragraph separators, characters that turn the writing
    direction around (they could make one name look like another), and bytes that are not UTF-8.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    turns_direction = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    if turns_direction or unicodedata.category(character) in ("Cc", "Zl", "Zp", "Cs"):
        return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
    return character


def shown_name(name: str) -> str:
    """Give a file name as the log shows it: printable, and never a formula to a spreadsheet."""
    return ("./" if name[:1] in ("=", "+", "-", "@", "\t", "\r") else "") + printable(name)


def encode(rows: Iterable[Row]) -> bytes:
    """Give the rows as CSV lines (RFC 4180 quoting, LF, UTF-8)."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode("utf-8")


def parse(lines: Iterable[str]) -> Iterable[Row]:
    """Yield the rows that lines of the log hold, the header and what somebody spoiled left out."""
    for fields in csv.reader(lines):
        row = fields[: len(Row._fields)]
        if len(row) == len(Row._fields) and row != list(Row._fields):
            yield Row(*row)


def is_whole(line: bytes) -> bool:
    """Tell whether a line that lacks its line end has everything else: an editor may have dropped the end."""
    rows = list(parse([line.decode("utf-8", "replace")]))
    return len(rows) == 1 and rows[0].elapsed_ms.isdigit()
