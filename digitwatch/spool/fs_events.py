"""Who tells that a file has come: the system's events where they work, else a timer."""

import contextlib
import importlib
import logging
import os
import re
import secrets
import threading
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
"""Filesystems (as /proc/mounts names them, by their beginning) whose other writers raise no events here."""

HEARD: list[type[FileSystemEvent]] = [
    FileCreatedEvent,
    FileModifiedEvent,
    FileMovedEvent,
    FileClosedEvent,
    DirCreatedEvent,
    DirMovedEvent,
]
"""Events after which there may be something to read. That a file was opened, closed unchanged or taken away is told of
each scan that we take ourselves, four times; what others take away is missed when its turn comes, or by a listing."""

STOP_SECONDS = 5.0  # the longest wait for the threads of the watch
CANARY_SECONDS = 2.0

OVERFLOW_TOLD_BY = ("watchdog.observers.inotify_c", "watchdog.observers.inotify")


PAIRING = (
    ("watchdog.observers.inotify_move_event_grouper", "InotifyMoveEventGrouper"),  # since 7
    ("watchdog.observers.inotify_buffer", "InotifyBuffer"),
)
"""Where watchdog keeps an event of a file moved away, and all others behind it, to see where the file goes."""


class NoEventsError(TransientError):
    """Events cannot be had for this folder; the message says why and what would help."""


class _Waker(FileSystemEventHandler):
    """Passes the path of every event on; what the event means is decided by looking at the file."""

    def __init__(self, folder: Path, arrived: Callable[[str], None]) -> None:
        self._folder = os.fspath(folder)
        self._arrived = arrived

    def on_any_event(self, event: FileSystemEvent) -> None:
        path = os.fsdecode(event.dest_path or event.src_path)
        name = os.path.relpath(path, self._folder)
        if name != "." and name.split(os.sep)[0] != CLAIMED:
            self._arrived(name)


class _Overflow(logging.Filter):
    """Hears watchdog say that the system's queue ran over, which it tells in no other way.

    Neither that nor watchdog's complaint about an event that comes while it stops is passed on to people.
    """

    def __init__(self, heard: Callable[[], None]) -> None:
        super().__init__()
        self._heard = heard

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if "overflow" in message:
            self._heard()
        return "overflow" not in message and "thread is inactive" not in message


class Events:
    """A running watch on a folder; `arrived` is called from its thread with names relative to the folder.

    `missed` is called, from that thread too, when the system dropped events.
    """

    def __init__(
        self, folder: Path, recursive: bool, arrived: Callable[[str], None], missed: Callable[[], None]
    ) -> None:
        """Start watching and prove it with a dot-file whose event must come.

        Raises:
            NoEventsError: the system has no watch left, or the folder raises no events.
        """
        self._canary = threading.Event()
        self._canary_name = f".canary-{secrets.token_hex(4)}"
        self._arrived = arrived
        self._overflow = _Overflow(missed)
        for name in OVERFLOW_TOLD_BY:
            logging.getLogger(name).addFilter(self._overflow)
        self._observer: BaseObserver | None = None
        _hold_nothing_back()
        try:
            self._observer = Observer()  # takes an inotify instance at once, or fails
            waker = _Waker(folder, self._note)
            self._observer.schedule(waker, os.fspath(folder), recursive=recursive, event_filter=HEARD)
            self._observer.start()
        except OSError as error:
            self.stop()
            raise NoEventsError(_why(error)) from error
        if not self._sings(folder):
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
        for name in OVERFLOW_TOLD_BY:
            logging.getLogger(name).removeFilter(self._overflow)
        if self._observer is not None and self._observer.is_alive():
            # The library's stop waits without a limit for a lock that its reader holds while it walks new
            # folders (again for each level of a deep tree). Both are daemon threads: the process can end.
            stop = threading.Thread(target=self._observer.stop, name="stop-watch", daemon=True)
            stop.start()
            stop.join(STOP_SECONDS)

    def _note(self, name: str) -> None:
        if name == self._canary_name:
            self._canary.set()
        else:
            self._arrived(name)

    def _sings(self, folder: Path) -> bool:
        canary = folder / self._canary_name
        canary.touch()
        try:
            return self._canary.wait(CANARY_SECONDS)
        finally:
            with contextlib.suppress(OSError):
                canary.unlink()


def _hold_nothing_back() -> None:
    """Let no event wait: each claim moves a file away, and the next scan would be told half a second late."""
    for module, name in PAIRING:
        with contextlib.suppress(ImportError, AttributeError):  # another system, or another version
            getattr(importlib.import_module(module), name).delay = 0


def filesystem(folder: Path, mounts: Path = Path("/proc/mounts")) -> str:
    """Return the type of the filesystem that a folder lies on (`ext4`, `nfs4` …), "" where it is not told."""
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
