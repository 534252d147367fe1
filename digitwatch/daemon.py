"""Watch mode: recover, sweep, wait, dispatch, commit, stop."""

import contextlib
import heapq
import logging
import os
import queue
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass

from digitwatch import systemd, work
from digitwatch.jobs import Outcome
from digitwatch.patience import Patience, told
from digitwatch.pool import Pool
from digitwatch.spool import filing, watch
from digitwatch.spool.filing import Claim
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.pictures import withdraw
from digitwatch.spool.predictions import PredictionLog, printable
from digitwatch.spool.space import shortage
from digitwatch.status import Status

log = logging.getLogger(__name__)

STOP_SECONDS = 8.0  # for what is in flight; people and service managers wait 10
FRESH_SECONDS = 10.0  # an incomplete image younger than this may still be written to
LOOK_AGAIN_SECONDS = 2.0
SPACE_SECONDS = 1.0  # how old a look at the free space may be
CALLS = 1000  # made in one turn, so that a flood of events cannot keep finished scans from the log


@dataclass(frozen=True)
class Habits:
    """How the daemon notices files and when it holds back."""

    watch: str
    recursive: bool
    rescan: float
    poll: float
    min_free: int


class Daemon:
    """Takes scans from the inbox to their places until told to stop.

    One thread owns everything. Other threads (events, executors) and signal handlers only put calls
    into `calls`, which the loop makes one after the other.
    """

    def __init__(
        self,
        places: work.Places,
        inbox: Inbox,
        predictions: PredictionLog,
        habits: Habits,
        *,
        clock: Callable[[], float],
    ) -> None:
        """Join the parts; nothing is touched before `run`."""
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._places = places
        self._inbox = inbox
        self._predictions = predictions
        self._habits = habits
        self._clock = clock
        self._patience = Patience(clock)
        self._status = Status(clock)
        self._claims: dict[str, tuple[Claim, float]] = {}  # id -> claim not yet filed, since when
        self._to_read: list[tuple[float, str]] = []  # heap of claims to be read: not before, id
        self._to_record: list[work.Finished] = []
        self._to_file: list[work.Recorded] = []
        self._events: watch.Events | None = None
        self._identity: tuple[int, int] | None = None  # device and inode of the inbox
        self._lock: int | None = None
        self._model = ""
        self._stop_at = float("inf")
        self._next_sweep = 0.0
        self._space_checked = float("-inf")

    def run(self, pool: Pool) -> None:
        """Watch until `stop` is called.

        Raises:
            Taken: another daemon has this inbox.
            OSError: a folder cannot be used.
            WorkerError: the model cannot be used.
        """
        self._pool = pool
        self._open_inbox()
        cut = self._predictions.repair()
        if cut:
            log.warning("%s: cut off %d bytes of an incomplete last line", self._predictions.path, cut)
        self._model = pool.start()
        self._recover()
        self._watch()
        log.info("watching %s by %s; model %s", self._places.inbox, self._watching, self._model)
        systemd.notify(READY=1)
        while not self._is_done():
            self._step()
        self._end()

    def stop(self) -> None:
        """Finish or give back what is in flight, then end (called through `calls`)."""
        if not self._stopping:
            log.info("stopping; %d scans in flight", len(self._claims))
            systemd.notify(STOPPING=1)
            self._stop_at = self._clock() + STOP_SECONDS

    def reload(self) -> None:
        """Open the log anew, for those who rotate it (called through `calls`)."""
        systemd.reloading()
        self._predictions.reopen()
        log.info("the log is reopened")
        systemd.notify(READY=1)

    def report(self, outcome: Outcome) -> None:
        """Take what a worker made of a scan (called through `calls`, by the pool)."""
        claim, since = self._claims[outcome.job.id]
        if outcome.trouble:
            self._read_later(claim, 0.0)
            self._patience.pause(outcome.trouble)
        elif outcome.gone:
            log.warning("%s vanished from %s before it was read", printable(claim.name), claim.path.parent)
            del self._claims[claim.id]
        elif outcome.truncated and self._is_fresh(claim):
            self._read_later(claim, LOOK_AGAIN_SECONDS)
        else:
            self._to_record.append(work.Finished(claim, outcome, self._clock() - since))

    # --- one turn of the loop ---

    def _step(self) -> None:
        self._wait()
        self._pool.expire()
        if not self._patience.holds:
            self._commit()
            self._sweep_if_due()
            self._dispatch()
        waiting = len(self._inbox) + len(self._claims)
        self._status.tell(self._watching, waiting, self._patience.reason)

    def _wait(self) -> None:
        """Make the calls that others asked for; wait for the first until something else is due."""
        timeout = max(0.0, self._next_due() - self._clock())
        with contextlib.suppress(queue.Empty):
            self.calls.get(timeout=timeout)()
            for _ in range(CALLS):
                self.calls.get_nowait()()

    def _next_due(self) -> float:
        """Give the clock time at which the loop has something to do even if nobody calls."""
        work_due = [self._next_sweep]
        if self._to_record or self._to_file:
            work_due.append(self._patience.resume_at)
        if self._may_take:
            work_due += [due for due in (self._inbox.next_due(), self._to_read_due()) if due is not None]
        due = [self._stop_at, max(min(work_due), self._patience.resume_at)]
        if (deadline := self._pool.next_deadline()) is not None:
            due.append(deadline)
        if (seconds := systemd.watchdog_seconds()) is not None:
            due.append(self._clock() + seconds)
        return min(due)

    def _commit(self) -> None:
        """Record what was read and file what was recorded, as far as the world lets us."""
        try:
            if self._to_record:
                self._to_file += work.record(self._places, self._to_record, self._predictions, self._model)
                finished, self._to_record = self._to_record, []
                for done in finished:
                    self._status.count(done.outcome)
            while self._to_file:
                where = work.file(self._places, self._to_file[0])
                recorded = self._to_file.pop(0)
                self._claims.pop(recorded.claim.id, None)
                log.debug("%s -> %s", printable(recorded.claim.name), where)
                self._patience.well()
        except OSError as error:
            self._patience.pause(told(error))

    def _dispatch(self) -> None:
        """Give the workers as many scans as they can hold, those claimed earlier first."""
        while self._may_take and not self._patience.holds and self._has_room():
            claim = self._next_claim()
            if claim is None:
                break
            self._pool.submit(work.job(self._places, claim))

    @property
    def _may_take(self) -> bool:
        """Tell whether one more scan may be read; after trouble one alone shows whether it is over."""
        if self._stopping or self._to_record or self._to_file:
            return False
        return self._pool.free > 0 and not (self._patience.reason and self._pool.busy)

    def _next_claim(self) -> Claim | None:
        due = self._to_read_due()
        if due is not None and due <= self._clock():
            _, scan = heapq.heappop(self._to_read)
            return self._claims[scan][0]
        while (name := self._inbox.take()) is not None:
            try:
                claim = filing.claim(self._places.inbox, name)
            except FileNotFoundError:  # its owner took it back
                continue
            except OSError as error:
                self._inbox.note(name)
                self._patience.pause(told(error))
                return None
            self._claims[claim.id] = (claim, self._clock())
            return claim
        return None

    def _has_room(self) -> bool:
        """Tell whether the disks have room; pause when one has not."""
        if self._clock() - self._space_checked < SPACE_SECONDS:
            return True
        folders = (self._places.outbox, self._places.archive, self._predictions.path.parent)
        try:
            reason = shortage(folders, self._habits.min_free)
        except OSError as error:
            reason = told(error)
        if reason:
            self._patience.pause(reason)
            return False
        self._space_checked = self._clock()
        return True

    # --- the inbox and its watch ---

    def _open_inbox(self) -> None:
        """Take the inbox for this daemon; again, when the folder was removed and made anew."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
        self._lock = filing.lock_inbox(self._places.inbox)
        status = os.stat(self._places.inbox)
        self._identity = (status.st_dev, status.st_ino)

    def _recover(self) -> None:
        to_file, to_read = work.recover(self._places, self._predictions)
        for claim in to_read:
            self._read_later(claim, 0.0)
        self._to_file += to_file
        if to_file or to_read:
            log.info("left by an earlier run: %d scans to file, %d to read", len(to_file), len(to_read))

    def _watch(self) -> None:
        """(Re)start the watch; the next sweep finds what came before it."""
        if self._events is not None:
            self._events.stop()

        def arrived(name: str) -> None:
            self.calls.put(lambda: self._inbox.note(name))

        habits = self._habits
        self._events = watch.start(self._places.inbox, habits.watch, habits.recursive, arrived)
        self._next_sweep = 0.0

    def _sweep_if_due(self) -> None:
        if self._clock() < self._next_sweep:
            return
        try:
            self._mend_watch()
            self._inbox.sweep()
        except OSError as error:
            self._patience.pause(told(error))
            return
        self._next_sweep = self._clock() + (self._habits.rescan if self._events else self._habits.poll)
        if not self._claims and not len(self._inbox) and self._has_room():
            self._patience.well()

    def _mend_watch(self) -> None:
        """Start the watch again when it has died or when the inbox is another folder than it was."""
        status = os.stat(self._places.inbox)
        if (status.st_dev, status.st_ino) != self._identity:
            log.warning("%s is another folder than before; watching it anew", self._places.inbox)
            self._open_inbox()
            self._watch()
        elif self._events is not None and not self._events.alive():
            log.warning("the watch on %s has ended; starting it again", self._places.inbox)
            self._watch()

    # --- small things ---

    @property
    def _stopping(self) -> bool:
        return self._stop_at != float("inf")

    @property
    def _watching(self) -> str:
        return "events" if self._events else "polling"

    def _to_read_due(self) -> float | None:
        return self._to_read[0][0] if self._to_read else None

    def _read_later(self, claim: Claim, seconds: float) -> None:
        self._claims.setdefault(claim.id, (claim, self._clock()))
        heapq.heappush(self._to_read, (self._clock() + seconds, claim.id))

    def _is_fresh(self, claim: Claim) -> bool:
        with contextlib.suppress(OSError):
            return 0 <= time.time() - claim.path.stat().st_mtime < FRESH_SECONDS
        return False

    def _is_done(self) -> bool:
        if not self._stopping:
            return False
        idle = not self._pool.busy and not self._to_record and not self._to_file
        return idle or self._clock() >= self._stop_at

    def _end(self) -> None:
        """Stop the helpers and put what was not recorded back into the inbox."""
        self._pool.stop()
        if self._events is not None:
            self._events.stop()
        recorded = {entry.claim.id for entry in self._to_file}
        for claim, _ in self._claims.values():
            if claim.id not in recorded:
                withdraw(self._places.outbox / claim.day, claim.name, claim.id)
                if filing.give_back(self._places.inbox, claim):
                    log.info("%s: given back to the inbox unread", printable(claim.name))
        self._predictions.reopen()
        if self._lock is not None:
            os.close(self._lock)


def listen(daemon: Daemon) -> None:
    """Let SIGTERM and SIGINT stop the daemon and SIGHUP reopen its log."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.calls.put(daemon.stop))
    signal.signal(signal.SIGHUP, lambda *_: daemon.calls.put(daemon.reload))
