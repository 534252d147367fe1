"""The events behind a mark: first the rows of the log, then the corrections, so that none comes before its row."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from digitwatch.sinks.event import Event, of_correction, of_row
from digitwatch.spool import correction_log
from digitwatch.spool.log_cursor import LineCursor, LogCursor, Position, PositionLostError, end_of, log_files

log = logging.getLogger(__name__)

SOURCES = ("readings", "corrections")


class Mark(NamedTuple):
    """How far a sink has come in one of SOURCES; `time` is that of the last event, from which a lost place is found."""

    source: str
    position: Position | None
    time: str


@dataclass(frozen=True)
class Files:
    """The log, the corrections, and the folder of rotated logs if that is another than that of the log."""

    predictions: Path
    corrections: Path
    rotated: Path | None = None

    def end(self) -> list[Mark]:
        """Return the marks behind everything that the files hold now."""
        return [
            Mark("readings", end_of(log_files(self.predictions, self.rotated)), ""),
            Mark("corrections", end_of(_existing(self.corrections)), ""),
        ]


class Source:
    """Reads the events behind the marks of a sink."""

    def __init__(self, files: Files, marks: dict[str, Mark]) -> None:
        """Keep the places; a source without a mark is read from its beginning."""
        self._files = files
        begin = {name: marks.get(name, Mark(name, None, "")) for name in SOURCES}
        self._readings = _Stream(self._open_log, begin["readings"])
        self._corrections = _Stream(self._open_corrections, begin["corrections"])

    def read(self, limit: int) -> list[tuple[Event, Mark]]:
        """Return up to `limit` further events, each with the mark behind it; none where there is nothing new.

        Raises:
            OSError: a file cannot be read.
        """
        return self._readings.read(limit) or self._corrections.read(limit)

    def close(self) -> None:
        """Close the files."""
        self._readings.close()
        self._corrections.close()

    def _open_log(self, position: Position | None) -> "_Cursor":
        cursor = LogCursor(self._files.predictions, self._files.rotated, position)
        return _Cursor(lambda limit: [(of_row(row), behind) for row, behind in cursor.read(limit)], cursor.close)

    def _open_corrections(self, position: Position | None) -> "_Cursor":
        path = self._files.corrections
        cursor = LineCursor(path, lambda: _existing(path), position)

        def events(limit: int) -> Iterator[tuple[Event, Position]]:
            for line, behind in cursor.read(limit):
                yield from ((of_correction(each), behind) for each in correction_log.parse([line.rstrip("\n")]))

        return _Cursor(lambda limit: list(events(limit)), cursor.close)


@dataclass(frozen=True)
class _Cursor:
    read: Callable[[int], list[tuple[Event, Position]]]
    close: Callable[[], None]


class _Stream:
    """The events of one source; where its place is lost, it is found by the time of the last event."""

    def __init__(self, opened: Callable[[Position | None], _Cursor], mark: Mark) -> None:
        self._opened = opened
        self._mark = mark
        self._since = ""
        self._cursor = opened(mark.position)

    def read(self, limit: int) -> list[tuple[Event, Mark]]:
        try:
            return self._read(limit)
        except PositionLostError as error:
            log.warning("%s; going on with what is not older than %s", error, self._mark.time or "the beginning")
            self._since = self._mark.time  # what has the same time may come again
            self._cursor.close()
            self._cursor = self._opened(None)
            return self._read(limit)

    def _read(self, limit: int) -> list[tuple[Event, Mark]]:
        while found := self._cursor.read(limit):
            marked = [
                (event, Mark(self._mark.source, behind, max(self._mark.time, event.time))) for event, behind in found
            ]
            self._mark = marked[-1][1]
            if wanted := [each for each in marked if each[0].time >= self._since]:
                return wanted
        return []

    def close(self) -> None:
        self._cursor.close()


def _existing(path: Path) -> list[Path]:
    return [path] if path.exists() else []
