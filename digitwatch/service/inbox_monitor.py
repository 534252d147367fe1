"""Monitor of the inbox: the watch, the listings that find what it missed, and the recovery of both."""

import contextlib
import errno
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

from digitwatch.spool import claims, fs_events
from digitwatch.spool.claims import CLAIMED, Claim
from digitwatch.spool.durable_io import identity
from digitwatch.spool.folder_probe import can_write
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.watch_policy import WatchPolicy
from digitwatch.system.os_errors import describe

log = logging.getLogger(__name__)

LATE_SECONDS = 2.0  # a file this old that only a listing finds should have been reported by an event
MISSED_SWEEPS = 3  # listings in a row that found such files
OF_THE_DISK = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EMFILE, errno.ENFILE, errno.ENOMEM)
"""Errors that are never those of one file."""

SHARE = 10  # after a listing, the next one waits this many times its duration: a full inbox must be read, too
BETWEEN_SECONDS = 1.0  # two listings asked for by overflows are at least so far apart


class InboxMonitor:
    """Knows which scans wait, by events where they come and by listing the folder in any case."""

    def __init__(
        self,
        inbox: Inbox,
        policy: WatchPolicy,
        *,
        post: Callable[[Callable[[], None]], None],
        clock: Callable[[], float],
    ) -> None:
        """Store the parts; `post` brings a call to the thread that owns this object."""
        self.inbox = inbox
        self.next_sweep = 0.0
        self._policy = policy
        self._post = post
        self._clock = clock
        self._folder: Path = inbox.folder
        self._events: fs_events.Events | None = None
        self._identity: tuple[int, int] | None = None  # of the inbox
        self._locks: dict[tuple[int, int], int] = {}  # of the folders of claims; an old one may have scans in flight
        self._misses = 0
        self._settled = False  # whether a listing has been made since the watch began
        self._last_sweep = float("-inf")
        self._pause = 0.0  # seconds between two listings at least
        self._sent = self._received = 0  # events
        self._reported = 0  # scans that events reported since the last listing
        self.missed = 0

    def open(self) -> None:
        """Lock the inbox for this daemon; again, when it was replaced by another folder.

        Raises:
            AlreadyRunningError: another daemon has it.
            OSError: the folder cannot be used.
        """
        home = self._folder / CLAIMED
        if (now := identity(home)) is None or now not in self._locks or home.is_symlink():
            handle = claims.lock_inbox(self._folder)
            status = os.stat(home)
            self._locks[status.st_dev, status.st_ino] = handle
        self._identity = identity(self._folder)

    def start(self) -> None:
        """(Re)start the watch; the next listing finds what came before it."""
        if self._events is not None:
            self._events.stop()
        self._events = fs_events.start(
            self._folder,
            self._policy.watch,
            self._policy.recursive,
            self._event,
            lambda: self._post(self._overflowed),
        )
        self.next_sweep = 0.0
        self._misses = 0
        self._settled = False

    def close(self) -> None:
        """End the watch and unlock the inbox."""
        if self._events is not None:
            self._events.stop()
        for handle in self._locks.values():
            os.close(handle)
        self._locks.clear()

    @property
    def watching(self) -> str:
        """Return how scans are noticed."""
        return "events" if self._events else "polling"

    def sweep(self) -> None:
        """Restart the watch where that is needed and list the folder.

        Raises:
            AlreadyRunningError: the inbox was replaced by one that another daemon has.
            OSError: the folder is gone or closed to us.
        """
        begun = self._clock()
        self._repair()
        found = self.inbox.sweep()
        self._judge(found)
        self._last_sweep = self._clock()
        self._pause = SHARE * (self._last_sweep - begun)
        habitual = self._policy.rescan if self._events else self._policy.poll
        self.next_sweep = self._last_sweep + max(habitual, self._pause)

    def claim_next(self) -> Claim | None:
        """Claim the next scan that is ready and return it, or None.

        One that cannot be claimed while the inbox works is left there.

        Raises:
            OSError: nothing can be claimed.
        """
        while (name := self.inbox.take()) is not None:
            try:
                return claims.claim(self._folder, name)
            except FileNotFoundError:  # removed by its owner, if the inbox is still there
                os.stat(self._folder / CLAIMED)
            except OSError as error:
                if error.errno in OF_THE_DISK or not self._works():
                    raise
                self.inbox.leave(name, f"cannot be taken out of its folder ({describe(error)})")
        return None

    def continued(self, claim: Claim) -> None:
        """Note that a scan was written to after it had been claimed."""
        with contextlib.suppress(OSError):
            self.inbox.continued(claim.name, os.lstat(claim.path))

    def _works(self) -> bool:
        """Return whether scans can be taken: the inbox is writable and a file can be made among the claims."""
        home = self._folder / CLAIMED
        return os.access(self._folder, os.W_OK | os.X_OK) and can_write(home, f"{claims.new_id()}.")

    def _event(self, name: str) -> None:
        """Pass an event on (called in the thread of the watch, the only one that writes `_sent`)."""
        self._sent += 1
        self._post(lambda: self._arrived(name))

    def _arrived(self, name: str) -> None:
        self._received += 1
        before = len(self.inbox)
        with contextlib.suppress(OSError):  # the next listing reports the same error
            self.inbox.note(name)
        self._reported += max(0, len(self.inbox) - before)

    def _overflowed(self) -> None:
        soon = self._last_sweep + max(BETWEEN_SECONDS, self._pause)
        if self.next_sweep > soon:
            log.info("the system dropped events; listing %s", self._folder)
            self.next_sweep = soon
            self._settled = False

    def _repair(self) -> None:
        """Restart the watch when it has died or when the inbox was replaced."""
        os.stat(self._folder)
        if identity(self._folder) != self._identity:
            log.warning("%s was replaced by another folder; restarting the watch", self._folder)
            self.open()
            self.start()
        elif identity(self._folder / CLAIMED) not in self._locks:
            self.open()
        elif self._events is not None and not self._events.alive():
            log.warning("the watch on %s has ended; restarting it", self._folder)
            self.start()

    def _judge(self, found: list[str]) -> None:
        """Change to polling when listing after listing finds scans that no event reported."""
        reported, self._reported = self._reported, 0
        if self._events is None or not self._settled or self._sent != self._received:
            self._settled = True  # events that are still queued are not missed
            return
        late = sum(map(self._is_late, found))
        self.missed += late
        if late:
            self._misses += 1
        elif reported:
            self._misses = 0
        if self._misses >= MISSED_SWEEPS:
            why = "raises no events for what comes in; polling instead, as `watch: polling` would"
            log.warning("%s %s (%d scans were found by listing it only)", self._folder, why, self.missed)
            self._events.stop()
            self._events = None

    def _is_late(self, name: str) -> bool:
        with contextlib.suppress(OSError):
            return time.time() - os.lstat(self._folder / name).st_ctime >= LATE_SECONDS
        return False
