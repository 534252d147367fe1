"""One worker process: its executor, the jobs given to it, its time and its end."""

import contextlib
import importlib
import multiprocessing
import os
import signal
from collections import deque
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.context import BaseContext
from typing import Any

from digitwatch.jobs import Equipment, Job

STARTING_SECONDS = 10.0
WORKER = "digitwatch.worker"


@dataclass(eq=False)
class Slot:
    """One worker: its executor, its process, and the jobs given to it in order."""

    executor: ProcessPoolExecutor
    equipment: Equipment
    pid: Future[int]
    ready: Future[str]  # the name of its model
    jobs: deque[Job] = field(default_factory=deque)
    deadline: float | None = None
    used: float = 0.0  # processor seconds when its first job began
    overdue: bool = False
    stood_still: bool = False
    leaving: bool = False  # it ends when its jobs are done: another model has taken over

    @property
    def was_ready(self) -> bool:
        """Tell whether it has loaded its model and answered the self-test."""
        return self.ready.done() and self.ready.exception() is None

    @property
    def model(self) -> str:
        """Give the name of its model, or nothing before it was ready."""
        return self.ready.result() if self.was_ready else ""

    def processor_seconds(self) -> float:
        """Give the processor time that it has used (proc(5), fields 14 and 15); no limit where that is not told."""
        if not self.pid.done() or self.pid.exception():
            return 0.0
        try:
            with open(f"/proc/{self.pid.result()}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:  # it has ended, or is ending
            return float("inf")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def kill(self) -> None:
        """Kill it; its pid is the first thing that it tells, so the wait for it is short."""
        with contextlib.suppress(ProcessLookupError, BrokenProcessPool, TimeoutError):
            os.kill(self.pid.result(STARTING_SECONDS), signal.SIGKILL)


def warm_up() -> None:
    """Let the process that workers come from load its libraries, while this one loads and checks its own things."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small jobs hate threads
        os.environ.setdefault(name, "1")
    multiprocessing.get_context("forkserver").set_forkserver_preload([WORKER])
    forkserver.ensure_running()


def start(context: BaseContext, equipment: Equipment) -> Slot:
    """Start a worker; it makes itself ready at once.

    Raises:
        OSError, EOFError: no process can be made.
    """
    executor = ProcessPoolExecutor(1, mp_context=context, initializer=call, initargs=("attend",))
    pid = executor.submit(call, "enlist")
    return Slot(executor, equipment, pid, executor.submit(call, "prepare", equipment))


def call(name: str, *arguments: Any) -> Any:
    """Run a function of the worker module; only worker processes ever import that one (and OpenCV)."""
    return getattr(importlib.import_module(WORKER), name)(*arguments)
