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

log = logging.getLogger(__name__)

AHEAD = 2  # scans given to a worker at a time: one that it reads, one that waits so that it never idles
CRASHES = 3  # a scan during which its worker died so often is the cause, not the victim
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
    jobs: deque[Job] = field(default_factory=deque)
    deadline: float | None = None
    overdue: bool = False


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
        self._crashes: dict[str, int] = {}
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([WORKER])

    def start(self) -> str:
        """Start all workers and wait until each has answered a self-test; give the model's name.

        Raises:
            WorkerError: a worker cannot be made ready.
        """
        for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small jobs hate threads
            os.environ.setdefault(name, "1")
        ready = [self._hire() for _ in range(self._size)]
        try:
            return {future.result(PREPARING_SECONDS) for future in ready}.pop()
        except TimeoutError:
            raise WorkerError(f"no worker was ready after {PREPARING_SECONDS:.0f} seconds") from None
        except BrokenProcessPool:
            raise WorkerError("a worker ended while it loaded the model") from None
        except Exception as error:  # whatever the model's loader raises crosses the process as it is
            raise WorkerError(str(error)) from error

    @property
    def free(self) -> int:
        """Give how many more scans may be submitted now."""
        return sum(max(0, AHEAD - len(slot.jobs)) for slot in self._slots)

    @property
    def busy(self) -> int:
        """Give how many scans are being read or wait for it."""
        return sum(len(slot.jobs) for slot in self._slots)

    def submit(self, job: Job) -> None:
        """Give a scan to the worker with the least to do."""
        self._give(min(self._slots, key=lambda slot: len(slot.jobs)), job)

    def next_deadline(self) -> float | None:
        """Give the clock time at which `expire` must next be called, or None."""
        return min((slot.deadline for slot in self._slots if slot.deadline is not None), default=None)

    def expire(self) -> None:
        """Kill the workers whose scan has taken too long; the rest follows from their death."""
        for slot in self._slots:
            if slot.deadline is not None and slot.deadline <= self._clock() and not slot.overdue:
                slot.overdue = True
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

    def _hire(self) -> Future[str]:
        executor = ProcessPoolExecutor(1, mp_context=self._context)
        self._slots.append(_Slot(executor, executor.submit(_call, "enlist")))
        return executor.submit(_call, "prepare", self._equipment)

    def _give(self, slot: _Slot, job: Job) -> None:
        if not slot.jobs:
            slot.deadline = self._clock() + self._seconds
        slot.jobs.append(job)
        try:
            future = slot.executor.submit(_call, "perform", job, self._equipment)
        except BrokenProcessPool:  # it died while it had nothing to do: nobody's fault
            self._replace(slot, culprit=None)
            return
        future.add_done_callback(lambda done: self._post(partial(self._done, slot, job, done)))

    def _done(self, slot: _Slot, job: Job, future: Future[Outcome]) -> None:
        if slot not in self._slots:
            return  # its worker was replaced and the job went on with it
        error = future.exception()
        if isinstance(error, BrokenProcessPool):
            self._replace(slot, culprit=slot.jobs[0])
            return
        slot.jobs.remove(job)
        slot.deadline = self._clock() + self._seconds if slot.jobs else None
        self._crashes.pop(job.id, None)
        self._report(Outcome(job, "", trouble=str(error)) if error else future.result())

    def _replace(self, slot: _Slot, culprit: Job | None) -> None:
        """Make a new worker in place of a dead one and give it the jobs, but not a guilty one."""
        self._slots.remove(slot)
        slot.executor.shutdown(wait=False, cancel_futures=True)
        self._hire()
        fresh = self._slots[-1]
        verdict = self._verdict(slot, culprit) if culprit else ""
        for job in slot.jobs:
            if job is not culprit or not verdict:
                self._give(fresh, job)
        if culprit and verdict:
            self._crashes.pop(culprit.id, None)
            self._report(Outcome(culprit, "", failure=verdict))

    def _verdict(self, slot: _Slot, culprit: Job) -> str:
        """Give why a scan is given up, or "" while its worker's death may have been an accident."""
        if slot.overdue:
            return f"took longer than {self._seconds:g} seconds (limits.seconds in config.yaml)"
        self._crashes[culprit.id] = self._crashes.get(culprit.id, 0) + 1
        log.warning("%s: its worker died; attempt %d", culprit.name, self._crashes[culprit.id])
        if self._crashes[culprit.id] < CRASHES:
            return ""
        return f"crashed the reader {CRASHES} times; the image file is probably damaged"

    def _kill(self, slot: _Slot) -> None:
        """Kill a worker; its pid is the first thing that it tells, so the wait for it is short."""
        with contextlib.suppress(ProcessLookupError, BrokenProcessPool, TimeoutError):
            os.kill(slot.pid.result(STARTING_SECONDS), signal.SIGKILL)


def _call(name: str, *arguments: Any) -> Any:
    """Run a function of the worker module; only worker processes ever import that one (and OpenCV)."""
    return getattr(importlib.import_module(WORKER), name)(*arguments)
