"""Batch mode: reads every scan below a directory once, and leaves the directory unchanged."""

import contextlib
import hashlib
import os
import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
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


SETTINGS_NOTE = ".digitwatch-settings"
"""File in the output folder with the settings that its scans were read with."""

EXAMPLES = 3  # names of passed over files that are printed


class BatchPaused(TransientError):
    """The batch cannot go on (disk full, folder gone); the next run continues where it stopped."""


class WrongOutputError(UsageError):
    """The output folder belongs to another directory, or lies in the one to be read."""


@dataclass(frozen=True)
class ReadingWith:
    """The model and the settings that a run reads with, as texts; another run's may differ.

    model: as rows name it, "" where it is not known before it is made. settings: whatever else decides the readings.
    """

    model: str = ""
    settings: str = ""


class Batch:
    """Every scan below a directory, read once in name order into out/predictions.csv and out/annotated/.

    Attributes:
        statuses: pages by status.
        failures: names and reasons, as the log shows them.
        outdated: scans that another model or other settings read, and that are not read anew.
        difference: which model or settings that was, and which it is now.
        passed_over: what is no scan, in words.
    """

    def __init__(
        self,
        source: Path,
        out: Path,
        ignored: IgnoredNames = IGNORED,
        reading: ReadingWith = ReadingWith(),
        *,
        again: bool = False,
    ) -> None:
        """Store the directory, or the one file, and the output; nothing is touched before `plan`.

        Args:
            source: the directory, or the one file.
            out: the folder of the results.
            ignored: names that are no scans.
            reading: the model and the settings of this run.
            again: whether what another model or other settings read is read anew.
        """
        self._ignored = ignored
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.statuses: Counter[str] = Counter()
        self.failures: list[tuple[str, str]] = []
        self.outdated = 0
        self.difference = ""
        self._passed: dict[str, list[str]] = {}
        self._source = source
        self._directory = source if source.is_dir() else source.parent
        self._out = out
        self._reading = reading
        self._again = again
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
        self._compare_settings()
        names = []
        for name in sorted(self._scans()):
            rows = done.get(self._job(name).id, [])
            if not rows or rows[-1].sha256 != self._digest(name):
                if rows:  # changed since: it may have had more pages then
                    withdraw(self._out / "annotated", name, self._job(name).id)
                names.append(name)
            elif self._is_outdated(rows[-1]) and self._again:
                names.append(name)
            else:
                self.outdated += self._is_outdated(rows[-1])
                self._count([row for row in rows if row.time == rows[-1].time])  # those of its last reading
        return names

    @property
    def passed_over(self) -> str:
        """What is no scan, in words, with examples."""
        if not self._passed:
            return "the folder is empty"
        parts = []
        for kind, names in self._passed.items():
            more = ", …" if len(names) > EXAMPLES else ""
            parts.append(f"{len(names)} {kind} ({', '.join(map(shown_name, names[:EXAMPLES]))}{more})")
        return f"passed over: {', '.join(parts)}"

    def _compare_settings(self) -> None:
        """Compare the settings with those of the earlier runs, which are noted in the output folder."""
        note = self._out / SETTINGS_NOTE
        before = note.read_text("utf-8", "replace").strip() if note.exists() else ""
        if not before:
            self._note_settings()
        elif before != self._reading.settings:
            old, new = before.split(", "), self._reading.settings.split(", ")
            parts = [f"{a}; now {b}" for a, b in zip(old, new, strict=False) if a != b]
            self.difference = f"other settings ({', '.join(parts)})"

    def _note_settings(self) -> None:
        write_durably(self._out / SETTINGS_NOTE, f"{self._reading.settings}\n".encode())
        sync_folder(self._out)

    def _is_outdated(self, row: Row) -> bool:
        """Return whether another model or other settings read a row."""
        if row.model and self._reading.model and row.model != self._reading.model:
            self.difference = self.difference or f"another model ({row.model}; now {self._reading.model})"
            return True
        return self.difference.startswith("other settings")

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
        if self._again:
            self._note_settings()  # not earlier: an interrupted run goes on with what it has not read anew

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
        source = os.fsencode(self._source)
        if not os.path.lexists(note):
            write_durably(note, source + b"\n")
            sync_folder(self._out)
        elif (before := note.read_bytes().rstrip(b"\n")) != source:
            shown = printable(os.fsdecode(before))
            raise WrongOutputError(
                f"{self._out} holds the results of {shown}; choose another --out for {self._source}"
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
        if self._source != self._directory:
            yield self._source.name
            return
        os.listdir(self._directory)
        for folder, folders, files in os.walk(self._directory, onerror=self._cannot_list):
            folders[:] = [name for name in folders if name not in self._ignored]
            if folders and os.path.relpath(folder, self._directory).count(os.sep) + 1 >= DEEPEST:
                name = shown_name(os.path.relpath(folder, self._directory))
                self.failures.append((name, f"the folders in it are nested more than {DEEPEST} deep and are not read"))
                folders.clear()
            for file in files:
                path = Path(folder, file)
                name = os.path.relpath(path, self._directory)
                if file in self._ignored:
                    self._passed.setdefault("hidden or unfinished", []).append(name)
                elif not path.is_file():
                    self._passed.setdefault("no plain file", []).append(name)
                elif not self._is_scan(path):
                    self._passed.setdefault("no image by name or content", []).append(name)
                else:
                    yield name

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
