"""The CSV file of deletions: the failed scans that people deleted. Appended to before a scan is deleted."""

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from digitwatch.spool import csv_append


class Deletion(NamedTuple):
    """One line of deletions.csv: which scan, where it was filed, why it had failed, and who deleted it."""

    time: str
    id: str
    file: str
    sha256: str
    filed: str
    reason: str
    who: str


HEADER = ",".join(Deletion._fields) + "\n"


def append(path: Path, deletion: Deletion) -> None:
    """Add a line and sync it.

    Raises:
        OSError: the disk is full, gone or read-only; nothing was added.
    """
    line = f"{csv_append.encoded(deletion)}\n".encode("utf-8", "backslashreplace")
    csv_append.append(path, HEADER, lambda file: line)


def parse(lines: Iterable[str]) -> Iterator[Deletion]:
    """Yield the deletions that lines hold, without the header; a damaged line is left out."""
    for line in lines:
        try:
            records = list(csv.reader([line], strict=True))
        except csv.Error:
            continue
        for fields in records:
            if len(fields) >= len(Deletion._fields) and fields[:2] != ["time", "id"]:
                yield Deletion(*fields[: len(Deletion._fields)])
