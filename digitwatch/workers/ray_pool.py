"""Workers on the nodes of a Ray cluster, in place of the pool of local processes. Needs the extra `ray`.

Plain Ray Core: one actor for each processor, without automatic restarts and retries, which stop for ever when a node is
lost and no processor is spare (measured with Ray 2.60). Two batches of names are sent to each actor. The batches of an
actor that is lost are read by others; new actors are asked for but never waited for.

Actors read the images from the shared storage, and write the pictures to a folder of their own there. Only the driver
moves them to their places and records: an actor that lives on unnoticed disturbs nothing, and its answers are dropped.
"""

import contextlib
import logging
import os
import shutil
import socket
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from digitwatch import __version__
from digitwatch.spool.annotated_images import adopt
from digitwatch.spool.durable_io import open_folder, sync_handle
from digitwatch.workers.messages import Crashed, Gone, Job, Outcome, Read, Rejected, WorkerConfig
from digitwatch.workers.pool import WorkerError

BATCH = 16  # names sent to an actor at a time
BATCHES = 2  # sent to an actor: one that it reads, one that waits
AHEAD = 50  # times what is sent, that may be read before it is recorded: a lost node holds up the order of names
LOOK_SECONDS = 2.0  # between two looks at how many processors the cluster has
START_SECONDS = 120.0  # in which the first actor, and later any actor, must be there
PORT_SECONDS = 10.0  # in which the head of the cluster must answer
STAGING = ".digitwatch-ray"  # folder in the output folder, with one folder for each actor


@dataclass(frozen=True)
class Greeting:
    """What an actor says before its first batch; `problem` is why it cannot work."""

    node: str
    version: str
    model: str
    problem: str = ""


class RayReader:
    """The actor: one process on a node, which reads scans as a local worker does."""

    def prepare(self, config: WorkerConfig, folders: tuple[Path, ...]) -> Greeting:
        """Load the model; `folders` are those of the shared storage that must be there."""
        from digitwatch.workers import task  # noqa: PLC0415 (loads OpenCV, on the node only)

        node = socket.gethostname()
        if missing := [str(folder) for folder in folders if not folder.is_dir()]:
            return Greeting(node, __version__, "", f"{missing[0]} is not there; mount the shared storage")
        self._config = config
        self._task = task
        limited = replace(config, memory=config.memory + _address_space())  # Ray itself maps gigabytes
        try:
            return Greeting(node, __version__, task.prepare(limited))
        except Exception as error:  # any error of the model's loader is reported as it is
            return Greeting(node, __version__, "", str(error) or repr(error))

    def read(self, jobs: list[Job]) -> list[Outcome]:
        """Read a batch of scans, in order."""
        return [self._task.perform(job, self._config) for job in jobs]


@dataclass(eq=False)
class _Actor:
    """An actor as the driver sees it."""

    handle: Any
    greeting: Any  # the reference of its answer
    number: int
    model: str = ""  # "" until it is ready
    batches: deque[list[Job]] = field(default_factory=deque)
    deadline: float | None = None


class RayPool:
    """Reads scans on a Ray cluster; has the methods of `Pool` that a batch uses."""

    def __init__(
        self,
        address: str,
        config: WorkerConfig,
        folders: tuple[Path, Path],
        *,
        seconds: float,
        report: Callable[[Outcome], None],
        post: Callable[[Callable[[], None]], None],
    ) -> None:
        """Keep the settings; nothing is connected yet.

        Args:
            address: of the cluster, or `local` for one of this machine alone.
            config: what each worker needs.
            folders: the directory of the scans and the output folder, on the shared storage.
            seconds: limit of one scan.
            report: called with each outcome, in the thread that owns the pool.
            post: brings a call to that thread.
        """
        self._address = address
        self._config = config
        self._source, self._out = folders
        self._seconds = seconds
        self._report = report
        self._post = post
        self._actors: list[_Actor] = []
        self._started = 0  # actors so far
        self._waiting: deque[Job] = deque()
        self._alone: deque[Job] = deque()  # of a batch that was lost: each is read in a batch of its own
        self._processors = 1
        self._next_look = 0.0
        self._alive_at = 0.0  # when an actor was last known to be ready
        self._model = ""
        self._staging = self._out / STAGING / f"{os.getpid()}-{time.time_ns():x}"

    def start(self) -> str:
        """Connect, ask for actors and wait for the first one; return the model's name.

        Raises:
            WorkerError: the cluster cannot be reached, or no actor could be made ready.
        """
        _check_port(self._address)
        import ray  # noqa: PLC0415 (an extra, and slow to load)

        self._ray = ray
        options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.WARNING}
        if self._address == "local":
            options |= {"include_dashboard": False, "_system_config": {"worker_niceness": 0}}
        try:
            ray.init(address=self._address, **options)
        except (ConnectionError, ValueError, RuntimeError) as error:
            raise WorkerError(f"the Ray cluster {self._address} cannot be reached: {error}") from error
        shutil.rmtree(self._out / STAGING, ignore_errors=True)  # of a driver that was killed
        self._staging.mkdir(parents=True)
        self._remote = ray.remote(max_restarts=0, max_task_retries=0, num_cpus=1)(RayReader)
        self._ask_for_actors()
        self._await_first()
        return self._model

    @property
    def ahead(self) -> int:
        """Return how many scans may be read before the first of them is recorded."""
        return AHEAD * self._capacity

    @property
    def free(self) -> int:
        """Return how many more scans may be submitted now."""
        return max(0, self._capacity - self.busy)

    @property
    def busy(self) -> int:
        """Return how many scans are being read or wait for a worker."""
        sent = sum(len(batch) for actor in self._actors for batch in actor.batches)
        return sent + len(self._waiting) + len(self._alone)

    def submit(self, job: Job) -> None:
        """Take a scan; it is sent with others before the pool's owner waits."""
        self._waiting.append(job)

    def next_deadline(self) -> float:
        """Send what waits; return the clock time at which `expire` must next be called.

        While answers come one after the other nobody would call it: it is called here then.
        """
        if time.monotonic() >= self._next_look:
            self.expire()
        self._dispatch()
        deadlines = [actor.deadline for actor in self._actors if actor.deadline is not None]
        return min([self._next_look, *deadlines])

    def expire(self) -> None:
        """Give up actors that have taken too long; ask for more where the cluster has room.

        Raises:
            WorkerError: no actor has been ready for long.
        """
        now = time.monotonic()
        for actor in [each for each in self._actors if each.deadline is not None and each.deadline <= now]:
            self._lose(actor, overdue=True)
        if any(actor.model for actor in self._actors):
            self._alive_at = now
        elif now - self._alive_at > START_SECONDS:
            raise WorkerError(f"no node of the Ray cluster has answered for {START_SECONDS:.0f} seconds")
        if now >= self._next_look:
            self._ask_for_actors()

    def stop(self) -> None:
        """End all actors and disconnect."""
        if not hasattr(self, "_ray"):
            return
        for actor in self._actors:
            self._kill(actor)
        self._actors.clear()
        self._ray.shutdown()
        shutil.rmtree(self._out / STAGING, ignore_errors=True)

    @property
    def _capacity(self) -> int:
        return BATCH * BATCHES * max(1, self._processors)

    def _await_first(self) -> None:
        """Wait until one actor is ready; the others come when they are."""
        end = time.monotonic() + START_SECONDS
        problem = "the cluster has no free processor"
        while not self._model:
            ready, _ = self._ray.wait([actor.greeting for actor in self._actors], timeout=LOOK_SECONDS)
            try:
                if ready:
                    self._check(self._ray.get(ready[0]))
            except self._ray.exceptions.RayError as error:  # it was killed, or its node was lost
                problem = str(error).partition("\n")[0]
                self._actors = [actor for actor in self._actors if actor.greeting != ready[0]]
            if time.monotonic() > end:
                raise WorkerError(
                    f"no worker of the Ray cluster was ready after {START_SECONDS:.0f} seconds: {problem}"
                )
            self._ask_for_actors()
        self._alive_at = time.monotonic()

    def _ask_for_actors(self) -> None:
        self._next_look = time.monotonic() + LOOK_SECONDS
        self._processors = max(1, int(self._ray.cluster_resources().get("CPU", 0)))
        while len(self._actors) < self._processors:
            self._started += 1
            handle = self._remote.remote()
            greeting = handle.prepare.remote(self._config, (self._source, self._staging))
            actor = _Actor(handle, greeting, self._started)
            self._actors.append(actor)
            greeting.future().add_done_callback(partial(self._pass_on, self._greeted, actor))

    def _pass_on(self, call: Callable[..., None], actor: _Actor, future: "Future[Any]") -> None:
        """Bring an answer from Ray's thread to ours."""
        self._post(partial(call, actor, future))

    def _greeted(self, actor: _Actor, future: "Future[Greeting]") -> None:
        if actor not in self._actors:
            return
        if future.exception() is not None:
            self._lose(actor)
            return
        self._check(future.result())
        actor.model = self._model
        self._alive_at = time.monotonic()

    def _check(self, greeting: Greeting) -> None:
        """Compare what an actor says with this machine and the other actors.

        Raises:
            WorkerError: it cannot work, or has another version or model.
        """
        expected = self._model or greeting.model
        problem = greeting.problem
        if not problem and (greeting.version, greeting.model) != (__version__, expected):
            problem = (
                f"it has digitwatch {greeting.version} with {greeting.model}, expected {__version__} with {expected}"
            )
        if problem:
            raise WorkerError(f"node {greeting.node} of the Ray cluster: {problem}")
        self._model = expected

    def _dispatch(self) -> None:
        """Send batches to the actors with the fewest, until each has BATCHES."""
        ready = [actor for actor in self._actors if actor.model]
        for number in range(BATCHES):
            for actor in ready:
                if len(actor.batches) <= number and (jobs := self._next_batch(len(ready))):
                    self._send(actor, jobs)

    def _next_batch(self, actors: int) -> list[Job]:
        """Return the next names: fewer than BATCH where little is left for all actors."""
        if self._alone:
            return [self._alone.popleft()]
        size = min(BATCH, max(1, len(self._waiting) // (BATCHES * actors)), len(self._waiting))
        return [self._waiting.popleft() for _ in range(size)]

    def _send(self, actor: _Actor, jobs: list[Job]) -> None:
        outbox = self._staging / str(actor.number)
        actor.batches.append(jobs)
        self._set_deadline(actor)
        answer = actor.handle.read.remote([replace(job, outbox=outbox) for job in jobs])
        answer.future().add_done_callback(partial(self._pass_on, self._answered, actor))

    def _set_deadline(self, actor: _Actor) -> None:
        if not actor.batches:
            actor.deadline = None
        elif actor.deadline is None:
            actor.deadline = time.monotonic() + self._seconds

    def _answered(self, actor: _Actor, future: "Future[list[Outcome]]") -> None:
        if actor not in self._actors:  # given up meanwhile: others have its batches
            return
        if future.exception() is not None:
            self._lose(actor)
            return
        jobs = actor.batches.popleft()
        actor.deadline = None
        self._set_deadline(actor)
        for job, outcome in zip(jobs, future.result(), strict=True):
            self._report(self._placed(job, outcome, actor.model))

    def _placed(self, job: Job, outcome: Outcome, model: str) -> Outcome:
        """Return the outcome as that of a local worker: with its pictures at their places.

        Raises:
            WorkerError: the node does not see the scan.
        """
        if isinstance(outcome, Gone) and os.path.lexists(job.source):
            raise WorkerError(f"a node does not see {job.source}; mount the shared storage there")
        if not isinstance(outcome, Read):
            outcome = replace(outcome, job=job)
            return replace(outcome, model=model) if isinstance(outcome, Rejected) else outcome
        folder = (job.outbox / job.name).parent
        with open_folder(job.outbox.parent, folder, make=True) as handle:
            pages = []
            for page in outcome.pages:
                placed = adopt(page.annotated, folder) or page.annotated
                page.annotated.unlink()
                pages.append(replace(page, annotated=placed))
            sync_handle(handle)
        return replace(outcome, job=job, pages=tuple(pages), model=model)

    def _lose(self, actor: _Actor, *, overdue: bool = False) -> None:
        """Give up an actor: what it was reading is read again, each scan alone; what waited there goes to others."""
        self._actors.remove(actor)
        self._kill(actor)
        batches = list(actor.batches)
        for jobs in reversed(batches[1:]):
            self._waiting.extendleft(reversed(jobs))
        if batches and len(batches[0]) > 1:
            self._alone.extend(batches[0])
        elif batches and overdue:
            [job] = batches[0]
            why = f"it took longer than {self._seconds:g} seconds (limits.seconds in config.yaml)"
            self._report(Rejected(job, why, model=actor.model))
        elif batches:
            self._report(Crashed(batches[0][0]))

    def _kill(self, actor: _Actor) -> None:
        with contextlib.suppress(Exception):  # it has died, or its node has
            self._ray.kill(actor.handle)


def _check_port(address: str) -> None:
    """Try the port of HOST:PORT: Ray itself waits for minutes where nobody listens.

    Raises:
        WorkerError: nobody listens there.
    """
    host, colon, port = address.rpartition(":")
    if not colon or "/" in host or not port.isdigit():  # local, auto, or a URL
        return
    try:
        socket.create_connection((host, int(port)), PORT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise WorkerError(f"the Ray cluster {address} cannot be reached: {error}") from error


def _address_space() -> int:
    """Return the size of this process's address space in bytes."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
