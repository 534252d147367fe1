"""How far each sink is behind the log, for `digitwatch check` and the metrics."""

import sqlite3
import time
from dataclasses import dataclass
from datetime import UTC, datetime

from digitwatch.sinks.source import Files, Source
from digitwatch.sinks.state import read_progress

COUNTED = 10_000  # waiting events that are counted; there may be more


@dataclass(frozen=True)
class Lag:
    """State of a sink.

    waiting: events not delivered, up to COUNTED. seconds: age of the oldest of them. tries: failed ones since the
    last success; `error` says why. has_started: whether it ever ran.
    """

    name: str
    has_started: bool
    waiting: int = 0
    seconds: float = 0.0
    delivered: int = 0
    refused: int = 0
    tries: int = 0
    error: str = ""


def lag(name: str, files: Files) -> Lag:
    """Return how far a sink is behind; nothing is changed.

    Raises:
        OSError: a file cannot be read.
    """
    try:
        progress = read_progress(files.predictions.parent, name)
    except sqlite3.Error as error:
        return Lag(name, has_started=True, error=f"its state cannot be read: {error}")
    if progress is None:
        return Lag(name, has_started=False)
    source = Source(files, progress.marks)
    waiting, oldest = 0, ""
    while waiting < COUNTED and (events := source.read(1000)):
        waiting += len(events)
        oldest = min(oldest or events[0][0].time, events[0][0].time)
    source.close()
    return Lag(name, True, waiting, _age(oldest), progress.delivered, progress.refused, progress.tries, progress.error)


def _age(moment: str) -> float:
    try:
        return max(0.0, time.time() - datetime.fromisoformat(moment).astimezone(UTC).timestamp())
    except ValueError:
        return 0.0
