"""The lines of the CSV log: their columns in every version, and how unusual names are written."""

import csv
import io
import os
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple


class Row(NamedTuple):
    """One line of the log; every field is text, ready for `csv`. Columns are only ever added at the end.

    A column that the file of a row does not have is empty.
    """

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
    field: str = ""
    text: str = ""
    codes: str = ""
    expected: str = ""


FIRST = Row._fields[:14]
"""The columns of the first version; each later header begins with them."""

HEADER = ",".join(Row._fields) + "\n"

_SIGNS = "\\-=+@|\uff1d\uff0b\uff0d\uff20\u2212"  # what a formula may begin with, full-width signs too
_FORMULA = re.compile(rf"[\s'\"]*[{_SIGNS}\t\r]")
_FORMULA_CELL = re.compile(rf";([\s'\"]*[{_SIGNS}])")
_INVISIBLE = "\u034f\u115f\u1160\u3164\uffa0\u180b\u180c\u180d"  # letters and marks without a shape

csv.field_size_limit(1 << 26)  # the column `digits` of a crowded page is long


def row_of(columns: Mapping[str, str], **further: str) -> Row:
    """Return the row with these columns; the others are empty.

    Raises:
        TypeError: there is no column of this name.
    """
    return Row(**(dict.fromkeys(Row._fields, "") | dict(columns) | further))


def printable(text: str) -> str:
    r"""Return text that is safe in a log line, a message or a cell: what is not is written as \xNN, byte by byte.

    That is: control and format characters (terminal escapes, marks that turn the writing direction or are invisible,
    and so could make one name look like another), line and paragraph separators, bytes that are not UTF-8, and a
    semicolon in front of a formula: spreadsheets of half of Europe split a line there.
    """
    if text.isascii() and text.isprintable() and ";" not in text:
        return text
    return _FORMULA_CELL.sub(lambda found: r"\x3b" + found[1], "".join(map(_printable_character, text)))


def _printable_character(character: str) -> str:
    if character in _INVISIBLE or unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp", "Cs"):
        return "".join(f"\\x{byte:02x}" for byte in os.fsencode(character))
    return character


def shown_name(name: str) -> str:
    """Return a file name as the log shows it: printable, and never a formula to a spreadsheet."""
    return ("./" if _FORMULA.match(name) else "") + printable(name)


def encode(rows: Iterable[Row]) -> bytes:
    """Return the rows as CSV lines (RFC 4180 quoting, LF, UTF-8).

    The last field is always quoted: a line that a write left incomplete then lacks the closing quote.
    """
    text = io.StringIO()
    plain, quoted = csv.writer(text, lineterminator=","), csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_ALL)
    for row in rows:
        plain.writerow(row[:-1])
        quoted.writerow(row[-1:])
    return text.getvalue().encode("utf-8")


def columns_of(header: str) -> tuple[str, ...] | None:
    """Return the columns that the first line of a log names, of this or any other version; None for other lines."""
    fields = _fields(header) if header.startswith(FIRST[0]) else None
    return tuple(fields) if fields is not None and tuple(fields[: len(FIRST)]) == FIRST else None


class RowParser:
    """Turns the lines of one log file into rows, by the header of that file.

    Lines that hold no row (damaged, too few fields) are left out; each line is parsed alone, so that a stray quote
    or carriage return costs its own line only.
    """

    def __init__(self, columns: Sequence[str] = Row._fields) -> None:
        """Begin with the columns of the file, where they are known; a header line among the lines replaces them."""
        self.columns = tuple(columns)

    def rows(self, lines: Iterable[str]) -> Iterator[Row]:
        """Yield the rows that the lines hold, without the columns that this version does not know."""
        for row, _ in self.rows_and_further(lines):
            yield row

    def rows_and_further(self, lines: Iterable[str]) -> Iterator[tuple[Row, dict[str, str]]]:
        """Yield each row, and the values of the columns that only a later version knows, by their names."""
        for line in lines:
            fields = _fields(line)
            if fields is None or len(fields) < len(FIRST):
                continue
            if tuple(fields[: len(FIRST)]) == FIRST:
                self.columns = tuple(fields)
            else:
                yield self._row(fields)

    def _row(self, fields: list[str]) -> tuple[Row, dict[str, str]]:
        columns = self.columns if len(self.columns) >= len(fields) else Row._fields
        if columns == Row._fields:
            return Row(*fields[: len(columns)]), {}
        values = dict(zip(columns, fields, strict=False))
        further = {name: value for name, value in values.items() if name not in Row._fields}
        return Row(*(values.get(name, "") for name in Row._fields)), further


def is_whole(line: bytes, columns: Sequence[str]) -> bool:
    """Return whether a line that lacks its line end lacks nothing else: an editor may have dropped the end.

    Rows are committed with their line end, so an incomplete write may be cut off: its scan is still claimed and is
    read again. A line that an editor saved may not. A line with all the columns of its file and closed quotes is
    taken as whole. Of our own lines one cut short exactly before the last field passes too: it lacks nothing but
    the value of that field.
    """
    fields = _fields(line.decode("utf-8", "replace"), strict=True)
    if fields is None or len(fields) != len(columns):
        return False
    return dict(zip(columns, fields, strict=True)).get("elapsed_ms", "").isdigit()


def _fields(line: str, *, strict: bool = False) -> list[str] | None:
    """Return the fields of one line; None where it is no line of a CSV file."""
    try:
        found = list(csv.reader([line], strict=strict))
    except csv.Error:  # a bare CR, or with `strict` a quote that is not closed
        return None
    return found[0] if len(found) == 1 else None
