"""One worker process: the pipe to it, the jobs given to it, its time and its end."""

import contextlib
import importlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from digitwatch.errors import TransientError
from digitwatch.spool.csv_rows import printable
from digitwatch.workers.messages import Job, Outcome, WorkerConfig

log = logging.getLogger(__name__)

WORKER = "digitwatch.workers.task"
HELD, ENDED = "T", ("Z", "X", "")  # states of a process: stopped by a signal; ended, waited for or not
PATIENCE = 0.005  # seconds between two looks whether a killed process has ended
HELD_SECONDS = 2.0  # without an answer, after which one looks whether the process that workers come from is held


class WorkerDiedError(TransientError):
    """A worker ended before it was ready."""


@dataclass(eq=False)
class WorkerProcess:
    """One worker: its process, the pipe to it, and the jobs given to it in order."""

    pid: int
    pipe: Connection
    equipment: WorkerConfig
    ready: Future[str] = field(default_factory=Future)  # the name of its model
    jobs: deque[Job] = field(default_factory=deque)
    deadline: float | None = None
    used: float = 0.0  # processor seconds when its first job began
    overdue: bool = False
    stood_still: bool = False
    leaving: bool = False  # it ends when its jobs are done: another model has taken over
    listener: threading.Thread | None = None

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
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:  # it has ended, or is ending
            return float("inf")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def give(self, job: Job) -> None:
        """Send it a job.

        Raises:
            OSError: it has ended.
        """
        self.pipe.send(job)

    def dismiss(self) -> None:
        """Let it end when it has done what it was given."""
        with contextlib.suppress(OSError):
            self.pipe.send(None)

    def kill(self) -> None:
        """Kill it."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)

    def join(self) -> None:
        """Wait until it has ended."""
        if self.listener is not None:
            self.listener.join()


def warm_up() -> None:
    """Let the process that workers come from load its libraries, while this one loads and checks its own things."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # many small jobs hate threads
        os.environ.setdefault(name, "1")
    multiprocessing.get_context("forkserver").set_forkserver_preload([WORKER])
    forkserver.ensure_running()


def start(
    context: ForkServerContext,
    equipment: WorkerConfig,
    answered: Callable[[WorkerProcess, Outcome], None],
    ended: Callable[[WorkerProcess], None],
) -> WorkerProcess:
    """Start a worker; it makes itself ready at once.

    `answered` is called with what it made of each job, in their order, and `ended` when it is no more; both in a
    thread of its own.

    Raises:
        OSError, EOFError: no process can be made.
    """
    here, there = context.Pipe()
    with there:
        process = context.Process(target=_serve, args=(there, equipment), daemon=True)
        _start(process)
    assert process.pid is not None
    slot = WorkerProcess(process.pid, here, equipment)
    slot.listener = threading.Thread(target=_listen, args=(slot, answered, ended), daemon=True)
    slot.listener.start()
    return slot


def verdict(slot: WorkerProcess, culprit: Job, seconds: float) -> Outcome:
    """Tell what the death of a worker says about the scan that it was reading, for which it had so many seconds."""
    if not slot.overdue:
        log.warning("%s: its worker died; it is read again, alone", printable(culprit.name))
        return Outcome(culprit, "", crashed=True)
    if slot.stood_still:
        why = f"a worker stood still for {seconds:g} seconds: a disk or network folder does not answer"
        return Outcome(culprit, "", trouble=why)
    failure = f"it took longer than {seconds:g} seconds (limits.seconds in config.yaml)"
    return Outcome(culprit, "", failure=failure, model=slot.model)


def _start(process: ForkServerProcess) -> None:
    """Start a process. A fork server that somebody holds (SIGSTOP) would never answer: it is killed, and another one
    starts the process.

    Raises:
        OSError, EOFError: no process can be made now.
    """
    killed, trouble = _start_watched(process)
    if killed and trouble:  # it had been asked before it was killed; asked later, its successor has answered
        _, trouble = _start_watched(process)
    if trouble:
        raise trouble


def _start_watched(process: ForkServerProcess) -> tuple[bool, OSError | EOFError | None]:
    """Start a process once; tell whether a held fork server had to be killed meanwhile, and what went wrong."""
    troubles: list[OSError | EOFError] = []

    def begin() -> None:
        try:
            process.start()
        except (OSError, EOFError) as error:
            troubles.append(error)

    thread = threading.Thread(target=begin, daemon=True)
    thread.start()
    thread.join(HELD_SECONDS)
    killed = False
    while thread.is_alive():
        server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]  # told nowhere else
        if server is not None and _state(server) == HELD:
            log.warning("the process that workers come from stands still (SIGSTOP?); it is killed and started again")
            os.kill(server, signal.SIGKILL)
            killed = True
            end = time.monotonic() + HELD_SECONDS
            while _state(server) not in ENDED and time.monotonic() < end:  # else the next try would take it for alive
                time.sleep(PATIENCE)
        thread.join(HELD_SECONDS)
    return killed, troubles[0] if troubles else None


def _state(pid: int) -> str:
    """Give the state of a process as a letter (proc(5)); nothing when there is none, or this is not Linux."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _listen(
    slot: WorkerProcess, answered: Callable[[WorkerProcess, Outcome], None], ended: Callable[[WorkerProcess], None]
) -> None:
    """Pass on what a worker says. Only the worker holds the other end of the pipe, so that this one ends with it."""
    try:
        model, trouble = slot.pipe.recv()
        slot.ready.set_exception(ValueError(trouble)) if trouble else slot.ready.set_result(model)
        while True:
            answered(slot, slot.pipe.recv())
    except (EOFError, OSError):
        if not slot.ready.done():
            slot.ready.set_exception(WorkerDiedError("a worker ended while it loaded the model"))
        ended(slot)


def _serve(pipe: Connection, equipment: WorkerConfig) -> None:
    """Be a worker: say which model is loaded, or why none is, and do job after job until there is None.

    Only worker processes ever import the worker module (and OpenCV).
    """
    worker = importlib.import_module(WORKER)
    worker.attend()
    try:
        pipe.send((worker.prepare(equipment), ""))
    except Exception as error:  # whatever the model's loader raises is told as it is
        pipe.send(("", str(error) or repr(error)))
        return
    with contextlib.suppress(EOFError, BrokenPipeError):  # the daemon has died, which ends this process, too
        while (job := pipe.recv()) is not None:
            pipe.send(worker.perform(job, equipment))
