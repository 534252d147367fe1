"""Batch mode: reads every scan below a directory once, and leaves the directory unchanged."""

import contextlib
import hashlib
import os
import queue
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from digitwatch.errors import TransientError, UsageError
from digitwatch.log_codes import Status
from digitwatch.service.scan_listing import NameFile, Passed, ScanListing
from digitwatch.service.shard import Shard
from digitwatch.service.transaction import completed, rows_of
from digitwatch.spool.annotated_images import withdraw
from digitwatch.spool.batch_index import BatchIndex, Entry, Stamp, stamp_of
from digitwatch.spool.claims import lock
from digitwatch.spool.csv_rows import Row, printable, shown_name
from digitwatch.spool.durable_io import digest, sync_folder, write_durably
from digitwatch.spool.ignored_names import IGNORED, IgnoredNames
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers import page_journal
from digitwatch.workers.messages import Crashed, Gone, Job, Outcome, Read, Rejected, Retry
from digitwatch.workers.pool import CRASHED, CRASHES

AHEAD = 64  # scans that may be read before the first of them is recorded: rows keep the order of names
GROUP = 64  # scans whose rows are written together at most, where so many are read: one sync for all of them
LISTED = 10_000  # failures that are kept for the list at the end; all are in the log

SOURCE_NOTE = ".digitwatch-source"
"""File in the output folder with the path of the directory that was read into it."""

SHARD_NOTE = ".digitwatch-shard"
"""File in the output folder of a shard: `3/8`."""

FINISHED_NOTE = ".digitwatch-finished"
"""File in the output folder of a shard that has read all its scans: their number."""


SETTINGS_NOTE = ".digitwatch-settings"
"""File in the output folder with the settings that its scans were read with."""


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


class Workers(Protocol):
    """What a batch needs of `workers.pool.Pool` and of `workers.ray_pool.RayPool`."""

    @property
    def ahead(self) -> int:
        """Return how many scans may be read before the first of them is recorded: rows keep the order of names."""

    @property
    def free(self) -> int:
        """Return how many more scans may be submitted now."""

    @property
    def busy(self) -> int:
        """Return how many scans are being read or wait for a worker."""

    def submit(self, job: Job) -> None:
        """Send a scan to a worker."""

    def next_deadline(self) -> float | None:
        """Return the clock time at which `expire` must next be called, or None."""

    def expire(self) -> None:
        """Give up what has taken too long."""


class Batch:
    """Every scan below a directory, read once in name order into out/predictions.csv and out/annotated/.

    Attributes:
        statuses: pages by status.
        failures: names and reasons of the first LISTED failures, as the log shows them.
        failed: scans and folders that failed.
        outdated: scans that another model or other settings read, and that are not read anew.
        difference: which model or settings that was, and which it is now.
    """

    def __init__(
        self,
        source: Path,
        out: Path,
        ignored: IgnoredNames = IGNORED,
        reading: ReadingWith = ReadingWith(),
        shard: Shard | None = None,
        *,
        again: bool = False,
    ) -> None:
        """Store the directory, or the one file, and the output; nothing is touched before `plan`.

        Args:
            source: the directory, or the one file.
            out: the folder of the results.
            ignored: names that are no scans.
            reading: the model and the settings of this run.
            shard: the part of the scans to read, None for all.
            again: whether what another model or other settings read is read anew.
        """
        self._ignored = ignored
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.statuses: Counter[str] = Counter()
        self.failures: list[tuple[str, str]] = []
        self.failed = 0
        self.outdated = 0
        self.difference = ""
        self._passed: dict[str, Passed] = {}
        self._source = source
        self._directory = source if source.is_dir() else source.parent
        self._out = out
        self._reading = reading
        self._again = again
        self._shard = shard
        self._listed = 0  # scans
        self._predictions = PredictionLog(out / "predictions.csv")
        self._index = BatchIndex(out, self._predictions.path)
        self._names: NameFile | None = None
        self._lock: int | None = None
        self._outcomes: dict[str, Read | Rejected | Gone] = {}
        self._suspects: list[str] = []  # scans during which a worker died: each is read again, alone
        self._crashes: Counter[str] = Counter()
        self._started: dict[str, float] = {}

    def plan(self, *, verify: bool = False) -> NameFile:
        """Return the names still to be read, in order; count those that an earlier run has read.

        A file that has the size, time and inode that it was read with is not read again, except to `verify` it.

        Raises:
            AlreadyRunningError: another batch writes to the same output.
            IndexDamagedError: the index of an earlier run is damaged; the next run makes it anew.
            WrongOutputError: the output belongs to another directory.
            OSError: the directory or the output cannot be used.
        """
        self._out.mkdir(parents=True, exist_ok=True)
        sync_folder(self._out.parent)
        self._lock = lock(self._out)
        self._bind()
        (self._out / FINISHED_NOTE).unlink(missing_ok=True)
        self._predictions.repair()
        self._compare_settings()
        self._index.open()
        self._names = NameFile(self._out)
        for name in self._scans():
            if self._shard is None or self._shard.holds(scan_id(name)):
                self._listed += 1
                if not self._is_recorded(name, verify):
                    self._names.add(os.fsencode(name))
        return self._names

    def _scans(self) -> Iterable[str]:
        """Return the names of the scans below the directory, or of the one file, in order."""
        if self._source != self._directory:
            return [self._source.name]
        listing = ScanListing(self._directory, self._out, self._fail, self._ignored)
        self._passed = listing.passed
        return listing

    def _is_recorded(self, name: str, verify: bool) -> bool:
        """Return whether the rows of a scan are those of its file as it is now and may stay, and count them."""
        scan = scan_id(name)
        entry = self._index.find(scan)
        if entry is None:
            return False
        stamp = self._stamp(name)
        if verify or stamp is None or stamp != entry.stamp:
            if entry.sha256 != self._digest(name):  # changed since: it may have had more pages then
                withdraw(self._out / "annotated", name, scan)
                return False
            self._index.confirm(scan, stamp)
        is_outdated = self._is_outdated(entry)
        if is_outdated and self._again:
            return False
        self.outdated += is_outdated
        self._count_entry(name, entry)
        return True

    @property
    def passed_over(self) -> str:
        """What is no scan, in words, with examples."""
        if not self._passed:
            return "the folder is empty"
        parts = []
        for kind, passed in self._passed.items():
            more = ", …" if passed.number > len(passed.examples) else ""
            parts.append(f"{passed.number} {kind} ({', '.join(map(shown_name, passed.examples))}{more})")
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

    def _is_outdated(self, entry: Entry) -> bool:
        """Return whether another model or other settings read a scan."""
        if entry.model and self._reading.model and entry.model != self._reading.model:
            self.difference = self.difference or f"another model ({entry.model}; now {self._reading.model})"
            return True
        return self.difference.startswith("other settings")

    def run(self, names: Iterable[str], pool: Workers, model: str, read: Callable[[], None]) -> None:
        """Read the named scans; `read` is called after each.

        Raises:
            BatchPaused: an environment error.
        """
        waiting = iter(names)
        pending: deque[str] = deque()  # submitted and not yet recorded, in order
        exhausted = False
        while pending or not exhausted:
            if self._suspects and not pool.busy:
                pool.submit(self._job(self._suspects.pop()))
            while pool.free and len(pending) < pool.ahead and not exhausted and not self._crashes:
                name = next(waiting, None)
                exhausted = name is None
                if name is not None:
                    pending.append(name)
                    self._started[name] = time.monotonic()
                    pool.submit(self._job(name))
            if pending:
                self._wait(pool)
            while ready := self._ready(pending):
                self._record(ready, model)
                for _ in ready:
                    read()
        if self._again:
            self._note_settings()  # not earlier: an interrupted run goes on with what it has not read anew

    def finish(self) -> None:
        """Note that all scans of a shard are recorded: it may be merged.

        Raises:
            OSError: the note cannot be written.
        """
        if self._shard is not None:
            write_durably(self._out / FINISHED_NOTE, f"{self._listed}\n".encode())
            sync_folder(self._out)

    def close(self) -> None:
        """Close the log and unlock the output for the next batch; may be called at any time."""
        self._index.close()
        if self._names is not None:
            self._names.close()
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
                self._finish(Rejected(job, CRASHED))

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
            if self._shard is not None:
                write_durably(self._out / SHARD_NOTE, f"{self._shard}\n".encode())
            write_durably(note, source + b"\n")
            sync_folder(self._out)
        elif (before := note.read_bytes().rstrip(b"\n")) != source:
            shown = printable(os.fsdecode(before))
            raise WrongOutputError(
                f"{self._out} holds the results of {shown}; choose another --out for {self._source}"
                f" (or remove {note.name} there when {shown} was moved)"
            )
        if (held := shard_of(self._out)) != self._shard:
            raise WrongOutputError(
                f"{self._out} holds {f'the shard {held}' if held else 'a run without --shard'}; "
                f"choose another --out for {f'--shard {self._shard}' if self._shard else 'a run without --shard'}"
            )

    def _digest(self, name: str) -> str:
        """Return the SHA-256 of a scan; "" for one that cannot be read, as in its row."""
        try:
            return digest(self._directory / name)
        except PermissionError:
            return ""

    def _wait(self, pool: Workers) -> None:
        deadline = pool.next_deadline()
        timeout = None if deadline is None else max(0.0, deadline - time.monotonic())
        try:
            self.calls.get(timeout=timeout)()
        except queue.Empty:
            pool.expire()
        with contextlib.suppress(queue.Empty):  # what came while rows were written is recorded together
            while True:
                self.calls.get_nowait()()

    def _ready(self, pending: deque[str]) -> list[str]:
        """Remove and return the next names that can be recorded: rows keep the order of names."""
        ready: list[str] = []
        while pending and pending[0] in self._outcomes and len(ready) < GROUP:
            ready.append(pending.popleft())
        return ready

    def _record(self, names: list[str], model: str) -> None:
        """Write the rows of several scans with one sync.

        Raises:
            BatchPaused: the log cannot be written; none of the scans is recorded.
        """
        outcomes = [(name, self._outcomes.pop(name)) for name in names]
        done = [(name, _completed(outcome)) for name, outcome in outcomes if not isinstance(outcome, Gone)]
        rows = [row for name, outcome in done for row in self._rows(name, outcome, model)]
        if not rows:  # all were removed while the batch ran
            return
        try:
            self._predictions.append(rows)
        except OSError as error:
            raise BatchPaused(f"{error.strerror}: {self._predictions.path}") from error
        for name, outcome in done:
            self._index.recorded(outcome.job.id, self._stamp_as_read(name, outcome))
            with contextlib.suppress(OSError):
                page_journal.place(self._job(name)).unlink()
        self._count(rows)

    def _rows(self, name: str, outcome: Read | Rejected, model: str) -> list[Row]:
        return rows_of(outcome, "", model, time.monotonic() - self._started.pop(name), base=self._out)

    def _count(self, rows: list[Row]) -> None:
        self.statuses.update(row.status for row in rows)
        for row in rows:
            if row.status == Status.FAILED:
                self._fail(row.file, row.reason)

    def _count_entry(self, name: str, entry: Entry) -> None:
        for status, number in zip(Status, entry.counts, strict=True):
            self.statuses[status] += number
        if entry.has_failed:
            self._fail(shown_name(name), entry.reason)

    def _fail(self, name: str, reason: str) -> None:
        self.failed += 1
        if len(self.failures) < LISTED:
            self.failures.append((name, reason))

    def _stamp(self, name: str) -> Stamp | None:
        """Return the stamp of a scan as it is now; None where its stamp tells nothing."""
        with contextlib.suppress(OSError):
            return stamp_of(os.stat(os.path.join(self._directory, name)))
        return None

    def _stamp_as_read(self, name: str, outcome: Read | Rejected) -> Stamp | None:
        """Return the stamp of the version of a scan that was read; None where it was written to since."""
        stamp = self._stamp(name)
        return stamp if stamp and stamp[:2] == outcome.version else None

    def _job(self, name: str) -> Job:
        """Return the job for a scan."""
        return Job(scan_id(name), name, self._directory / name, self._out / "annotated", claimed=False)


def _completed(outcome: Read | Rejected) -> Read | Rejected:
    """Return the outcome, completed where it is that of a scan that was rejected."""
    if isinstance(outcome, Rejected):
        with contextlib.suppress(OSError):  # gone, or not readable: it has no SHA-256
            return completed(outcome)
    return outcome


def scan_id(name: str) -> str:
    """Return the id of a scan, which depends only on its name, so that a repetition replaces its pictures."""
    return hashlib.sha256(os.fsencode(name)).hexdigest()[:16]


def shard_of(out: Path) -> Shard | None:
    """Return the shard that an output folder holds, None for one of a whole run.

    Raises:
        WrongOutputError: the note of the shard is damaged.
    """
    note = out / SHARD_NOTE
    try:
        return Shard.parse(note.read_text().strip())
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise WrongOutputError(f"{note}: {error}") from None
