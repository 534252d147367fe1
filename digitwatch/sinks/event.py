"""What a sink is sent: a row of the log, or a correction of one, with a key under which it may come again."""

import json
from dataclasses import dataclass, field

from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.typed_rows import COLUMNS, plain, typed

Values = dict[str, str | int | float | None]


@dataclass(frozen=True)
class Event:
    """One delivery.

    key: the same whenever this event is delivered again, and of no other event. is_newest: whether it is about the
    newest scan of the log so far. values: the columns with their types, as JSON and SQLite take them.
    """

    kind: str  # reading or correction
    key: str
    scan: str
    time: str
    values: Values = field(default_factory=dict)
    is_newest: bool = False

    @property
    def body(self) -> bytes:
        """Return the event as one line of JSON in UTF-8."""
        whole = {"event": self.kind, "key": self.key, **self.values}
        return json.dumps(whole, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def of_row(row: Row) -> Event:
    """Return the event of a row of the log; failures are readings too, with the status `failed`."""
    names = [column.name for column in COLUMNS]
    values = dict(zip(names, map(plain, typed(COLUMNS, row)), strict=True))
    return Event("reading", _key(row), row.id, row.time, values)


def of_correction(correction: Correction) -> Event:
    """Return the event of a correction: `now` is what stands on the page, see correction_log."""
    values: Values = dict(correction._asdict())
    if correction.page.isdigit():
        values["page"] = int(correction.page)
    key = f"{_key(correction)}/{correction.time}"
    return Event("correction", key, correction.id, correction.time, values)


def _key(of: Row | Correction) -> str:
    return f"{of.id}/{of.page}" + (f"/{of.field}" if of.field else "")
