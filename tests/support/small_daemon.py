"""The daemon with all its files, and a reader that knows nothing: one process that starts fast and dies fast.

    python small_daemon.py DIR [LOG]

It watches DIR/inbox and writes DIR/predictions.csv, or LOG. A scan that begins with the word "broken" cannot
be read, one that begins with "poison" ends the whole process, any other has as many pages as its second byte
says. Reading, publishing, recording and filing happen in one thread, so that a test can stop the process
between any two of its steps. SMALL_WATCH=auto lets it listen to events, and
SMALL_RESCAN says after how many seconds it lists the folder all the same.
"""

import hashlib
import logging
import os
import signal
import sys
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from digitwatch.log_codes import Status
from digitwatch.service.completion import Completion, T
from digitwatch.service.daemon import Daemon
from digitwatch.service.profile import ProfileParts
from digitwatch.service.signals import listen
from digitwatch.spool.annotated_images import publish
from digitwatch.spool.claims import Claim, sync_claim
from digitwatch.spool.folders import Folders
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.spool.watch_policy import WatchPolicy
from digitwatch.workers.messages import Gone, Job, Outcome, PageResult, Read, Rejected, Retry


def _chunk(kind: bytes, body: bytes) -> bytes:
    return len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")


PICTURE = (
    b"\x89PNG\r\n\x1a\n"
    + _chunk(b"IHDR", bytes([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]))
    + _chunk(b"IDAT", zlib.compress(b"\0\0"))
    + _chunk(b"IEND", b"")
)


class CopiesAtOnce(Completion):
    """Stands where the thread for copies to another disk stands, and copies in the thread of the daemon."""

    def submit(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Copy; the result is reported with the next calls, as from a thread."""
        self._perform(work, done)


class ReadsAtOnce:
    """Stands where the pool stands, and reads each scan in the thread of the daemon.

    Two are taken before the first is reported, so that they are recorded and filed together.
    """

    busy = 0
    free = places = 2
    models: ClassVar = {"": "none-00000000"}
    spent: ClassVar[dict[str, float]] = {"": 0.0}

    def __init__(self, report: Callable[[Outcome], None], post: Callable[[Callable[[], None]], None]) -> None:
        """Store the callbacks."""
        self._report = report
        self._post = post

    def begin(self) -> None:
        """Need no time to be ready."""

    def start(self) -> str:
        """Return the name of the model."""
        return self.models[""]

    def submit(self, job: Job) -> None:
        """Read a scan; the outcome comes with the next calls, as from a worker."""
        self.busy, self.free = self.busy + 1, self.free - 1
        outcome: Outcome
        try:
            outcome = self._read(job)
        except FileNotFoundError as error:
            outcome = Gone(job) if error.filename == str(job.source) else Retry(job, str(error))
        except OSError as error:
            outcome = Retry(job, str(error))
        self._post(lambda: self._done(outcome))

    def _read(self, job: Job) -> Outcome:
        with job.source.open("rb") as file:
            data = file.read()
            os.fsync(file.fileno())
        sync_claim(Claim(job.id, job.name, job.source))
        sha256 = hashlib.sha256(data).hexdigest()
        if data.startswith(b"poison"):
            os.kill(os.getpid(), signal.SIGKILL)
        if data.startswith(b"broken"):
            return Rejected(job, "is broken", sha256)
        pages = []
        for number in range(1, data[1] + 1):
            name = job.name if number == 1 else f"{job.name}.{number}"
            picture = publish(PICTURE, job.outbox, name, f"{job.id}/{number}")
            pages.append(PageResult(number, "7", 0.99, Status.OK, "", "7:0.990", picture))
        return Read(job, sha256, tuple(pages))

    def _done(self, outcome: Outcome) -> None:
        self.busy, self.free = self.busy - 1, self.free + 1
        self._report(outcome)

    def expire(self) -> None:
        """Have no time limit."""

    def next_deadline(self) -> None:
        """Have no time limit."""

    def stop(self) -> None:
        """Have nothing to stop."""


def make(base: Path, log: Path | None = None) -> tuple[Daemon, ReadsAtOnce]:
    """Make the folders below `base`, the daemon and its reader."""
    for name in ("inbox", "outbox", "archive", "failed"):
        (base / name).mkdir(exist_ok=True)
    places = Folders(base / "inbox", base / "outbox", base / "archive", base / "failed", base)
    inbox = Inbox(places.inbox, settle=0.0, recursive=False, is_complete=lambda *_: True, clock=time.monotonic)
    rescan = float(os.environ.get("SMALL_RESCAN", "1"))
    habits = WatchPolicy(os.environ.get("SMALL_WATCH", "polling"), False, rescan, 0.1, 0)
    parts = ProfileParts(places, inbox, PredictionLog(log or base / "predictions.csv"), habits)
    daemon = Daemon([parts], clock=time.monotonic)
    daemon.profiles[""].in_flight.copies = CopiesAtOnce("copies", daemon.calls.put)
    return daemon, ReadsAtOnce(daemon.report, daemon.calls.put)


def main(base: Path, log: Path | None = None) -> None:
    """Watch until stopped."""
    logging.basicConfig(format="%(levelname)s %(message)s", level=logging.INFO, stream=sys.stderr)
    daemon, pool = make(base, log)
    listen(daemon)
    daemon.run(pool)  # type: ignore[arg-type]


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
