"""Watch mode: recover, look, wait, dispatch, commit, stop."""

import contextlib
import logging
import queue
from collections.abc import Callable

from digitwatch.service import transaction
from digitwatch.service.backoff import Backoff
from digitwatch.service.in_flight import InFlight
from digitwatch.service.inbox_monitor import InboxMonitor
from digitwatch.service.read_queue import ReadQueue
from digitwatch.service.status import Status
from digitwatch.spool import claims
from digitwatch.spool.claims import AlreadyRunningError, Claim
from digitwatch.spool.disk_space import Room
from digitwatch.spool.folders import Folders
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.spool.watch_policy import WatchPolicy
from digitwatch.system import sd_notify
from digitwatch.system.os_errors import describe
from digitwatch.workers.messages import Outcome
from digitwatch.workers.pool import CRASHES, Pool

log = logging.getLogger(__name__)

STOP_SECONDS = 8.0  # for what is in flight; people and service managers wait 10
LOOK_AGAIN_SECONDS = 2.0
CALLS = 1000  # made in one turn, so that a flood of events cannot keep finished scans from the log


class Daemon:
    """Takes scans from the inbox to their places until told to stop.

    One thread owns everything. Other threads (events, executors) and signal handlers only put calls
    into `calls`, which the loop makes one after the other.
    """

    def __init__(
        self,
        places: Folders,
        inbox: Inbox,
        predictions: PredictionLog,
        habits: WatchPolicy,
        *,
        clock: Callable[[], float],
        tell: Callable[..., None] | None = None,
    ) -> None:
        """Join the parts; nothing is touched before `run`. `tell` passes on what the page shows of the daemon."""
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._places = places
        self._inbox = inbox
        self._predictions = predictions
        folders = (places.outbox, places.archive, places.failed, predictions.path.parent)
        self._room = Room(folders, habits.min_free, clock)
        self._clock = clock
        self._lookout = InboxMonitor(inbox, habits, post=self.calls.put, clock=clock)
        self._patience = Backoff(clock)
        self._status = Status(clock)
        self._tell = tell
        self._backlog = ReadQueue(clock)
        self._ledger = InFlight(places, predictions, clock)
        self._stop_at = float("inf")

    def run(self, pool: Pool) -> None:
        """Watch until `stop` is called.

        Raises:
            AlreadyRunningError: another daemon has this inbox.
            OSError: a folder cannot be used.
            WorkerError: the model cannot be used.
        """
        self._pool = pool
        self._lookout.open()
        pool.begin()  # the listing of a full inbox takes as long as the workers take to be ready
        if cut := self._predictions.repair():
            log.warning("%s: cut off %d bytes of an incomplete last line", self._predictions.path, cut)
        self._status.resume(self._predictions.path)
        self._adopt()
        self._lookout.start()
        with contextlib.suppress(OSError, AlreadyRunningError):  # the first turn of the loop meets it again
            self._look_if_due()
        self._ledger.model = pool.start()
        log.info("watching %s by %s; model %s", self._places.inbox, self._lookout.watching, self._ledger.model)
        sd_notify.notify(READY=1)
        while not self._is_done():
            self._step()
        self._end()

    def stop(self) -> None:
        """Finish or give back what is in flight, then end (called through `calls`)."""
        if not self._stopping:
            log.info("stopping; %d scans in flight", len(self._ledger))
            sd_notify.notify(STOPPING=1)
            self._stop_at = self._clock() + STOP_SECONDS

    def reload(self, renew: Callable[[], None] = lambda: None) -> None:
        """Open the log anew, for those who rotate it, and `renew` the model (called through `calls`)."""
        sd_notify.reloading()
        self._predictions.reopen()
        log.info("the log is reopened")
        renew()
        sd_notify.notify(READY=1)

    def report(self, outcome: Outcome) -> None:
        """Take what a worker made of a scan (called through `calls`, by the pool)."""
        claim = self._ledger.claim(outcome.job.id)
        if self._backlog.is_alone(claim.id) and not outcome.crashed:
            claims.forget_tries(claim)
        self._backlog.ended(claim.id)
        if outcome.trouble:
            self._backlog.later(claim)
            self._patience.pause(outcome.trouble)
        elif outcome.crashed:
            self._backlog.suspect(claim)
        elif outcome.gone:
            self._ledger.drop(claim)
        elif outcome.truncated and self._ledger.is_fresh(claim):
            self._backlog.later(claim, LOOK_AGAIN_SECONDS)
        else:
            self._ledger.finish(claim, outcome)

    # --- one turn of the loop ---

    def _step(self) -> None:
        self._wait()
        self._pool.expire()
        if not self._patience.holds:
            try:
                self._commit()
                self._look_if_due()
                self._dispatch()
            except (OSError, AlreadyRunningError) as error:
                self._pause(error)
        waiting = len(self._inbox) + len(self._ledger)
        self._status.tell(self._lookout.watching, waiting, self._patience.trouble, self._inbox.left_alone)
        if self._tell:
            self._tell(watching=self._lookout.watching, trouble=self._patience.trouble)

    def _wait(self) -> None:
        """Make the calls that others asked for; wait for the first until something else is due."""
        timeout = max(0.0, self._next_due() - self._clock())
        with contextlib.suppress(queue.Empty):
            self.calls.get(timeout=timeout)()
            for _ in range(CALLS):
                self.calls.get_nowait()()

    def _next_due(self) -> float:
        """Give the clock time at which the loop has something to do even if nobody calls."""
        work_due = [self._lookout.next_look]
        if self._ledger.is_pending:
            work_due.append(self._ledger.due)
        if self._may_take and not (self._backlog.wants_quiet and self._pool.busy):
            work_due += [due for due in (self._inbox.next_due(), self._backlog.next_due()) if due is not None]
        due = [self._stop_at, max(min(work_due), self._patience.resume_at)]
        if (deadline := self._pool.next_deadline()) is not None:
            due.append(deadline)
        if (seconds := sd_notify.watchdog_seconds()) is not None:
            due.append(self._clock() + seconds)
        return min(due)

    def _commit(self) -> None:
        """Record and file what was read, as far as the world lets us; what was written to since is read again.

        While others are being read, a few scans wait for each other.
        """
        if self._pool.busy and not self._stopping and self._clock() < self._ledger.due:
            return
        for claim in self._ledger.changed():
            self._backlog.later(claim, LOOK_AGAIN_SECONDS)
        for outcome in self._ledger.record():
            self._status.count(outcome)
        if self._ledger.file():
            self._patience.well()

    def _dispatch(self) -> None:
        """Give the workers as many scans as they can hold, those claimed earlier first."""
        while self._may_take and not self._patience.holds and self._has_room():
            claim = self._backlog.take(self._pool.busy)
            if claim is not None and self._backlog.is_alone(claim.id) and not self._may_try(claim):
                continue
            if claim is None and not self._backlog.wants_quiet:
                claim = self._lookout.claim_next()
                if claim is not None:
                    self._ledger.enter(claim)
            if claim is None:
                break
            self._pool.submit(transaction.job(self._places, claim))

    @property
    def _may_take(self) -> bool:
        """Tell whether one more scan may be read; after trouble one alone shows whether it is over."""
        if self._stopping or (self._patience.reason and (self._pool.busy or self._ledger.is_pending)):
            return False
        return self._pool.free > 0

    def _may_try(self, claim: Claim) -> bool:
        """Note that a suspect is read alone once more, or give it up.

        Raises:
            OSError: the note cannot be written; the scan stays a suspect.
        """
        try:
            if claims.count_try(claim) <= CRASHES:
                return True
        except OSError:
            self._backlog.suspect(claim)
            raise
        reason = f"it ended the program that reads it {CRASHES} times; the image file is probably damaged"
        self.report(Outcome(transaction.job(self._places, claim), "", failure=reason))
        return False

    def _has_room(self) -> bool:
        """Tell whether the disks have room; pause when one has not."""
        if reason := self._room.shortage():
            self._patience.pause(reason)
        return not reason

    def _look_if_due(self) -> None:
        if self._clock() < self._lookout.next_look:
            return
        self._lookout.look()
        self._adopt()
        if not len(self._ledger) and not len(self._inbox) and self._has_room():
            self._patience.well()

    def _adopt(self) -> None:
        """Take up the claims that nobody has in hand; each is read alone, since a process may have died over it."""
        for claim in self._ledger.adopt():
            self._backlog.suspect(claim)

    # --- small things ---

    @property
    def _stopping(self) -> bool:
        return self._stop_at != float("inf")

    def _pause(self, error: Exception) -> None:
        self._patience.pause(describe(error) if isinstance(error, OSError) else str(error))
        self._lookout.next_look = 0.0  # what has happened meanwhile is seen as soon as work goes on

    def _is_done(self) -> bool:
        idle = not self._pool.busy and not self._ledger.is_pending
        return self._stopping and (idle or self._clock() >= self._stop_at)

    def _end(self) -> None:
        """Stop the helpers and put what was not recorded back into the inbox."""
        self._pool.stop()
        self._ledger.give_back()
        self._predictions.reopen()
        self._lookout.close()
