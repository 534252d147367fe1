"""What remains to be done for rejected scans that no worker could finish: withdraw pictures and compute the SHA-256.

It runs in a thread of its own: the digest of a file of hundreds of gigabytes takes minutes, in which the daemon reads
other scans and feeds the watchdog.
"""

import queue
import threading
from collections.abc import Callable

from digitwatch.service import transaction
from digitwatch.spool import claims
from digitwatch.spool.claims import Claim
from digitwatch.system.os_errors import describe
from digitwatch.workers.messages import Gone, Outcome, Rejected, Retry


class Completion:
    """One thread that completes rejected scans in turn."""

    def __init__(self, done: Callable[[Outcome], None], post: Callable[[Callable[[], None]], None]) -> None:
        """Store the callbacks: `done` gets each outcome in the thread to which `post` brings a call."""
        self._done = done
        self._post = post
        self._jobs: queue.SimpleQueue[tuple[Claim, Rejected]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def submit(self, claim: Claim, outcome: Rejected) -> None:
        """Complete a scan; a scan that is not completed when the process ends stays claimed or goes back."""
        self._jobs.put((claim, outcome))
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="completion", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            claim, rejected = self._jobs.get()
            outcome = complete(claim, rejected)
            self._post(lambda outcome=outcome: self._done(outcome))  # type: ignore[misc]


def complete(claim: Claim, rejected: Rejected) -> Outcome:
    """Return the rejected scan with its SHA-256, its claim durable and its pictures withdrawn; or why that failed."""
    try:
        claims.sync_claim(claim)
        return transaction.completed(rejected)
    except FileNotFoundError:
        return Gone(rejected.job)
    except OSError as error:
        return Retry(rejected.job, describe(error), only_this_scan=True)
