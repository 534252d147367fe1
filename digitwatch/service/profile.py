"""One inbox with its folders, its log and its scans in flight; several share the workers of one daemon."""

import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from digitwatch.series.tracker import Tracker
from digitwatch.service import transaction
from digitwatch.service.backoff import Backoff
from digitwatch.service.completion import Completion, complete
from digitwatch.service.in_flight import InFlight
from digitwatch.service.inbox_monitor import InboxMonitor
from digitwatch.service.read_queue import ReadQueue
from digitwatch.service.status import Status
from digitwatch.spool import claims
from digitwatch.spool.claims import AlreadyRunningError, Claim
from digitwatch.spool.disk_space import FreeSpace
from digitwatch.spool.folders import Folders
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.spool.watch_policy import WatchPolicy
from digitwatch.system.os_errors import describe
from digitwatch.workers.messages import Crashed, Gone, Job, Outcome, Read, Rejected, Retry
from digitwatch.workers.pool import CRASHED, CRASHES

log = logging.getLogger(__name__)

RECHECK_SECONDS = 2.0


@dataclass(frozen=True)
class ProfileParts:
    """What the daemon needs of one inbox.

    series: judges the readings of meters, None for none. publish_state: sends the state to the web interface.
    name: "" for the only one of a configuration without profiles.
    """

    folders: Folders
    inbox: Inbox
    predictions: PredictionLog
    policy: WatchPolicy
    series: Tracker | None = None
    publish_state: Callable[..., None] | None = None
    name: str = ""


class Profile:
    """Takes scans from one inbox to their folders; which of them is read when, the daemon decides for all profiles."""

    def __init__(
        self, parts: ProfileParts, post: Callable[[Callable[[], None]], None], clock: Callable[[], float]
    ) -> None:
        """Join the parts; nothing is touched before `open`. `post` brings a call to the thread of the daemon."""
        self.name = parts.name
        self._folders = folders = parts.folders
        self._inbox = parts.inbox
        self._predictions = parts.predictions
        self._series = parts.series
        self._publish_state = parts.publish_state
        written = (folders.outbox, folders.archive, folders.failed, parts.predictions.path.parent)
        self._room = FreeSpace(written, parts.policy.min_free, clock)
        self._clock = clock
        self._monitor = InboxMonitor(parts.inbox, parts.policy, post=post, clock=clock)
        self._backoff = Backoff(clock)
        self._status = Status(parts.name)
        self._queue = ReadQueue(clock)
        self.in_flight = InFlight(folders, parts.predictions, clock, Completion("copies", post), parts.series)
        self._completion = Completion("completion", post)
        self.reading = 0  # scans at the workers
        self._is_open = self._is_ready = False  # whether the inbox is locked, and what was left is recovered

    # --- start and end ---

    def open(self) -> None:
        """Lock the inbox.

        Raises:
            AlreadyRunningError: another daemon has it.
            OSError: the folder cannot be used.
        """
        self._monitor.open()
        self._is_open = True

    def recover(self) -> None:
        """Repair the log, adopt the claims of an earlier run, start the watch and list the inbox, if it is open.

        Raises:
            OSError: a folder or the log cannot be used.
        """
        if not self._is_open:
            return
        if cut := self._predictions.repair():
            log.warning("%s: cut off %d bytes of an incomplete last line", self._predictions.path, cut)
        if self._series is not None:
            self._series.load()
        self._status.resume(self._predictions.path)
        self._adopt()
        self._monitor.start()
        self._is_ready = True
        with contextlib.suppress(OSError, AlreadyRunningError):  # the first turn of the loop reports it
            self._sweep_if_due()

    def announce(self, model: str) -> None:
        """Log that scans are read from now on, with this model."""
        self.in_flight.model = model
        if self._is_ready:
            log.info("watching %s by %s; model %s", self._folders.inbox, self._monitor.watching, model)

    def reopen_log(self) -> None:
        """Reopen the log, for log rotation."""
        self._predictions.reopen()

    def close(self) -> None:
        """Put the scans that were not recorded back into the inbox, and end the watch."""
        self.in_flight.give_back()
        self._predictions.reopen()
        self._monitor.close()

    # --- outcomes ---

    def report(self, outcome: Outcome) -> None:
        """Handle the outcome of a scan that came back from the workers."""
        self.reading -= 1
        self._handle(outcome)

    def _handle(self, outcome: Outcome) -> None:
        claim = self.in_flight.claim(outcome.job.id)
        if self._queue.is_alone(claim.id) and not isinstance(outcome, Crashed):
            claims.forget_tries(claim)
        self._queue.ended(claim.id)
        match outcome:
            case Rejected(truncated=True) if self.in_flight.is_fresh(claim):
                self._queue.later(claim, RECHECK_SECONDS)
            case Rejected(sha256=""):
                self._completion.submit(partial(complete, claim, outcome), self._completed)
            case Read() | Rejected():
                self.in_flight.finish(claim, outcome)
            case Retry(only_this_scan=True):
                self._set_aside(claim, outcome.reason)
            case Retry():
                self._queue.later(claim)
                self._backoff.pause(outcome.reason)
            case Gone():
                self.in_flight.drop(claim)
            case Crashed():
                self._queue.suspect(claim)

    def _completed(self, outcome: Outcome) -> None:
        """Handle a rejected scan that the completion thread has finished (called through `post`)."""
        if isinstance(outcome, Rejected):  # without SHA-256 too: no plain file has none
            self.in_flight.finish(self.in_flight.claim(outcome.job.id), outcome)
        else:
            self._handle(outcome)

    def _set_aside(self, claim: Claim, reason: str) -> None:
        """Put a scan that alone cannot be read now back into the inbox, which offers it again after a while."""
        with contextlib.suppress(OSError):
            if self.in_flight.return_to_inbox(claim):
                self._inbox.set_aside(claim.name, reason)
                return
        self._queue.later(claim, self.in_flight.aside.add(claim, reason))  # its name is taken in the inbox

    # --- one turn of the loop ---

    @property
    def wants_quiet(self) -> bool:
        """Return whether a scan is read alone, or is to be read alone now: no other profile may read meanwhile."""
        return self._queue.wants_quiet and (bool(self.reading) or not self._backoff.is_holding)

    @property
    def may_take(self) -> bool:
        """Return whether one more scan may be read; after an environment error one alone tests whether it is over."""
        if self._backoff.is_holding or not self._is_ready:
            return False
        return not (self._backoff.reason and (self.reading or self.in_flight.is_pending))

    @property
    def is_idle(self) -> bool:
        """Return whether nothing is being read, recorded or filed."""
        return not (self.reading or self.in_flight.is_pending or self.in_flight.is_copying)

    def next_due(self, *, may_read: bool) -> float:
        """Return the clock time at which there is something to do without a call; `may_read`: a worker is free."""
        work_due = [self._monitor.next_sweep]
        if self.in_flight.due is not None:
            work_due.append(self.in_flight.due)
        if may_read and self.may_take:
            work_due += [due for due in (self._inbox.next_due(), self._queue.next_due()) if due is not None]
        return max(min(work_due), self._backoff.resume_at)

    def work(self, *, is_stopping: bool) -> None:
        """Record and file what was read, and list the inbox when that is due; an error pauses this profile.

        A profile that could not be used at the start is begun as soon as it can.
        """
        if self._backoff.is_holding:
            return
        try:
            if not self._is_ready:
                self._begin()
            self._commit(is_stopping=is_stopping)
            self._sweep_if_due()
        except (OSError, AlreadyRunningError) as error:
            self.pause(error)

    def _begin(self) -> None:
        self.open()
        self.recover()
        self._backoff.recovered()
        self.announce(self.in_flight.model)

    def take(self, busy: int, *, is_quiet: bool) -> Job | None:
        """Return the next scan to be read, those claimed earlier first; None where there is none now.

        Args:
            busy: scans that are being read, of all profiles.
            is_quiet: a scan is to be read alone: only one of these may be returned.
        """
        try:
            claim = self._next_claim(busy, is_quiet=is_quiet)
        except (OSError, AlreadyRunningError) as error:
            self.pause(error)
            return None
        if claim is None:
            return None
        self.reading += 1
        return transaction.job(self._folders, claim, self.name)

    def state(self) -> str:
        """Send the state to the web interface; return it as the status line has it."""
        waiting = len(self._inbox) + len(self.in_flight)
        left = self._inbox.left_alone, self.in_flight.aside.summary
        if self._publish_state:
            self._publish_state(watching=self._monitor.watching, problem=self._backoff.summary)
        return self._status.line(self._monitor.watching, waiting, self._backoff.summary, *left)

    def _next_claim(self, busy: int, *, is_quiet: bool) -> Claim | None:
        while self._has_room():
            claim = self._queue.take(busy)
            if claim is None and not is_quiet and not self._queue.wants_quiet:
                claim = self._monitor.claim_next()
                if claim is not None:
                    self.in_flight.enter(claim)
            if claim is None or not self._queue.is_alone(claim.id) or self._may_try(claim):
                return claim
        return None

    def _commit(self, *, is_stopping: bool) -> None:
        """Record and file the scans that were read; one that was written to since is read again.

        While others are being read, a few scans are grouped.
        """
        if self.reading and not is_stopping and self._clock() < (self.in_flight.due or 0.0):
            return
        for done in self.in_flight.changed():
            self._queue.later(done.claim, RECHECK_SECONDS)
            if done.has_grown:
                self._monitor.continued(done.claim)
        for result in self.in_flight.record():
            self._status.count(result)
        if self.in_flight.file():
            self._backoff.recovered()

    def _may_try(self, claim: Claim) -> bool:
        """Count one more reading of a suspect alone; reject it when there were too many.

        Raises:
            OSError: the note cannot be written; the scan stays a suspect.
        """
        try:
            if claims.count_try(claim) <= CRASHES:
                return True
        except OSError:
            self._queue.suspect(claim)
            raise
        self._handle(Rejected(transaction.job(self._folders, claim, self.name), CRASHED))
        return False

    def _has_room(self) -> bool:
        """Return whether the disks have free space; pause when one has none."""
        if reason := self._room.shortage():
            self._backoff.pause(reason)
        return not reason

    def _sweep_if_due(self) -> None:
        if self._clock() < self._monitor.next_sweep:
            return
        self._monitor.sweep()
        self._adopt()
        if not len(self.in_flight) and not len(self._inbox) and self._has_room():
            self._backoff.recovered()

    def _adopt(self) -> None:
        """Add the claims of an earlier run; each is read alone, since it may have ended that run."""
        for claim in self.in_flight.adopt():
            self._queue.suspect(claim)

    def pause(self, error: Exception) -> None:
        """Pause after an environment error."""
        self._backoff.pause(describe(error) if isinstance(error, OSError) else str(error))
        self._monitor.next_sweep = 0.0  # what has changed meanwhile is seen as soon as processing resumes
