"""An eye on the inbox: the watch, the listings that find what it missed, and what to do when either fails."""

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
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.watch_policy import WatchPolicy
from digitwatch.system.os_errors import describe

log = logging.getLogger(__name__)

LATE_SECONDS = 2.0  # a file this old that a listing finds should have been reported by an event
DEAF_AFTER = 3  # listings in a row that found such files
ITS_OWN = (errno.EACCES, errno.EPERM, errno.EXDEV, errno.EBUSY, errno.ENAMETOOLONG)
"""What a rename of one file may be refused for while the inbox lets us take others."""

SHARE = 10  # a listing is followed by so many times its own length without one: a full inbox is to be read too
BETWEEN_SECONDS = 1.0  # two listings asked for by overflows are at least so far apart


class InboxMonitor:
    """Knows which scans wait, by events as far as they come and by listing the folder in any case."""

    def __init__(
        self,
        inbox: Inbox,
        policy: WatchPolicy,
        *,
        post: Callable[[Callable[[], None]], None],
        clock: Callable[[], float],
    ) -> None:
        """Join the parts; `post` brings a call to the thread that owns this object."""
        self.inbox = inbox
        self.next_look = 0.0
        self._policy = policy
        self._post = post
        self._clock = clock
        self._folder: Path = inbox.folder
        self._events: fs_events.Events | None = None
        self._identity: tuple[int, int] | None = None  # of the inbox
        self._locks: dict[tuple[int, int], int] = {}  # of the folders of claims; an old one may have scans in flight
        self._deaf = 0
        self._settled = False  # whether a listing has been made since the watch began
        self._last_look = float("-inf")
        self._pause = 0.0  # seconds between two listings at least
        self._sent = self._received = 0  # events
        self._told = 0  # scans that events reported since the last listing
        self.missed = 0

    def open(self) -> None:
        """Take the inbox for this daemon; again, when it is another folder than it was.

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
            self._tell,
            lambda: self._post(self._overflowed),
        )
        self.next_look = 0.0
        self._deaf = 0
        self._settled = False

    def close(self) -> None:
        """End the watch and let the inbox go."""
        if self._events is not None:
            self._events.stop()
        for handle in self._locks.values():
            os.close(handle)
        self._locks.clear()

    @property
    def watching(self) -> str:
        """Tell how scans are noticed."""
        return "events" if self._events else "polling"

    def look(self) -> None:
        """Mend the watch where that is needed and list the folder.

        Raises:
            AlreadyRunningError: the inbox was replaced by one that another daemon has.
            OSError: the folder is gone or closed to us.
        """
        begun = self._clock()
        self._mend()
        found = self.inbox.sweep()
        self._judge(found)
        self._last_look = self._clock()
        self._pause = SHARE * (self._last_look - begun)
        habitual = self._policy.rescan if self._events else self._policy.poll
        self.next_look = self._last_look + max(habitual, self._pause)

    def claim_next(self) -> Claim | None:
        """Claim the next scan that is ready, or give None.

        Raises:
            OSError: the inbox does not let us take anything.
        """
        while (name := self.inbox.take()) is not None:
            try:
                return claims.claim(self._folder, name)
            except FileNotFoundError:  # its owner took it back, if not the whole inbox is gone
                os.stat(self._folder / CLAIMED)
            except OSError as error:
                if error.errno not in ITS_OWN or not os.access(self._folder, os.W_OK | os.X_OK):
                    raise
                self.inbox.leave(name, f"cannot be taken out of its folder ({describe(error)})")
        return None

    def _tell(self, name: str) -> None:
        """Pass an event on (called in the thread of the watch, the only one that counts here)."""
        self._sent += 1
        self._post(lambda: self._arrived(name))

    def _arrived(self, name: str) -> None:
        self._received += 1
        before = len(self.inbox)
        with contextlib.suppress(OSError):  # the next listing meets the same trouble, and tells it
            self.inbox.note(name)
        self._told += max(0, len(self.inbox) - before)

    def _overflowed(self) -> None:
        soon = self._last_look + max(BETWEEN_SECONDS, self._pause)
        if self.next_look > soon:
            log.info("more came at once than events can tell; listing %s", self._folder)
            self.next_look = soon
            self._settled = False

    def _mend(self) -> None:
        """Begin anew when the watch has died or when the inbox is another folder than it was."""
        os.stat(self._folder)
        if identity(self._folder) != self._identity:
            log.warning("%s is another folder than before; watching it anew", self._folder)
            self.open()
            self.start()
        elif identity(self._folder / CLAIMED) not in self._locks:
            self.open()
        elif self._events is not None and not self._events.alive():
            log.warning("the watch on %s has ended; starting it again", self._folder)
            self.start()

    def _judge(self, found: list[str]) -> None:
        """Turn to polling when listing after listing finds scans that no event reported."""
        told, self._told = self._told, 0
        if self._events is None or not self._settled or self._sent != self._received:
            self._settled = True  # events that still wait their turn are not missed
            return
        late = sum(map(self._is_late, found))
        self.missed += late
        if late:
            self._deaf += 1
        elif told:
            self._deaf = 0
        if self._deaf >= DEAF_AFTER:
            why = "raises no events for what comes in; polling instead, as `watch: polling` would"
            log.warning("%s %s (%d scans were found by listing it only)", self._folder, why, self.missed)
            self._events.stop()
            self._events = None

    def _is_late(self, name: str) -> bool:
        with contextlib.suppress(OSError):
            return time.time() - os.lstat(self._folder / name).st_ctime >= LATE_SECONDS
        return False
