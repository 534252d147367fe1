"""The process that delivers: a thread for each sink, which retries with back-off and never keeps another waiting."""

import contextlib
import fcntl
import itertools
import logging
import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from digitwatch.sinks.event import Event
from digitwatch.sinks.sink import DeliveryError, RefusedError, Sink
from digitwatch.sinks.source import Files, Mark, Source
from digitwatch.sinks.state import State
from digitwatch.spool.claims import AlreadyRunningError
from digitwatch.spool.csv_rows import printable

log = logging.getLogger(__name__)

BACK_OFF = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Seconds until the next try; the last value is repeated until a try succeeds."""

POLL = 1.0  # seconds between two looks at the log while nothing is new
BLOCK = 500  # events read at a time
LOCK = ".digitwatch-sinks.lock"


@dataclass(frozen=True)
class Order:
    """A sink, and whether it is to have what the log holds already when it is new."""

    sink: Sink
    from_beginning: bool


class Delivery:
    """Delivers the events of the log to one sink; used by one thread."""

    def __init__(self, order: Order, files: Files, stop: threading.Event) -> None:
        """Keep the parts; nothing is opened before `run`."""
        self._sink = order.sink
        self._from_beginning = order.from_beginning
        self._files = files
        self._stop = stop
        self._source: Source | None = None
        self._newest = ""
        self._is_failing = False

    def run(self, *, once: bool = False) -> None:
        """Deliver until stopped, or with `once` until nothing is new; errors are retried either way."""
        state: State | None = None
        while not self._stop.is_set():
            try:
                state = state or State(self._files.predictions.parent)
                number = self._round(state)
                self._succeeded(number)
                if not number and once:
                    break
                if not number:
                    self._stop.wait(POLL)
            except (DeliveryError, OSError, sqlite3.Error) as error:
                self._forget()
                self._stop.wait(self._failed(state, error))
        self._forget()
        self._sink.close()
        if state is not None:
            state.close()

    def _round(self, state: State) -> int:
        """Deliver a block of events; return their number."""
        if self._source is None:
            self._source = self._open(state)
        events = self._source.read(BLOCK)
        for group in _groups(self._with_newest(events), self._sink.batch):
            if self._stop.is_set():
                self._forget()
                return 0
            try:
                self._sink.deliver([event for event, _ in group])
                state.delivered(self._sink.name, group[-1][1], len(group), self._newest_of(group))
            except RefusedError as error:
                event, mark = group[-1]
                log.warning("sink %s refuses %s for good: %s", self._sink.name, printable(event.key), error)
                state.refused(self._sink.name, mark, event, str(error))
        return len(events)

    def _open(self, state: State) -> Source:
        progress = state.progress(self._sink.name)
        if progress is None:
            state.begin(self._sink.name, [] if self._from_beginning else self._files.end())
            progress = state.progress(self._sink.name)
            assert progress is not None
        self._newest = progress.newest
        return Source(self._files, progress.marks)

    def _with_newest(self, events: Sequence[tuple[Event, Mark]]) -> Iterator[tuple[Event, Mark]]:
        """Yield the events, marked where they are about the newest scan; ids sort by time."""
        newest = self._newest
        for event, mark in events:
            if event.kind == "reading":
                newest = max(newest, event.scan)
            yield replace(event, is_newest=event.scan == newest), mark

    def _newest_of(self, group: Sequence[tuple[Event, Mark]]) -> str:
        scans = [event.scan for event, _ in group if event.kind == "reading"]
        self._newest = max([self._newest, *scans])
        return self._newest

    def _forget(self) -> None:
        """Go back to the marks of the state with the next round."""
        if self._source is not None:
            self._source.close()
        self._source = None

    def _succeeded(self, number: int) -> None:
        if number and self._is_failing:
            self._is_failing = False
            log.info("sink %s takes events again", self._sink.name)

    def _failed(self, state: State | None, error: Exception) -> float:
        """Note a failed try; return the seconds until the next one."""
        tries = 1
        if state is not None:
            with contextlib.suppress(sqlite3.Error):
                tries = state.failed(self._sink.name, str(error))
        if not self._is_failing:
            self._is_failing = True
            log.warning("sink %s: %s; nothing is lost, it is tried again", self._sink.name, printable(str(error)))
        asked = error.retry_after if isinstance(error, DeliveryError) else 0.0
        return max(asked, BACK_OFF[min(tries, len(BACK_OFF)) - 1])


def deliver(orders: Sequence[Order], files: Files, stop: threading.Event, *, once: bool = False) -> None:
    """Deliver to all sinks until `stop` is set, or with `once` until each has everything.

    Raises:
        AlreadyRunningError: another process delivers this log.
        OSError: the folder of the log cannot be used.
    """
    handle = _lock(files.predictions.parent)
    try:
        threads = [
            threading.Thread(target=Delivery(order, files, stop).run, kwargs={"once": once}, name=order.sink.name)
            for order in orders
        ]
        for thread in threads:
            thread.daemon = True  # a delivery in progress does not delay the end
            thread.start()
        if once:
            for thread in threads:
                while thread.is_alive() and not stop.is_set():
                    thread.join(0.1)
        else:
            stop.wait()
        for thread in threads:
            thread.join(1.0)
    finally:
        os.close(handle)


def _lock(folder: Path) -> int:
    handle = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o664)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise AlreadyRunningError(f"another digitwatch already delivers the log in {folder}") from None
    return handle


def _groups(events: Iterator[tuple[Event, Mark]], size: int) -> Iterator[list[tuple[Event, Mark]]]:
    while group := list(itertools.islice(events, size)):
        yield group
