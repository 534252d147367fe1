"""SHA-256 and id of the newest archived scans: whether the same bytes were read before."""

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from digitwatch.log_codes import Status
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.durable_io import open_regular
from digitwatch.spool.log_search import siblings

KEPT = 20_000  # scans; about 200 bytes of memory each
SEARCHED = KEPT * 400  # bytes at the end of a log, which are read once: 20 ms

HALF = 32  # characters of a SHA-256 that are kept
_ROW = re.compile(rb",(\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{8}),([0-9a-f]{64}),")


class RecentScans:
    """The newest KEPT scans of a log and its rotated siblings; failed ones are not in the archive and not here."""

    def __init__(self, path: Path, rotated: Path | None = None) -> None:
        """Remember where the log lies; it is read with the first question."""
        self._path, self._rotated = path, rotated
        self._ids: dict[str, str] | None = None  # by the first half of the SHA-256, the newest last

    def first(self, sha256: str, scan: str) -> str:
        """Return the id of an earlier scan with these bytes; "" where there is none but `scan` itself."""
        found = self._known.get(sha256[:HALF], "") if sha256 else ""
        return "" if found == scan else found

    def add(self, rows: Iterable[Row]) -> None:
        """Remember the scans of rows that were recorded."""
        if self._ids is None:  # they are in the log when it is read
            return
        for row in rows:
            if row.sha256 and row.status != Status.FAILED:
                self._add(row.sha256[:HALF], row.id)

    @property
    def _known(self) -> dict[str, str]:
        if self._ids is None:
            self._ids = {}
            for line in _last_lines(self._path, self._rotated):
                if b",failed," not in line and (found := _ROW.search(line)):
                    self._add(found[2].decode()[:HALF], found[1].decode())
        return self._ids

    def _add(self, key: str, scan: str) -> None:
        self._known.setdefault(key, scan)
        while len(self._known) > KEPT:
            del self._known[next(iter(self._known))]


def _last_lines(path: Path, rotated: Path | None) -> Iterator[bytes]:
    """Yield the last lines of the log and of what rotation made of it, oldest first; packed logs are left out."""
    for each in reversed(siblings(path, rotated=rotated)):
        if each.suffix != ".gz":
            try:
                with open_regular(each) as file:
                    start = max(0, os.fstat(file).st_size - SEARCHED)
                    yield from os.pread(file, SEARCHED, start).split(b"\n")
            except OSError:  # a courtesy: no scan waits for it
                continue
