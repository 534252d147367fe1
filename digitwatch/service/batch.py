"""Batch mode: reads every scan below a directory once, and leaves the directory unchanged."""

import contextlib
import hashlib
import os
import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from digitwatch.errors import TransientError, UsageError
from digitwatch.log_codes import Status
from digitwatch.recognition.image import formats
from digitwatch.service.transaction import completed, rows_of
from digitwatch.spool.annotated_images import withdraw
from digitwatch.spool.claims import lock
from digitwatch.spool.csv_rows import Row, printable, shown_name
from digitwatch.spool.durable_io import digest, sync_folder, write_durably
from digitwatch.spool.ignored_names import IGNORED, IgnoredNames
from digitwatch.spool.inbox import DEEPEST
from digitwatch.spool.log_search import all_rows
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers import page_journal
from digitwatch.workers.messages import Crashed, Gone, Job, Outcome, Read, Rejected, Retry
from digitwatch.workers.pool import CRASHES, Pool

AHEAD = 64  # scans that may be read before the first of them is recorded: rows keep the order of names


SOURCE_NOTE = ".digitwatch-source"
"""File in the output folder with the path of the directory that was read into it."""


class BatchPaused(TransientError):
    """The batch cannot go on (disk full, folder gone); the next run continues where it stopped."""


class WrongOutputError(UsageError):
    """The output folder belongs to another directory, or lies in the one to be read."""


class Batch:
    """Every scan below a directory, read once in name order into out/predictions.csv and out/annotated/."""

    def __init__(self, directory: Path, out: Path, ignored: IgnoredNames = IGNORED) -> None:
        """Store the folders, and the names that are no scans; nothing is touched before `plan`."""
        self._ignored = ignored
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.statuses: Counter[str] = Counter()
        self.failures: list[tuple[str, str]] = []  # names and reasons, as the log shows them
        self._directory = directory
        self._out = out
        self._predictions = PredictionLog(out / "predictions.csv")
        self._lock: int | None = None
        self._outcomes: dict[str, Read | Rejected | Gone] = {}
        self._suspects: list[str] = []  # scans during which a worker died: each is read again, alone
        self._crashes: Counter[str] = Counter()
        self._started: dict[str, float] = {}

    def plan(self) -> list[str]:
        """Return the names still to be read, in order; count those that an earlier run has read.

        Raises:
            AlreadyRunningError: another batch writes to the same output.
            WrongOutputError: the output belongs to another directory.
            OSError: the directory or the output cannot be used.
        """
        self._out.mkdir(parents=True, exist_ok=True)
        sync_folder(self._out.parent)
        self._lock = lock(self._out)
        self._bind()
        self._predictions.repair()
        done = self._recorded()
        names = []
        for name in sorted(self._scans()):
            rows = done.get(self._job(name).id, [])
            if rows and rows[-1].sha256 == self._digest(name):
                self._count([row for row in rows if row.sha256 == rows[-1].sha256])
            else:
                if rows:  # changed since: it may have had more pages then
                    withdraw(self._out / "annotated", name, self._job(name).id)
                names.append(name)
        return names

    def run(self, names: list[str], pool: Pool, model: str, read: Callable[[], None]) -> None:
        """Read the named scans; `read` is called after each.

        Raises:
            BatchPaused: an environment error.
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
        """Close the log and unlock the output for the next batch; may be called at any time."""
        self._predictions.reopen()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def report(self, outcome: Outcome) -> None:
        """Handle the outcome of a scan (called through `calls`, by the pool).

        Raises:
            BatchPaused: an environment error keeps all scans from being read.
        """
        job = outcome.job
        match outcome:
            case Read() | Rejected() | Gone():
                self._finish(outcome)
            case Retry() if not os.access(job.source, os.R_OK):
                self._finish(Rejected(job, "it may not be read; give the right to: chmod +r"))
            case Retry(only_this_scan=True):
                self._finish(Rejected(job, f"it cannot be read: {outcome.reason}"))
            case Retry():
                raise BatchPaused(outcome.reason)
            case Crashed():
                self._crashes[job.name] += 1
                if self._crashes[job.name] <= CRASHES:
                    self._suspects.append(job.name)
                    return
                reason = f"it ended the program that reads it {CRASHES} times; the image file is probably damaged"
                self._finish(Rejected(job, reason))

    def _finish(self, outcome: Read | Rejected | Gone) -> None:
        self._crashes.pop(outcome.job.name, None)
        self._outcomes[outcome.job.name] = outcome

    def _bind(self) -> None:
        """Note in the output folder which directory it belongs to: two directories would share names of pictures.

        Raises:
            WrongOutputError: it belongs to another directory, or its pictures would be written into the directory.
        """
        pictures = Path(os.path.realpath(self._out / "annotated"))
        if pictures.is_relative_to(self._directory) and pictures != self._out / "annotated":
            raise WrongOutputError(f"{self._out / 'annotated'} is a link into {self._directory}; remove the link")
        if self._directory.is_relative_to(pictures):
            raise WrongOutputError(
                f"{self._directory} holds the pictures of an earlier run; read the folder of the scans"
            )
        note = self._out / SOURCE_NOTE
        source = os.fsencode(self._directory)
        if not os.path.lexists(note):
            write_durably(note, source + b"\n")
            sync_folder(self._out)
        elif (before := note.read_bytes().rstrip(b"\n")) != source:
            shown = printable(os.fsdecode(before))
            raise WrongOutputError(
                f"{self._out} holds the results of {shown}; choose another --out for {self._directory}"
                f" (or remove {note.name} there when {shown} was moved)"
            )

    def _digest(self, name: str) -> str:
        """Return the SHA-256 of a scan; "" for one that cannot be read, as in its row."""
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
        if isinstance(outcome, Gone):  # removed while the batch ran
            return
        if isinstance(outcome, Rejected):
            with contextlib.suppress(OSError):  # gone, or not readable: it has no SHA-256
                outcome = completed(outcome)
        rows = rows_of(outcome, "", model, time.monotonic() - self._started.pop(name), base=self._out)
        try:
            self._predictions.append(rows)
        except OSError as error:
            raise BatchPaused(f"{error.strerror}: {self._predictions.path}") from error
        with contextlib.suppress(OSError):
            page_journal.place(self._job(name)).unlink()
        self._count(rows)

    def _count(self, rows: list[Row]) -> None:
        self.statuses.update(row.status for row in rows)
        self.failures += [(row.file, row.reason) for row in rows if row.status == Status.FAILED]

    def _job(self, name: str) -> Job:
        """Return the job for a scan; its id depends only on its name, so that a repetition replaces its pictures."""
        scan = hashlib.sha256(os.fsencode(name)).hexdigest()[:16]
        return Job(scan, name, self._directory / name, self._out / "annotated", claimed=False)

    def _scans(self) -> Iterator[str]:
        """Yield the names of the scans below the directory; files that are ignored or of another kind are left out."""
        os.listdir(self._directory)
        for folder, folders, files in os.walk(self._directory, onerror=self._cannot_list):
            folders[:] = [name for name in folders if name not in self._ignored]
            if folders and os.path.relpath(folder, self._directory).count(os.sep) + 1 >= DEEPEST:
                name = shown_name(os.path.relpath(folder, self._directory))
                self.failures.append((name, f"the folders in it are nested more than {DEEPEST} deep and are not read"))
                folders.clear()
            for file in files:
                path = Path(folder, file)
                if file not in self._ignored and path.is_file() and self._is_scan(path):
                    yield os.path.relpath(path, self._directory)

    def _cannot_list(self, error: OSError) -> None:
        """Count a folder that cannot be listed as failed; the others are read."""
        name = os.path.relpath(error.filename, self._directory)
        self.failures.append((shown_name(name), f"the folder cannot be listed: {error.strerror}"))

    def _is_scan(self, path: Path) -> bool:
        if path.suffix.lower() in formats.ENDINGS:
            return True
        try:
            with path.open("rb") as file:
                return formats.find(file.read(64)) is not None
        except OSError:
            return True  # the reading reports the error

    def _recorded(self) -> dict[str, list[Row]]:
        """Return the rows of earlier runs, by the ids of their scans."""
        recorded: dict[str, list[Row]] = {}
        for row, _ in all_rows(self._predictions.path):
            recorded.setdefault(row.id, []).append(row)
        return recorded
