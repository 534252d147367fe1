"""Worker processes: a time limit for each scan, crash isolation, a bounded queue.

Each worker is an executor of its own with one process, so that the death of a process always points at
one scan, and a worker can be killed without asking it. (A pool of several processes shares its pipes:
in pebble 5.2 the death of an idle worker ends the whole pool, and its threads wake 20 times a second.)
"""

import contextlib
import importlib
import logging
import multiprocessing
import os
import signal
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from digitwatch.jobs import Equipment, Job, Outcome
from digitwatch.spool.lines import printable

log = logging.getLogger(__name__)

AHEAD = 2  # scans given to a worker at a time: one that it reads, one that waits so that it never idles
CRASHES = 5  # a scan during which, read alone, a process died so often is the cause, not the victim
STILLBORN = 3  # workers in a row that died before they were ready: no scan is to blame for that
STANDING_STILL = 0.05  # processor time per second below which a slow worker was waiting, not reading
STARTING_SECONDS = 10.0
PREPARING_SECONDS = 60.0
WORKER = "digitwatch.worker"


class WorkerError(Exception):
    """A worker could not be made ready; the message says why (most often the model)."""


@dataclass(eq=False)
class _Slot:
    """One worker: its executor, its process, and the jobs given to it in order."""

    executor: ProcessPoolExecutor
    pid: Future[int]
    ready: Future[str]
    jobs: deque[Job] = field(default_factory=deque)
    deadline: float | None = None
    used: float = 0.0  # processor seconds when its first job began
    overdue: bool = False
    stood_still: bool = False


class Pool:
    """Reads scans in `size` processes; every outcome is handed to `report` in the posting thread.

    `post` brings a call from the executors' threads to the thread that owns the pool; nothing here is
    touched by two threads.
    """

    def __init__(
        self,
        size: int,
        equipment: Equipment,
        *,
        seconds: float,
        report: Callable[[Outcome], None],
        post: Callable[[Callable[[], None]], None],
        clock: Callable[[], float],
    ) -> None:
        """Remember how to make workers; none is started yet."""
        self._size = size
        self._equipment = equipment
        self._seconds = seconds
        self._report = report
        self._post = post
        self._clock = clock
        self._slots: list[_Slot] = []
        self._stillborn = 0
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([WORKER])

    def start(self) -> str:
        """Start all workers and wait until each has answered a self-test; give the model's name.

        Raises:
            WorkerError: a worker cannot be made ready.
        """
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small jobs hate threads
            os.environ.setdefault(name, "1")
        try:
            self._fill()
            return {slot.ready.result(PREPARING_SECONDS) for slot in self._slots}.pop()
        except TimeoutError:
            raise WorkerError(f"no worker was ready after {PREPARING_SECONDS:.0f} seconds") from None
        except BrokenProcessPool:
            raise WorkerError("a worker ended while it loaded the model") from None
        except Exception as error:  # whatever the model's loader raises crosses the process as it is
            raise WorkerError(str(error)) from error

    @property
    def free(self) -> int:
        """Give how many more scans may be submitted now."""
        missing = self._size - len(self._slots)
        return missing * AHEAD + sum(max(0, AHEAD - len(slot.jobs)) for slot in self._slots)

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
        self._give(min(self._slots, key=lambda slot: len(slot.jobs)), job)

    def next_deadline(self) -> float | None:
        """Give the clock time at which `expire` must next be called, or None."""
        return min((slot.deadline for slot in self._slots if slot.deadline is not None), default=None)

    def expire(self) -> None:
        """Kill the workers whose scan has taken too long; the rest follows from their death."""
        for slot in self._slots:
            if slot.deadline is not None and slot.deadline <= self._clock() and not slot.overdue:
                slot.overdue = True
                slot.stood_still = _processor_seconds(slot) - slot.used < STANDING_STILL * self._seconds
                self._kill(slot)

    def stop(self) -> list[Job]:
        """End all workers at once; give the jobs that were not finished."""
        unfinished = [job for slot in self._slots for job in slot.jobs]
        for slot in self._slots:
            self._kill(slot)
            slot.executor.shutdown(wait=False, cancel_futures=True)
        for slot in self._slots:
            slot.executor.shutdown(wait=True)
        self._slots.clear()
        return unfinished

    def _fill(self) -> None:
        while len(self._slots) < self._size:
            executor = ProcessPoolExecutor(1, mp_context=self._context, initializer=_call, initargs=("attend",))
            pid = executor.submit(_call, "enlist")
            slot = _Slot(executor, pid, executor.submit(_call, "prepare", self._equipment))
            self._slots.append(slot)
            self._begin_when_ready(slot)

    def _begin_when_ready(self, slot: _Slot) -> None:
        slot.ready.add_done_callback(lambda _: self._post(partial(self._begin, slot)))

    def _give(self, slot: _Slot, job: Job) -> None:
        slot.jobs.append(job)
        if slot.deadline is None:
            self._begin(slot)
        try:
            future = slot.executor.submit(_call, "perform", job, self._equipment)
        except BrokenProcessPool:  # when it had nothing to do, that is nobody's fault
            first = slot.jobs[0]
            self._replace(slot, culprit=first if first is not job and _was_ready(slot) else None)
            return
        future.add_done_callback(lambda done: self._post(partial(self._done, slot, job, done)))

    def _begin(self, slot: _Slot) -> None:
        """Set the clock for the first job of a worker; the time to make a new one ready does not count."""
        if not slot.jobs:
            return
        slot.deadline = self._clock() + self._seconds + (0 if slot.ready.done() else PREPARING_SECONDS)
        slot.used = _processor_seconds(slot)

    def _done(self, slot: _Slot, job: Job, future: Future[Outcome]) -> None:
        if slot not in self._slots:
            return  # its worker was replaced and the job went on with it
        error = future.exception()
        if isinstance(error, BrokenProcessPool):
            self._replace(slot, culprit=slot.jobs[0] if _was_ready(slot) else None)
            return
        self._stillborn = 0
        slot.jobs.remove(job)
        slot.deadline = None
        self._begin(slot)
        self._report(_crash(job) if error else future.result())

    def _replace(self, slot: _Slot, culprit: Job | None) -> None:
        """Make a new worker in place of a dead one and give it the jobs, all but the one that was being read."""
        self._slots.remove(slot)
        slot.executor.shutdown(wait=False, cancel_futures=True)
        others = [job for job in slot.jobs if job is not culprit]
        if culprit is not None:
            self._report(self._verdict(slot, culprit))
        elif not _was_ready(slot):
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

    def _verdict(self, slot: _Slot, culprit: Job) -> Outcome:
        """Tell what the death of a worker says about the scan that it was reading."""
        if not slot.overdue:
            log.warning("%s: its worker died; it is read again, alone", printable(culprit.name))
            return _crash(culprit)
        if slot.stood_still:
            trouble = f"a worker stood still for {self._seconds:g} seconds: a disk or network folder does not answer"
            return Outcome(culprit, "", trouble=trouble)
        return Outcome(
            culprit, "", failure=f"it took longer than {self._seconds:g} seconds (limits.seconds in config.yaml)"
        )

    def _kill(self, slot: _Slot) -> None:
        """Kill a worker; its pid is the first thing that it tells, so the wait for it is short."""
        with contextlib.suppress(ProcessLookupError, BrokenProcessPool, TimeoutError):
            os.kill(slot.pid.result(STARTING_SECONDS), signal.SIGKILL)


def _was_ready(slot: _Slot) -> bool:
    return slot.ready.done() and slot.ready.exception() is None


def _crash(job: Job) -> Outcome:
    return Outcome(job, "", crashed=True)


def _processor_seconds(slot: _Slot) -> float:
    """Give the processor time that a worker has used (proc(5), fields 14 and 15); no limit where that is not told."""
    if not slot.pid.done() or slot.pid.exception():
        return 0.0
    try:
        with open(f"/proc/{slot.pid.result()}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
    except OSError:  # it has ended, or is ending
        return float("inf")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _call(name: str, *arguments: Any) -> Any:
    """Run a function of the worker module; only worker processes ever import that one (and OpenCV)."""
    return getattr(importlib.import_module(WORKER), name)(*arguments)
