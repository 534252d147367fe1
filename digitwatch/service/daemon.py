"""Watch mode: recover, list the inbox, wait, dispatch, commit, stop."""

import contextlib
import logging
import queue
from collections.abc import Callable
from functools import partial

from digitwatch.service import transaction
from digitwatch.service.backoff import Backoff
from digitwatch.service.completion import Completion, complete
from digitwatch.service.in_flight import InFlight
from digitwatch.service.inbox_monitor import InboxMonitor
from digitwatch.service.profile import ProfileParts
from digitwatch.service.read_queue import ReadQueue
from digitwatch.service.status import Status
from digitwatch.spool import claims
from digitwatch.spool.claims import AlreadyRunningError, Claim
from digitwatch.spool.disk_space import FreeSpace
from digitwatch.system import sd_notify
from digitwatch.system.os_errors import describe
from digitwatch.workers.messages import Crashed, Gone, Outcome, Read, Rejected, Retry
from digitwatch.workers.pool import CRASHES, Pool

log = logging.getLogger(__name__)

STOP_SECONDS = 8.0  # for the scans in flight; service managers wait 10
RECHECK_SECONDS = 2.0
CALLS = 1000  # made in one turn, so that many events cannot delay the recording of finished scans


class Daemon:
    """Takes scans from the inbox to their folders until it is stopped.

    One thread owns all state. Other threads (events, workers) and signal handlers only put calls into `calls`, which
    the loop makes one after the other.
    """

    def __init__(self, parts: ProfileParts, *, clock: Callable[[], float]) -> None:
        """Join the parts; nothing is touched before `run`."""
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        folders, predictions, policy = parts.folders, parts.predictions, parts.policy
        self._folders = folders
        self._inbox = parts.inbox
        self._predictions = predictions
        written = (folders.outbox, folders.archive, folders.failed, predictions.path.parent)
        self._room = FreeSpace(written, policy.min_free, clock)
        self._clock = clock
        self._monitor = InboxMonitor(parts.inbox, policy, post=self.calls.put, clock=clock)
        self._backoff = Backoff(clock)
        self._status = Status(clock)
        self._publish_state = parts.publish_state
        self._queue = ReadQueue(clock)
        self._series = parts.series
        self._in_flight = InFlight(folders, predictions, clock, Completion("copies", self.calls.put), parts.series)
        self._completion = Completion("completion", self.calls.put)
        self._stop_at = float("inf")

    def run(self, pool: Pool) -> None:
        """Watch until `stop` is called.

        Raises:
            AlreadyRunningError: another daemon has this inbox.
            OSError: a folder cannot be used.
            WorkerError: the model cannot be used.
        """
        self._pool = pool
        self._monitor.open()
        pool.begin()  # a full inbox is listed while the workers load the model
        if cut := self._predictions.repair():
            log.warning("%s: cut off %d bytes of an incomplete last line", self._predictions.path, cut)
        if self._series is not None:
            self._series.load()
        self._status.resume(self._predictions.path)
        self._adopt()
        self._monitor.start()
        with contextlib.suppress(OSError, AlreadyRunningError):  # the first turn of the loop reports it
            self._sweep_if_due()
        self._in_flight.model = pool.start()
        log.info("watching %s by %s; model %s", self._folders.inbox, self._monitor.watching, self._in_flight.model)
        sd_notify.notify(READY=1)
        while not self._is_done():
            self._step()
        self._end()

    def stop(self) -> None:
        """Finish or give back the scans in flight, then end (called through `calls`)."""
        if not self._stopping:
            log.info("stopping; scans in flight: %d", len(self._in_flight))
            sd_notify.notify(STOPPING=1)
            self._stop_at = self._clock() + STOP_SECONDS

    def reload(self, reload_model: Callable[[], None] = lambda: None) -> None:
        """Reopen the log, for log rotation, and reload the model (called through `calls`)."""
        sd_notify.reloading()
        self._predictions.reopen()
        log.info("the log is reopened")
        reload_model()
        sd_notify.notify(READY=1)

    def report(self, outcome: Outcome) -> None:
        """Handle the outcome of a scan (called through `calls`, by the pool)."""
        claim = self._in_flight.claim(outcome.job.id)
        if self._queue.is_alone(claim.id) and not isinstance(outcome, Crashed):
            claims.forget_tries(claim)
        self._queue.ended(claim.id)
        match outcome:
            case Rejected(truncated=True) if self._in_flight.is_fresh(claim):
                self._queue.later(claim, RECHECK_SECONDS)
            case Rejected(sha256=""):
                self._completion.submit(partial(complete, claim, outcome), self._completed)
            case Read() | Rejected():
                self._in_flight.finish(claim, outcome)
            case Retry(only_this_scan=True):
                self._set_aside(claim, outcome.reason)
            case Retry():
                self._queue.later(claim)
                self._backoff.pause(outcome.reason)
            case Gone():
                self._in_flight.drop(claim)
            case Crashed():
                self._queue.suspect(claim)

    def _completed(self, outcome: Outcome) -> None:
        """Handle a rejected scan that the completion thread has finished (called through `calls`)."""
        if isinstance(outcome, Rejected):  # without SHA-256 too: no plain file has none
            self._in_flight.finish(self._in_flight.claim(outcome.job.id), outcome)
        else:
            self.report(outcome)

    def _set_aside(self, claim: Claim, reason: str) -> None:
        """Put a scan that alone cannot be read now back into the inbox, which offers it again after a while."""
        with contextlib.suppress(OSError):
            if self._in_flight.return_to_inbox(claim):
                self._inbox.set_aside(claim.name, reason)
                return
        self._queue.later(claim, self._in_flight.aside.add(claim, reason))  # its name is taken in the inbox

    # --- one turn of the loop ---

    def _step(self) -> None:
        self._wait()
        self._pool.expire()
        if not self._backoff.is_holding:
            try:
                self._commit()
                self._sweep_if_due()
                self._dispatch()
            except (OSError, AlreadyRunningError) as error:
                self._pause(error)
        waiting = len(self._inbox) + len(self._in_flight)
        left = self._inbox.left_alone, self._in_flight.aside.summary
        self._status.publish(self._monitor.watching, waiting, self._backoff.summary, *left)
        if self._publish_state:
            self._publish_state(watching=self._monitor.watching, problem=self._backoff.summary)

    def _wait(self) -> None:
        """Make the calls of other threads; wait for the first until something else is due."""
        timeout = max(0.0, self._next_due() - self._clock())
        with contextlib.suppress(queue.Empty):
            self.calls.get(timeout=timeout)()
            for _ in range(CALLS):
                self.calls.get_nowait()()

    def _next_due(self) -> float:
        """Return the clock time at which the loop has something to do without a call."""
        work_due = [self._monitor.next_sweep]
        if self._in_flight.due is not None:
            work_due.append(self._in_flight.due)
        if self._may_take and not (self._queue.wants_quiet and self._pool.busy):
            work_due += [due for due in (self._inbox.next_due(), self._queue.next_due()) if due is not None]
        due = [self._stop_at, max(min(work_due), self._backoff.resume_at)]
        if (deadline := self._pool.next_deadline()) is not None:
            due.append(deadline)
        if (seconds := sd_notify.watchdog_seconds()) is not None:
            due.append(self._clock() + seconds)
        return min(due)

    def _commit(self) -> None:
        """Record and file the scans that were read; one that was written to since is read again.

        While others are being read, a few scans are grouped.
        """
        if self._pool.busy and not self._stopping and self._clock() < (self._in_flight.due or 0.0):
            return
        for done in self._in_flight.changed():
            self._queue.later(done.claim, RECHECK_SECONDS)
            if done.has_grown:
                self._monitor.continued(done.claim)
        for result in self._in_flight.record():
            self._status.count(result)
        if self._in_flight.file():
            self._backoff.recovered()

    def _dispatch(self) -> None:
        """Submit as many scans as the workers can take, those claimed earlier first."""
        while self._may_take and not self._backoff.is_holding and self._has_room():
            claim = self._queue.take(self._pool.busy)
            if claim is not None and self._queue.is_alone(claim.id) and not self._may_try(claim):
                continue
            if claim is None and not self._queue.wants_quiet:
                claim = self._monitor.claim_next()
                if claim is not None:
                    self._in_flight.enter(claim)
            if claim is None:
                break
            self._pool.submit(transaction.job(self._folders, claim))

    @property
    def _may_take(self) -> bool:
        """Return whether one more scan may be read; after an environment error one alone tests whether it is over."""
        if self._stopping or (self._backoff.reason and (self._pool.busy or self._in_flight.is_pending)):
            return False
        return self._pool.free > 0

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
        reason = f"it ended the program that reads it {CRASHES} times; the image file is probably damaged"
        self.report(Rejected(transaction.job(self._folders, claim), reason))
        return False

    def _has_room(self) -> bool:
        """Return whether the disks have room; pause when one has not."""
        if reason := self._room.shortage():
            self._backoff.pause(reason)
        return not reason

    def _sweep_if_due(self) -> None:
        if self._clock() < self._monitor.next_sweep:
            return
        self._monitor.sweep()
        self._adopt()
        if not len(self._in_flight) and not len(self._inbox) and self._has_room():
            self._backoff.recovered()

    def _adopt(self) -> None:
        """Add the claims of an earlier run; each is read alone, since it may have ended that run."""
        for claim in self._in_flight.adopt():
            self._queue.suspect(claim)

    # --- helpers ---

    @property
    def _stopping(self) -> bool:
        return self._stop_at != float("inf")

    def _pause(self, error: Exception) -> None:
        self._backoff.pause(describe(error) if isinstance(error, OSError) else str(error))
        self._monitor.next_sweep = 0.0  # what has changed meanwhile is seen as soon as processing resumes

    def _is_done(self) -> bool:
        idle = not (self._pool.busy or self._in_flight.is_pending or self._in_flight.is_copying)
        return self._stopping and (idle or self._clock() >= self._stop_at)

    def _end(self) -> None:
        """Stop the workers and the watch; put the scans that were not recorded back into the inbox."""
        self._pool.stop()
        self._in_flight.give_back()
        self._predictions.reopen()
        self._monitor.close()
