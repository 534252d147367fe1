"""Work that takes as long as a file is large, in threads of its own.

The digest of a file of hundreds of gigabytes takes minutes, and so does its copy to another disk. Meanwhile the daemon
reads other scans and feeds the watchdog.
"""

import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from digitwatch.service import transaction
from digitwatch.service.transaction import Recorded
from digitwatch.spool import claims
from digitwatch.spool.archive import ClaimVanishedError
from digitwatch.spool.claims import Claim
from digitwatch.spool.folder_probe import can_write
from digitwatch.system.os_errors import describe
from digitwatch.workers.messages import Gone, Outcome, Rejected, Retry

T = TypeVar("T")
Call = Callable[[], None]


class Completion:
    """One thread that does work in turn; it starts with the first."""

    def __init__(self, name: str, post: Callable[[Call], None]) -> None:
        """Store the name of the thread, and `post`, which brings a call to the thread that owns the daemon."""
        self._name = name
        self._post = post
        self._jobs: queue.SimpleQueue[Call] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Do `work` in the thread, then call `done` with its result in the thread that owns the daemon."""
        self._jobs.put(lambda: self._perform(work, done))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
            self._thread.start()

    def _perform(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        try:
            result = work()
        except Exception as error:  # a bug must end the daemon, not leave a scan waiting for ever
            self._post(partial(_raise, error))
        else:
            self._post(lambda: done(result))

    def _run(self) -> None:
        while True:
            self._jobs.get()()


def _raise(error: Exception) -> None:
    raise error


def complete(claim: Claim, rejected: Rejected) -> Outcome:
    """Return a rejected scan that no worker could finish with its SHA-256, its claim durable, its pictures withdrawn.

    A scan for which that fails is returned as `Gone` or `Retry`.
    """
    try:
        claims.sync_claim(claim)
        return transaction.completed(rejected)
    except FileNotFoundError:
        return Gone(rejected.job)
    except OSError as error:
        return Retry(rejected.job, describe(error), only_this_scan=True)


@dataclass(frozen=True)
class Copied:
    """A recorded scan after the attempt to file it on another disk; `error` says why it failed.

    `only_this_scan`: a probe in the folder worked, so that other scans can be filed meanwhile.
    """

    recorded: Recorded
    error: OSError | ClaimVanishedError | None = None
    only_this_scan: bool = False


def copy(recorded: Recorded) -> Copied:
    """Copy a recorded original to its place on another disk and forget its claim.

    It may be repeated after a crash at any point.
    """
    try:
        recorded = transaction.move(recorded)
        transaction.file([recorded])
        return Copied(recorded)
    except ClaimVanishedError as error:
        return Copied(recorded, error)
    except OSError as error:
        return Copied(recorded, error, can_write(recorded.top, f".{recorded.claim.id}-"))
