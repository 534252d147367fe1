"""One worker process: its pipe, its jobs, its deadline and its end."""

import contextlib
import importlib
import logging
import multiprocessing
import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from digitwatch.errors import TransientError
from digitwatch.spool.csv_rows import printable
from digitwatch.workers.messages import Crashed, Job, Outcome, PageDone, Rejected, Retry, WorkerConfig

log = logging.getLogger(__name__)

Configs = Mapping[str, WorkerConfig]  # by the name of the profile, "" for the only one
Models = Mapping[str, str]  # the name of each profile's model

TASK_MODULE = "digitwatch.workers.task"
STOPPED, ENDED = "T", ("Z", "X", "")  # states of a process: stopped by a signal; ended, waited for or not
POLL_SECONDS = 0.005  # between two checks whether a killed process has ended
ANSWER_SECONDS = 2.0  # without an answer of the fork server, after which its state is checked


class WorkerDiedError(TransientError):
    """A worker ended before it was ready."""


@dataclass(eq=False)
class WorkerProcess:
    """One worker: its process, the pipe to it, and the jobs sent to it in order."""

    pid: int
    pipe: Connection
    configs: Configs
    ready: Future[Models] = field(default_factory=Future)
    jobs: deque[Job] = field(default_factory=deque)
    deadline: float | None = None
    since: float = 0.0  # clock time since when it reads its first job, or the page that it is at
    used: float = 0.0  # processor seconds when its first job began
    overdue: bool = False
    was_idle: bool = False
    leaving: bool = False  # ends when its jobs are done: another model is used now
    listener: threading.Thread | None = None

    @property
    def was_ready(self) -> bool:
        """Return whether it has loaded its model and passed the self-test."""
        return self.ready.done() and self.ready.exception() is None

    @property
    def models(self) -> Models:
        """Return the names of its models, none before it was ready."""
        return self.ready.result() if self.was_ready else {}

    def processor_seconds(self) -> float:
        """Return the processor time that it has used (proc(5), fields 14 and 15); infinity where it is unknown."""
        try:
            with open(f"/proc/{self.pid}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:  # it has ended, or is ending
            return float("inf")
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def send(self, job: Job) -> None:
        """Send it a job.

        Raises:
            OSError: it has ended.
        """
        self.pipe.send(job)

    def dismiss(self) -> None:
        """Make it end when its jobs are done."""
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
    """Start the fork server; it loads the libraries of the workers while this process loads its own."""
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):  # threads slow many small jobs down
        os.environ.setdefault(name, "1")
    multiprocessing.get_context("forkserver").set_forkserver_preload([TASK_MODULE])
    forkserver.ensure_running()


def start(
    context: ForkServerContext,
    configs: Configs,
    answered: Callable[[WorkerProcess, Outcome | PageDone], None],
    ended: Callable[[WorkerProcess], None],
) -> WorkerProcess:
    """Start a worker; it loads the models at once.

    `answered` is called with the outcome of each job, in their order, and before it with each page that is done but
    the first; `ended` when the process has ended; both in
    a thread of the worker's own.

    Raises:
        OSError, EOFError: no process can be made.
    """
    here, there = context.Pipe()
    with there:
        process = context.Process(target=_serve, args=(there, configs), daemon=True)
        _start(process)
    assert process.pid is not None
    worker = WorkerProcess(process.pid, here, configs)
    worker.listener = threading.Thread(target=_listen, args=(worker, answered, ended), daemon=True)
    worker.listener.start()
    return worker


def verdict(worker: WorkerProcess, culprit: Job, seconds: float) -> Outcome:
    """Return the outcome of the scan that a dead worker was reading, with `seconds` as its time limit."""
    if not worker.overdue:
        log.warning("%s: the worker process died while reading it; it is read again, alone", printable(culprit.name))
        return Crashed(culprit)
    if worker.was_idle:
        why = f"a worker waited for {seconds:g} seconds: a disk or network folder does not answer"
        return Retry(culprit, why)
    reason = f"it took longer than {seconds:g} seconds (limits.seconds in config.yaml)"
    return Rejected(culprit, reason, model=worker.models.get(culprit.profile, ""))


def _start(process: ForkServerProcess) -> None:
    """Start a process. A fork server that was stopped (SIGSTOP) would never answer: it is killed, and a new one
    starts the process.

    Raises:
        OSError, EOFError: no process can be made now.
    """
    killed, error = _start_watched(process)
    if killed and error:  # the request went to the killed server; a later request starts a new one
        _, error = _start_watched(process)
    if error:
        raise error


def _start_watched(process: ForkServerProcess) -> tuple[bool, OSError | EOFError | None]:
    """Start a process once; return whether a stopped fork server had to be killed meanwhile, and the error if any."""
    errors: list[OSError | EOFError] = []

    def begin() -> None:
        try:
            process.start()
        except (OSError, EOFError) as error:
            errors.append(error)

    thread = threading.Thread(target=begin, daemon=True)
    thread.start()
    thread.join(ANSWER_SECONDS)
    killed = False
    while thread.is_alive():
        server = forkserver._forkserver._forkserver_pid  # type: ignore[attr-defined]  # there is no public way
        if server is not None and _state(server) == STOPPED:
            log.warning("the fork server is stopped (SIGSTOP?); restarting it")
            os.kill(server, signal.SIGKILL)
            killed = True
            end = time.monotonic() + ANSWER_SECONDS
            while _state(server) not in ENDED and time.monotonic() < end:  # else the next try would count it as alive
                time.sleep(POLL_SECONDS)
        thread.join(ANSWER_SECONDS)
    return killed, errors[0] if errors else None


def _state(pid: int) -> str:
    """Return the state of a process as a letter (proc(5)); "" when there is none, or this is not Linux."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return ""


def _listen(
    worker: WorkerProcess,
    answered: Callable[[WorkerProcess, Outcome | PageDone], None],
    ended: Callable[[WorkerProcess], None],
) -> None:
    """Pass on the messages of a worker. No other process has the other end of the pipe, so that it closes with it."""
    try:
        models, error = worker.pipe.recv()
        worker.ready.set_exception(ValueError(error)) if error else worker.ready.set_result(models)
        while True:
            answered(worker, worker.pipe.recv())
    except (EOFError, OSError):
        if not worker.ready.done():
            worker.ready.set_exception(WorkerDiedError("a worker ended while it loaded the model"))
        ended(worker)


def _serve(pipe: Connection, configs: Configs) -> None:
    """Run a worker: send the names of the loaded models, or why one cannot be used, then the outcome of each job until
    None comes.

    Only worker processes import the task module (and OpenCV).
    """
    task = importlib.import_module(TASK_MODULE)
    task.attach_to_parent()
    try:
        pipe.send(({name: task.prepare(config) for name, config in configs.items()}, ""))
    except Exception as error:  # any error of a model's loader is reported as it is
        pipe.send(({}, str(error) or repr(error)))
        return
    with contextlib.suppress(EOFError, BrokenPipeError):  # the daemon has died, and this process ends with it
        while (job := pipe.recv()) is not None:
            pipe.send(task.perform(job, configs[job.profile], pipe.send))
