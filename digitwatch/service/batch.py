"""One-shot mode: the same work over a directory, which is left exactly as it was."""

import contextlib
import hashlib
import os
import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from digitwatch.errors import TransientError
from digitwatch.recognition.image import formats
from digitwatch.service.transaction import completed, rows_of
from digitwatch.spool.annotated_images import withdraw
from digitwatch.spool.claims import lock
from digitwatch.spool.csv_rows import Row, shown_name
from digitwatch.spool.durable_io import digest, sync_folder
from digitwatch.spool.inbox import is_temporary
from digitwatch.spool.log_search import all_rows
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers.messages import Job, Outcome
from digitwatch.workers.pool import CRASHES, Pool

AHEAD = 64  # scans that may be read before the first of them is recorded: rows keep the order of names


class BatchPaused(TransientError):
    """The batch cannot go on (disk full, folder gone); run again it goes on where it stopped."""


class Batch:
    """Every scan below a directory, read once in name order into out/predictions.csv and out/annotated/."""

    def __init__(self, directory: Path, out: Path) -> None:
        """Remember the places; nothing is touched before `plan`."""
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.statuses: Counter[str] = Counter()
        self.failures: list[tuple[str, str]] = []  # names and reasons, as the log shows them
        self._directory = directory
        self._out = out
        self._predictions = PredictionLog(out / "predictions.csv")
        self._lock: int | None = None
        self._outcomes: dict[str, Outcome] = {}
        self._suspects: list[str] = []  # scans over which a worker died: each is read again, alone
        self._crashes: Counter[str] = Counter()
        self._started: dict[str, float] = {}

    def plan(self) -> list[str]:
        """Give the names still to be read, in order; count those that an earlier run has read.

        Raises:
            AlreadyRunningError: another batch writes to the same output.
            OSError: the directory or the output cannot be used.
        """
        self._out.mkdir(parents=True, exist_ok=True)
        sync_folder(self._out.parent)
        self._lock = lock(self._out)
        self._predictions.repair()
        done = self._recorded()
        names = []
        for name in sorted(self._scans()):
            rows = done.get(self._job(name).id, [])
            if rows and rows[-1].sha256 == self._digest(name):
                self._count([row for row in rows if row.sha256 == rows[-1].sha256])
            else:
                if rows:  # changed since: what was drawn of it then may have been of more pages
                    withdraw(self._out / "annotated", name, self._job(name).id)
                names.append(name)
        return names

    def run(self, names: list[str], pool: Pool, model: str, read: Callable[[], None]) -> None:
        """Read the named scans; `read` is called after each.

        Raises:
            BatchPaused: the world does not let us go on.
        """
        waiting = iter(names)
        pending: list[str] = []  # submitted and not yet recorded, in order
        exhausted = False
        while pending or not exhausted:
            if self._suspects and not pool.busy:
                pool.submit(self._job(self._suspects.pop()))
            while pool.free and len(pending) < AHEAD and not exhausted and not self._crashes:
                name = next(waiting, None)
                exhausted = name is None
                if name is not None:
                    pending.append(name)
                    self._started[name] = time.monotonic()
                    pool.submit(self._job(name))
            if pending:
                self._wait(pool)
            while pending and pending[0] in self._outcomes:
                self._record(pending.pop(0), model)
                read()

    def close(self) -> None:
        """Let go of the log and the output, which may be called at any time; another batch may begin then."""
        self._predictions.reopen()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def report(self, outcome: Outcome) -> None:
        """Take what a worker made of a scan (called through `calls`, by the pool)."""
        if outcome.trouble and os.access(outcome.job.source, os.R_OK):
            raise BatchPaused(outcome.trouble)
        if outcome.trouble:
            outcome = replace(outcome, trouble="", failure="it may not be read; give the right to: chmod +r")
        name = outcome.job.name
        if outcome.crashed:
            self._crashes[name] += 1
            if self._crashes[name] <= CRASHES:
                self._suspects.append(name)
                return
            outcome = replace(
                outcome,
                failure=f"it ended the program that reads it {CRASHES} times; the image file is probably damaged",
            )
        self._crashes.pop(name, None)
        self._outcomes[name] = outcome

    def _digest(self, name: str) -> str:
        """Sum the bytes of a scan up; one that is closed to us has the empty sum that its row says."""
        try:
            return digest(self._directory / name)
        except PermissionError:
            return ""

    def _wait(self, pool: Pool) -> None:
        deadline = pool.next_deadline()
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            self.calls.get(timeout=timeout)()
        except queue.Empty:
            pool.expire()

    def _record(self, name: str, model: str) -> None:
        outcome = self._outcomes.pop(name)
        if outcome.gone:  # removed while the batch ran
            return
        with contextlib.suppress(FileNotFoundError, PermissionError):  # gone, or closed to us: it has no sum
            outcome = completed(outcome)
        rows = rows_of(outcome, "", model, time.monotonic() - self._started.pop(name), base=self._out)
        try:
            self._predictions.append(rows)
        except OSError as error:
            raise BatchPaused(f"{error.strerror}: {self._predictions.path}") from error
        self._count(rows)

    def _count(self, rows: list[Row]) -> None:
        self.statuses.update(row.status for row in rows)
        self.failures += [(row.file, row.reason) for row in rows if row.status == "failed"]

    def _job(self, name: str) -> Job:
        """Give the job for a scan; its id depends on its name alone, so that repeated work meets its own."""
        scan = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
        return Job(scan, name, self._directory / name, self._out / "annotated", claimed=False)

    def _scans(self) -> Iterator[str]:
        """Yield the names of the scans below the directory; hidden, temporary and other files are no scans."""
        os.listdir(self._directory)
        for folder, folders, files in os.walk(self._directory, onerror=self._cannot_list):
            folders[:] = [name for name in folders if not is_temporary(name)]
            for file in files:
                path = Path(folder, file)
                if not is_temporary(file) and path.is_file() and self._is_scan(path):
                    yield os.path.relpath(path, self._directory)

    def _cannot_list(self, error: OSError) -> None:
        """Count a folder below the directory that is closed to us as failed; the others are read."""
        name = os.path.relpath(error.filename, self._directory)
        self.failures.append((shown_name(name), f"the folder cannot be listed: {error.strerror}"))

    def _is_scan(self, path: Path) -> bool:
        if path.suffix.lower() in formats.ENDINGS:
            return True
        try:
            with path.open("rb") as file:
                return formats.find(file.read(64)) is not None
        except OSError:
            return True  # it will say what is wrong when it is read

    def _recorded(self) -> dict[str, list[Row]]:
        """Give the rows that an earlier run wrote, by the ids of their scans."""
        recorded: dict[str, list[Row]] = {}
        for row, _ in all_rows(self._predictions.path):
            recorded.setdefault(row.id, []).append(row)
        return recorded
