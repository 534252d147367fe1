"""The newest readings in memory, read from the end of the log; every view queries them here.

The log and corrections.csv are the only source; when one of them is replaced or truncated, it is read again.
"""

import sqlite3
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from digitwatch.log_codes import Status
from digitwatch.spool import correction_log, deletion_log
from digitwatch.spool.correction_log import UNDONE, Correction
from digitwatch.spool.csv_rows import Row, RowParser
from digitwatch.spool.deletion_log import Deletion
from digitwatch.spool.log_search import NEWEST, all_rows
from digitwatch.web import zone
from digitwatch.web.log_tail import Tail

_INSERT = f"INSERT INTO readings VALUES ({', '.join('?' * (1 + len(Row._fields)))})"
_INSERT_CORRECTION = f"INSERT INTO corrections VALUES ({', '.join('?' * len(Correction._fields))})"
BOUND = 50_000  # readings; about 50 MB
PAGES_SEARCHED = 2000  # of the newest readings: a page of a form has many
STATUSES = tuple(Status)
_TO_REVIEW = f"status = '{Status.REVIEW}'"

_COLUMNS = ", ".join(f"{name} REAL" if name == "confidence" else name for name in Row._fields)
_SCHEMA = f"""
CREATE TABLE readings (seq INTEGER PRIMARY KEY, {_COLUMNS});
CREATE INDEX by_scan ON readings (id, page);
CREATE INDEX by_status ON readings (status, seq);
CREATE INDEX by_time ON readings (time);
CREATE INDEX by_day ON readings (status, time);
CREATE INDEX by_confidence ON readings (confidence, seq);
CREATE INDEX by_field ON readings (field) WHERE field != '';
CREATE INDEX least_certain ON readings (confidence) WHERE {_TO_REVIEW};
CREATE TABLE deletions ({", ".join(Deletion._fields)});
CREATE TABLE corrections ({", ".join(Correction._fields)}, PRIMARY KEY (id, page, field));
"""
_KEY = "USING (id, page, field)"
_JOINED = f"""SELECT readings.*, COALESCE(NULLIF(text, ''), prediction) AS value,
    corrections.now AS corrected, corrections.who AS corrected_by, corrections.time AS corrected_at
    FROM readings LEFT JOIN corrections {_KEY} """


CORRECTED, CONFIRMED, OPEN = "corrected", "confirmed", "open"  # what `Filter.status` may be besides one of the log
_SPECIAL = {
    CORRECTED: "now IS NOT NULL",
    CONFIRMED: "now = was",
    OPEN: f"{_TO_REVIEW} AND now IS NULL",
}

# Columns of each order; a minus in front means that it falls.
ORDERS: dict[str, tuple[str, ...]] = {
    "newest": ("-seq",),
    "oldest": ("seq",),
    "least certain": ("confidence", "-seq"),
    "most certain": ("-confidence", "-seq"),
}


@dataclass(frozen=True)
class Filter:
    """Criteria for readings; an empty text matches all.

    status: of the log, or CORRECTED (also confirmed ones), CONFIRMED, or OPEN (to be reviewed and not corrected).
    name: part of the file name. number: part of what was read or corrected. code: a reason code, without its detail.
    field: of a form. since, until: first and last day in the time zone `zone`. sort: a key of ORDERS.
    """

    status: str = ""
    name: str = ""
    number: str = ""
    code: str = ""
    field: str = ""
    since: str = ""
    until: str = ""
    sort: str = "newest"
    zone: str = zone.DEFAULT

    @property
    def where(self) -> tuple[str, list[str]]:
        """Return the condition in SQL with its parameters."""
        found = [part for part in self._conditions() if part]
        return " AND ".join(["1", *(part[0] for part in found)]), [value for part in found for value in part[1:]]

    def _conditions(self) -> Iterator[tuple[str, ...] | None]:
        like = r"LIKE ? ESCAPE '\'"
        if self.status in _SPECIAL:
            yield (_SPECIAL[self.status],)
        else:
            yield ("status = ?", self.status) if self.status else None
        yield (f"readings.file {like}", _part(self.name)) if self.name else None
        texts = ("prediction", "text", "now")
        number = " OR ".join(f"{column} {like}" for column in texts)
        yield (f"({number})", *[_part(self.number)] * len(texts)) if self.number else None
        yield (f"' ' || replace(codes, ':', ' ') || ' ' {like}", _part(f" {self.code} ")) if self.code else None
        yield ("field = ?", self.field) if self.field else None
        yield ("readings.time >= ?", zone.start(self.since, self.zone)) if self.since else None
        yield ("readings.time < ?", zone.start(self.until, self.zone, days_later=1)) if self.until else None


class Index:
    """The newest readings and what people corrected. May be used by several threads."""

    def __init__(self, predictions: Path, corrected: Path, bound: int = BOUND, deleted: Path | None = None) -> None:
        """Store the paths of the files; `refresh` reads them."""
        self._lock = threading.RLock()
        self._log, self._corrections = Tail(predictions), Tail(corrected)
        self._deletions = Tail(deleted) if deleted is not None else None
        self._parser = RowParser()
        self._bound = bound
        self._rows = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self._rows.row_factory = sqlite3.Row
        self._rows.executescript(_SCHEMA)
        self.counts: Counter[tuple[str, str]] = Counter()  # readings by day and status, also beyond the bound
        self.corrected = 0  # lines of corrections.csv
        self.newest = 0  # the number of the newest reading; numbers never decrease, even when the log is replaced
        self.since = 1  # the first number that still means the same reading as when it was assigned
        self._started = False

    def refresh(self) -> int:
        """Read what is new in both files; return the number of the newest reading.

        Raises:
            OSError: a file cannot be read; what was read before stays.
        """
        with self._lock:
            lines = self._log.new_lines()
            if lines is None or not self._started:
                self._begin()
            elif lines:
                self._enter(self._parser.rows(lines))
            self._started = True
            self._refresh_corrections()
            self._refresh_deletions()
            return self.newest

    def readings(self, wanted: Filter, *, before: int = 0, after: int = 0, limit: int = 50) -> list[sqlite3.Row]:
        """Return the newest readings that match a filter, newest first, numbered below `before` and above `after`.

        For another order than the newest first, `before` is the number of readings to pass over.
        """
        where, values = wanted.where
        if wanted.sort != "newest":
            query = f"{_JOINED} WHERE {where} ORDER BY {_order(ORDERS[wanted.sort])} LIMIT ? OFFSET ?"
            return self._all(query, *values, limit, before)
        query = f"{_JOINED} WHERE {where} AND seq < ? AND seq > ? ORDER BY seq DESC LIMIT ?"
        return self._all(query, *values, before or self.newest + 1, after, limit)

    def oldest_first(self, wanted: Filter, size: int = 1000) -> Iterator[sqlite3.Row]:
        """Yield all readings that match a filter in the order of the log, `size` read at a time."""
        where, values = wanted.where
        after = 0
        while found := self._all(f"{_JOINED} WHERE {where} AND seq > ? ORDER BY seq LIMIT ?", *values, after, size):
            yield from found
            after = int(found[-1]["seq"])

    def beside(self, wanted: Filter, reading: sqlite3.Row) -> tuple[sqlite3.Row | None, sqlite3.Row | None]:
        """Return the readings before and behind one in the list of a filter, which itself need not match."""
        where, values = wanted.where
        falling = ORDERS[wanted.sort]
        found = []
        for order in (tuple(_opposite(column) for column in falling), falling):
            behind, further = _behind(order, reading)
            query = f"{_JOINED} WHERE {where} AND {behind} ORDER BY {_order(order)} LIMIT 1"
            found.append(next(iter(self._all(query, *values, *further)), None))
        return found[0], found[1]

    def newest_pages(self, limit: int) -> list[sqlite3.Row]:
        """Return a reading of each of the newest pages that were read and filed."""
        query = f"""{_JOINED} WHERE seq IN (SELECT MAX(seq) FROM readings
            WHERE seq > ? AND status != '{Status.FAILED}' AND filed != '' GROUP BY id, page)
            ORDER BY seq DESC LIMIT ?"""
        return self._all(query, self.newest - PAGES_SEARCHED, limit)

    def fields(self) -> list[str]:
        """Return the names of the fields of forms."""
        return [name for (name,) in self._all("SELECT DISTINCT field FROM readings WHERE field != '' ORDER BY field")]

    def deletion(self, scan: str) -> sqlite3.Row | None:
        """Return who deleted a failed scan, and when."""
        return next(iter(self._all("SELECT * FROM deletions WHERE id = ?", scan)), None)

    @property
    def is_full(self) -> bool:
        """Whether older readings of the log are left out."""
        return self.newest - self.since >= self._bound

    def count(self, wanted: Filter) -> int:
        """Return how many readings match a filter."""
        where, values = wanted.where
        joined = f" LEFT JOIN corrections {_KEY}" if "now " in where else ""
        return int(self._all(f"SELECT COUNT(*) FROM readings{joined} WHERE {where}", *values)[0][0])

    def reading(self, scan: str, page: str, field: str = "") -> sqlite3.Row | None:
        """Return the reading of a page or of a field on it, or None where no such one is known."""
        query = f"{_JOINED} WHERE id = ? AND page = ? AND field = ? ORDER BY seq DESC LIMIT 1"
        found = self._all(query, scan, page, field)
        return found[0] if found else None

    def page(self, scan: str, page: str) -> list[sqlite3.Row]:
        """Return the readings of a page: one, or one for each field of a form."""
        return self._all(f"{_JOINED} WHERE id = ? AND page = ? ORDER BY seq", scan, page)

    def queue(self, limit: int, first: tuple[str, str] = ("", "")) -> list[sqlite3.Row]:
        """Return the readings to review that are not corrected yet, least certain first.

        The fields of one page follow each other, and those of the page `first` (id and page) come first.
        """
        condition = f"WHERE {_TO_REVIEW} AND now IS NULL"
        found = self._all(f"{_JOINED} {condition} ORDER BY confidence, seq LIMIT ?", limit)
        pages = dict.fromkeys([first, *((reading["id"], reading["page"]) for reading in found)])
        grouped: list[sqlite3.Row] = []
        for scan, page in pages:
            if len(grouped) < limit:
                grouped += self._all(f"{_JOINED} {condition} AND id = ? AND page = ? ORDER BY seq", scan, page)
        return grouped[:limit]

    def waiting(self) -> int:
        """Return how many readings wait for review."""
        return self.count(Filter(OPEN))

    def judged(self) -> dict[str, tuple[int, int]]:
        """Return for each day of the readings how many were corrected or confirmed, and how many were right."""
        query = f"""SELECT substr(readings.time, 1, 10), COUNT(*), SUM(now = was)
            FROM corrections JOIN readings {_KEY} GROUP BY 1"""
        return {day: (looked_at, right) for day, looked_at, right in self._all(query)}

    # --- reading the files ---

    def _all(self, query: str, *values: str | float) -> list[sqlite3.Row]:
        with self._lock:
            return self._rows.execute(query, values).fetchall()

    def _begin(self) -> None:
        """Read everything again: at the start, after a rotation, or when the log was cut back."""
        self._started = False  # until all is read
        lines = self._log.begin()
        self._rows.execute("DELETE FROM readings")
        self.counts.clear()
        self.since = self.newest + 1
        self._enter(row for row, _ in all_rows(self._log.path, NEWEST, besides=self._log.identity))
        self._parser = RowParser()  # learns the columns from the header of the log
        self._enter(self._parser.rows(lines))

    def _enter(self, found: Iterable[Row]) -> None:
        self._rows.execute("BEGIN")
        try:
            for row in found:
                self.newest += 1
                self.counts[row.time[:10], row.status] += 1
                self._rows.execute(_INSERT, (self.newest, *row))
                if self.newest % 10_000 == 0:
                    self._forget_old()
            self._forget_old()
        finally:  # the readings up to the error are known, and the next refresh starts again
            self._rows.execute("COMMIT")

    def _forget_old(self) -> None:
        self._rows.execute("DELETE FROM readings WHERE seq <= ?", (self.newest - self._bound,))

    def _refresh_deletions(self) -> None:
        if self._deletions is None:
            return
        lines: Iterable[str] | None = self._deletions.new_lines()
        if lines is None:
            lines = self._deletions.begin()
            self._rows.execute("DELETE FROM deletions")
        for deletion in deletion_log.parse(lines):
            self._rows.execute(f"INSERT INTO deletions VALUES ({', '.join('?' * len(deletion))})", deletion)

    def _refresh_corrections(self) -> None:
        lines: Iterable[str] | None = self._corrections.new_lines()
        if lines is None:
            lines = self._corrections.begin()
            self._rows.execute("DELETE FROM corrections")
            self.corrected = 0
        for correction in correction_log.parse(lines):
            self.corrected += 1
            self._rows.execute("DELETE FROM corrections WHERE id = ? AND page = ? AND field = ?", correction.key)
            if correction.now != UNDONE:
                self._rows.execute(_INSERT_CORRECTION, correction)


def _order(columns: tuple[str, ...]) -> str:
    return ", ".join(f"{column[1:]} DESC" if column.startswith("-") else column for column in columns)


def _opposite(column: str) -> str:
    return column.removeprefix("-") if column.startswith("-") else f"-{column}"


def _behind(order: tuple[str, ...], reading: sqlite3.Row) -> tuple[str, list[float]]:
    """Return the condition in SQL, with its parameters, for what follows a reading in an order."""
    name, sign = order[0].removeprefix("-"), "<" if order[0].startswith("-") else ">"
    if len(order) == 1:
        return f"{name} {sign} ?", [reading[name]]
    further, values = _behind(order[1:], reading)
    return f"({name} {sign} ? OR ({name} = ? AND {further}))", [reading[name], reading[name], *values]


def _part(text: str) -> str:
    """Return a pattern of LIKE for texts that hold `text` literally."""
    return "%" + "".join(f"\\{character}" if character in r"\%_" else character for character in text) + "%"
