"""The watch on the inbox: file system events where they work; elsewhere the folder is listed by a timer."""

import contextlib
import importlib
import logging
import os
import re
import secrets
import threading
import warnings
from collections.abc import Callable
from pathlib import Path

from watchdog.events import (
    DirCreatedEvent,
    DirMovedEvent,
    FileClosedEvent,
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from digitwatch.errors import TransientError
from digitwatch.spool.claims import CLAIMED

log = logging.getLogger(__name__)

WITHOUT_EVENTS = ("nfs", "cifs", "smb", "fuse", "9p", "afs", "ceph", "gluster", "vboxsf", "ncpfs", "davfs")
"""Filesystems (as /proc/mounts names them, by their beginning) where writers of other machines raise no events."""

RELEVANT: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileClosedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]
"""Events after which there may be something to read. A file that was opened, closed unchanged or moved away raises
events too, four for each scan that we claim ourselves; a file that others remove is noticed at its claim or by a
listing."""

STOP_SECONDS = 5.0  # the longest wait for the threads of the watch
PROBE_SECONDS = 2.0  # in which the event of the probe file must come

OVERFLOW_LOGGERS = ("watchdog.observers.inotify_c", "watchdog.observers.inotify")

PAIRING = (
    ("watchdog.observers.inotify_move_event_grouper", "InotifyMoveEventGrouper"),  # since 7
    ("watchdog.observers.inotify_buffer", "InotifyBuffer"),
)
"""Where watchdog delays the event of a file moved away, and all later ones, to pair it with the file's new name."""


class NoEventsError(TransientError):
    """This folder raises no events; the message has the cause and the remedy."""


class _Waker(FileSystemEventHandler):
    """Passes on the path of every event; the file itself decides what the event means."""

    def __init__(self, folder: Path, arrived: Callable[[str], None]) -> None:
        self._folder = os.fspath(folder)
        self._arrived = arrived

    def on_any_event(self, event: FileSystemEvent) -> None:
        path = os.fsdecode(event.dest_path or event.src_path)
        name = os.path.relpath(path, self._folder)
        if name != "." and name.split(os.sep)[0] != CLAIMED:
            self._arrived(name)


class _Overflow(logging.Filter):
    """Detects an overflow of the system's event queue by watchdog's log line, its only sign.

    That line, and watchdog's warning about an event during its stop, are not logged.
    """

    def __init__(self, overflowed: Callable[[], None]) -> None:
        super().__init__()
        self._overflowed = overflowed

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "overflow" in message:
            self._overflowed()
        return "overflow" not in message and "thread is inactive" not in message


class Events:
    """A running watch on a folder; `arrived` is called from its thread with names relative to the folder.

    `missed` is called, from that thread too, when the system dropped events.
    """

    def __init__(
        self, folder: Path, recursive: bool, arrived: Callable[[str], None], missed: Callable[[], None]
    ) -> None:
        """Start watching, and test it with a hidden probe file whose event must come.

        Raises:
            NoEventsError: the system has no watch left, or the folder raises no events.
        """
        self._probe_seen = threading.Event()
        self._probe_name = f".probe-{secrets.token_hex(4)}"
        self._arrived = arrived
        self._overflow = _Overflow(missed)
        for name in OVERFLOW_LOGGERS:
            logging.getLogger(name).addFilter(self._overflow)
        self._observer: BaseObserver | None = None
        _disable_pairing()
        warnings.filterwarnings("ignore", category=RuntimeWarning, module="watchdog")  # one a folder, each with all
        try:
            self._observer = Observer()  # takes an inotify instance at once, or fails
            waker = _Waker(folder, self._note)
            self._observer.schedule(waker, os.fspath(folder), recursive=recursive, event_filter=RELEVANT)
            self._observer.start()
        except OSError as error:
            self.stop()
            raise NoEventsError(_why(error)) from error
        if not self._raises_events(folder):
            self.stop()
            raise NoEventsError(f"no event came for a file made in {folder}")

    def alive(self) -> bool:
        """Return whether the observer and each of its emitters still run."""
        if self._observer is None:
            return False
        emitters = self._observer.emitters
        return self._observer.is_alive() and bool(emitters) and all(e.is_alive() for e in emitters)

    def stop(self) -> None:
        """End the watch and its threads."""
        for name in OVERFLOW_LOGGERS:
            logging.getLogger(name).removeFilter(self._overflow)
        if self._observer is not None and self._observer.is_alive():
            # The library's stop waits without a limit for a lock that its reader holds while it walks new
            # folders (again for each level of a deep tree). Both are daemon threads: the process can end.
            stop = threading.Thread(target=self._observer.stop, name="stop-watch", daemon=True)
            stop.start()
            stop.join(STOP_SECONDS)

    def _note(self, name: str) -> None:
        if name == self._probe_name:
            self._probe_seen.set()
        else:
            self._arrived(name)

    def _raises_events(self, folder: Path) -> bool:
        probe = folder / self._probe_name
        probe.touch()
        try:
            return self._probe_seen.wait(PROBE_SECONDS)
        finally:
            with contextlib.suppress(OSError):
                probe.unlink()


def _disable_pairing() -> None:
    """Set the delay to zero: each claim moves a file away, and the next event would come half a second late."""
    for module, name in PAIRING:
        with contextlib.suppress(ImportError, AttributeError):  # another system, or another version
            getattr(importlib.import_module(module), name).delay = 0


def filesystem(folder: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """Return the type of the filesystem that a folder lies on (`ext4`, `nfs4` …), "" where it is unknown."""
    real = os.path.realpath(folder)
    best, kind = "", ""
    with contextlib.suppress(OSError):
        for line in mounts.read_text("utf-8", "surrogateescape").splitlines():
            _, raw, type_, *_ = line.split(" ")
            mount = re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), raw)  # a space stands as \040
            inside = real == mount or real.startswith(mount.rstrip("/") + "/")
            if inside and len(mount) >= len(best):
                best, kind = mount, type_
    return kind


def start(
    folder: Path, mode: str, recursive: bool, arrived: Callable[[str], None], missed: Callable[[], None]
) -> Events | None:
    """Start the watch that `mode` (auto, events, polling) asks for; None: list the folder by a timer."""
    if mode == "polling":
        return None
    kind = filesystem(folder)
    if mode == "auto" and kind.startswith(WITHOUT_EVENTS):
        log.info("%s lies on %s, where events do not come from other machines: polling", folder, kind)
        return None
    try:
        return Events(folder, recursive, arrived, missed)
    except NoEventsError as reason:
        log.warning("no events for %s (%s): polling instead", folder, reason)
        return None


def _why(error: OSError) -> str:
    limits = {24: "fs.inotify.max_user_instances", 28: "fs.inotify.max_user_watches"}  # EMFILE, ENOSPC
    if error.errno in limits:
        return f"the system's limit is used up; raise it with: sysctl {limits[error.errno]}=…"
    return error.strerror or str(error)
