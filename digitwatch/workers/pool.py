"""Worker processes: a time limit for each scan, crash isolation, a bounded queue.

Each worker has a pipe of its own, so that its death always points at one scan and it can be killed without asking it.
(In pebble 5.2 the death of an idle worker ends the whole pool. An executor of the standard library for each worker
passes each scan through four threads, which took more time than all that the daemon itself does for it.)
"""

import contextlib
import multiprocessing
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from digitwatch.errors import TransientError
from digitwatch.workers.messages import Job, Outcome, WorkerConfig
from digitwatch.workers.process import WorkerDiedError, WorkerProcess, start, verdict, warm_up

AHEAD = 2  # scans given to a worker at a time: one that it reads, one that waits so that it never idles
CRASHES = 5  # a scan during which, read alone, a process died so often is the cause, not the victim
STILLBORN = 3  # workers in a row that died before they were ready: no scan is to blame for that
STANDING_STILL = 0.05  # processor time per second below which a slow worker was waiting, not reading
PREPARING_SECONDS = 60.0


class WorkerError(TransientError):
    """A worker could not be made ready; the message says why (most often the model)."""


class Pool:
    """Reads scans in `size` processes; every outcome is handed to `report` in the posting thread.

    `post` brings a call from the workers' listeners to the thread that owns the pool; nothing here is touched by two
    threads.
    """

    def __init__(
        self,
        size: int,
        equipment: WorkerConfig,
        *,
        seconds: float,
        report: Callable[[Outcome], None],
        post: Callable[[Callable[[], None]], None],
        clock: Callable[[], float],
    ) -> None:
        """Remember how to make workers; none is started yet."""
        self._size = size
        self.equipment = equipment
        self.model = ""
        self._seconds = seconds
        self._report = report
        self._post = post
        self._clock = clock
        self._slots: list[WorkerProcess] = []
        self._trial: WorkerProcess | None = None
        self._stillborn = 0
        self._context = multiprocessing.get_context("forkserver")

    def begin(self) -> None:
        """Start all workers; they make themselves ready while something else is done.

        Raises:
            WorkerError: no process can be made.
        """
        warm_up()
        try:
            self._fill()
        except (OSError, EOFError) as error:
            raise WorkerError(str(error)) from error

    def start(self) -> str:
        """Start the workers that are missing and wait until all have answered a self-test; give the model's name.

        Raises:
            WorkerError: a worker cannot be made ready.
        """
        self.begin()
        try:
            self.model = {slot.ready.result(PREPARING_SECONDS) for slot in self._slots}.pop()
            return self.model
        except TimeoutError:
            raise WorkerError(f"no worker was ready after {PREPARING_SECONDS:.0f} seconds") from None
        except (WorkerDiedError, ValueError) as error:  # ValueError: what the model's loader said
            raise WorkerError(str(error)) from error

    @property
    def free(self) -> int:
        """Give how many more scans may be submitted now."""
        missing = self._size - len(self._staying)
        return missing * AHEAD + sum(max(0, AHEAD - len(slot.jobs)) for slot in self._staying)

    @property
    def busy(self) -> int:
        """Give how many scans are being read or wait for it."""
        return sum(len(slot.jobs) for slot in self._slots)

    def submit(self, job: Job) -> None:
        """Give a scan to the worker with the least to do."""
        try:
            self._fill()
        except (OSError, EOFError) as error:  # no process, no memory, or the fork server died this moment
            self._report(Outcome(job, "", trouble=f"no worker can be started ({error})"))
            return
        self._give(min(self._staying, key=lambda slot: len(slot.jobs)), job)

    def next_deadline(self) -> float | None:
        """Give the clock time at which `expire` must next be called, or None."""
        return min((slot.deadline for slot in self._all if slot.deadline is not None), default=None)

    def expire(self) -> None:
        """Kill the workers whose scan has taken too long; the rest follows from their death."""
        for slot in self._all:
            if slot.deadline is not None and slot.deadline <= self._clock() and not slot.overdue:
                slot.overdue = True
                slot.stood_still = slot.processor_seconds() - slot.used < STANDING_STILL * self._seconds
                slot.kill()

    def stop(self) -> list[Job]:
        """End all workers at once; give the jobs that were not finished."""
        unfinished = [job for slot in self._slots for job in slot.jobs]
        for slot in self._all:
            slot.kill()
        for slot in self._all:
            slot.join()
        self._slots.clear()
        self._trial = None
        return unfinished

    def renew(self, equipment: WorkerConfig, tell: Callable[[str, str], None]) -> None:
        """Prove an equipment in a fresh worker; workers like it then take the places of the others as these finish.

        `tell` is called in the posting thread with the model's name, or with nothing and why it cannot be used;
        then all is as before. A trial that is still going on is given up without a word.
        """
        if self._trial is not None:
            self._trial.kill()
        try:
            self._trial = slot = self._worker(equipment)
        except (OSError, EOFError) as error:
            tell("", f"no worker can be started ({error})")
            return
        slot.deadline = self._clock() + PREPARING_SECONDS
        slot.ready.add_done_callback(lambda _: self._post(partial(self._proved, slot, tell)))

    def _proved(self, slot: WorkerProcess, tell: Callable[[str, str], None]) -> None:
        if slot is not self._trial:
            return
        self._trial, slot.deadline = None, None
        error = slot.ready.exception()
        if error is not None or slot.model == self.model:
            slot.dismiss()
            died = isinstance(error, WorkerDiedError)
            tell(slot.model, "its worker died or took too long" if died else str(error or ""))
            return
        self.equipment, self.model = slot.equipment, slot.model
        for old in self._staying:
            old.leaving = True
            self._let_go(old)
        self._slots.append(slot)
        with contextlib.suppress(OSError, EOFError):  # told when the next scan is given
            self._fill()
        tell(slot.model, "")

    def _let_go(self, slot: WorkerProcess) -> None:
        """End a worker that is leaving and has nothing left to do."""
        if slot.leaving and not slot.jobs:
            self._slots.remove(slot)
            slot.dismiss()

    @property
    def _all(self) -> list[WorkerProcess]:
        return self._slots + ([self._trial] if self._trial else [])

    @property
    def _staying(self) -> list[WorkerProcess]:
        return [slot for slot in self._slots if not slot.leaving]

    def _fill(self) -> None:
        while len(self._staying) < self._size:
            slot = self._worker(self.equipment)
            self._slots.append(slot)
            slot.ready.add_done_callback(partial(self._ready, slot))

    def _worker(self, equipment: WorkerConfig) -> WorkerProcess:
        """Start a worker that tells the thread that owns the pool what it makes of its jobs, and of its end."""
        return start(
            self._context,
            equipment,
            lambda slot, outcome: self._post(partial(self._done, slot, outcome)),
            lambda slot: self._post(partial(self._ended, slot)),
        )

    def _ready(self, slot: WorkerProcess, _: object) -> None:
        self._post(partial(self._begin, slot))

    def _give(self, slot: WorkerProcess, job: Job) -> None:
        slot.jobs.append(job)
        if slot.deadline is None:
            self._begin(slot)
        try:
            slot.give(job)
        except OSError:  # it is dead: when it had nothing to do, that is nobody's fault
            first = slot.jobs[0]
            self._replace(slot, culprit=first if first is not job and slot.was_ready else None)

    def _begin(self, slot: WorkerProcess) -> None:
        """Set the clock for the first job of a worker; the time to make a new one ready does not count."""
        if not slot.jobs:
            return
        slot.deadline = self._clock() + self._seconds + (0 if slot.ready.done() else PREPARING_SECONDS)
        slot.used = slot.processor_seconds()

    def _done(self, slot: WorkerProcess, outcome: Outcome) -> None:
        if slot not in self._slots:
            return  # it was replaced and the job went on with another
        self._stillborn = 0
        slot.jobs.popleft()
        slot.deadline = None
        self._begin(slot)
        self._report(replace(outcome, model=slot.model))
        self._let_go(slot)

    def _ended(self, slot: WorkerProcess) -> None:
        if slot not in self._slots:
            return
        if slot.jobs or not slot.was_ready:
            self._replace(slot, culprit=slot.jobs[0] if slot.jobs and slot.was_ready else None)
        else:  # another takes its place when there is something to read
            self._slots.remove(slot)

    def _replace(self, slot: WorkerProcess, culprit: Job | None) -> None:
        """Make a new worker in place of a dead one and give it the jobs, all but the one that was being read."""
        self._slots.remove(slot)
        others = [job for job in slot.jobs if job is not culprit]
        if culprit is not None:
            self._report(verdict(slot, culprit, self._seconds))
        elif not slot.was_ready:
            self._stillborn += 1
        if self._stillborn >= STILLBORN:
            self._stillborn = 0
            for job in others:
                self._report(Outcome(job, "", trouble="workers die while they start; is there memory enough?"))
            return
        with contextlib.suppress(OSError, EOFError):  # told when the next scan is given
            self._fill()
        for job in others:
            self.submit(job)
