"""Workers on the nodes of a Ray cluster, in place of the pool of local processes. Needs the extra `ray`.

Plain Ray Core: one actor for each processor, without automatic restarts and retries, which stop for ever when a node is
lost and no processor is spare (measured with Ray 2.60). Two batches of names are sent to each actor. New actors are
asked for but never waited for.

Ray reports a node that was killed after 15 s, and one that is stopped or cut off from the network after 65 s. So each
actor is asked for its progress every LOOK_SECONDS: what one that does not answer was sent is sent to others as well,
and the first answer for a scan counts. An actor that answers again is used again.

Actors read the images from the shared storage, and write the pictures of each batch to a folder of its own there. Only
the driver moves them to their places and records: an actor that lives on unnoticed disturbs nothing.
"""

import contextlib
import logging
import os
import shutil
import socket
import time
from collections import Counter, deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from digitwatch import __version__
from digitwatch.spool.annotated_images import adopt
from digitwatch.spool.durable_io import open_folder, sync_folder
from digitwatch.workers.messages import Gone, Job, Outcome, PageResult, Read, Rejected, WorkerConfig
from digitwatch.workers.pool import CRASHED, CRASHES, WorkerError
from digitwatch.workers.ray_reader import PROGRESS, Answer, Greeting, RayReader

log = logging.getLogger(__name__)

BATCH = 16  # names sent to an actor at a time, at most
BATCH_SECONDS = 1.0  # that a batch takes at most where scans take long: what was lost waits behind two of them
BATCHES = 2  # sent to an actor: one that it reads, one that waits
AHEAD = 50  # times what is sent, that may be read before it is recorded: a lost node holds up the order of names
LOOK_SECONDS = 2.0  # between two looks at the processors of the cluster and the progress of the actors
SILENT_LOOKS = 2  # without an answer of an actor, after which others are sent what it was sent: 4 to 6 seconds
START_SECONDS = 120.0  # in which the first actor, and later any actor, must be there
PORT_SECONDS = 10.0  # in which the head of the cluster must answer
STAGING = ".digitwatch-ray"  # folder in the output folder, with one folder for each batch of names
SMOOTHING = 0.2  # weight of the newest batch in the mean time of a scan


@dataclass(frozen=True, eq=False)
class _Sent:
    """A batch that was sent to an actor, and the folder of its pictures."""

    jobs: list[Job]
    outbox: Path


@dataclass(eq=False)
class _Actor:
    """An actor as the driver sees it."""

    handle: Any
    greeting: Any  # the reference of its answer
    number: int
    model: str = ""  # "" until it is ready
    batches: list[_Sent] = field(default_factory=list)  # not answered, in order
    since: float = 0.0  # when it began with the first of them, or last made progress
    progress: int = 0  # scans and pages that it had read when it was last asked
    is_asked: bool = False  # for its progress, without an answer so far
    unanswered: int = 0  # looks since it was asked

    @property
    def is_silent(self) -> bool:
        """Return whether it has not answered for so long that it may be lost."""
        return self.unanswered >= SILENT_LOOKS


class RayPool:
    """Reads scans on a Ray cluster; has the methods of `Pool` that a batch uses."""

    reader: type[RayReader] = RayReader

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
            seconds: limit of one scan, or one page of a scan of several.
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
        self._sent = 0  # batches so far
        self._deaths: Counter[str] = Counter()  # of actors, by the id of the scan that each was reading alone
        self._open: set[str] = set()  # ids of the scans that were submitted and not reported
        self._waiting: deque[Job] = deque()
        self._alone: deque[Job] = deque()  # of a batch that was lost: each is read in a batch of its own
        self._scan_seconds = BATCH_SECONDS / BATCH  # that a scan takes in the mean
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
        options = {"max_restarts": 0, "max_task_retries": 0, "num_cpus": 1, "concurrency_groups": {PROGRESS: 1}}
        self._remote = ray.remote(**options)(self.reader)
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
        return len(self._open)

    def submit(self, job: Job) -> None:
        """Take a scan; it is sent with others before the pool's owner waits."""
        self._open.add(job.id)
        self._waiting.append(job)

    def next_deadline(self) -> float:
        """Send what waits; return the clock time at which `expire` must next be called.

        While answers come one after the other nobody would call it: it is called here then.
        """
        if time.monotonic() >= self._next_look:
            self.expire()
        self._dispatch()
        return min([self._next_look, *(actor.since + self._seconds for actor in self._actors if actor.batches)])

    def expire(self) -> None:
        """Give up actors that have taken too long; ask for more where the cluster has free processors.

        Raises:
            WorkerError: no actor has been ready for long.
        """
        now = time.monotonic()
        for actor in [each for each in self._actors if each.model and each.since + self._seconds <= now]:
            if actor.batches or actor.is_silent:
                self._lose(actor, overdue=True)
        if any(actor.model for actor in self._actors):
            self._alive_at = now
        elif now - self._alive_at > START_SECONDS:
            raise WorkerError(f"no node of the Ray cluster has answered for {START_SECONDS:.0f} seconds")
        if now >= self._next_look:
            self._look()

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

    def _look(self) -> None:
        """Ask for actors where processors are free, and the actors for their progress.

        Looks are counted instead of seconds: while this process itself was held up, no actor could answer.
        """
        self._ask_for_actors()
        for actor in filter(lambda each: each.model, self._actors):
            if not actor.is_asked:
                actor.is_asked = True
                answer = actor.handle.progress.options(concurrency_group=PROGRESS).remote()
                answer.future().add_done_callback(partial(self._pass_on, self._progressed, actor))
                continue
            actor.unanswered += 1
            if actor.unanswered == SILENT_LOOKS:
                log.warning("worker %d of the Ray cluster does not answer; others read its scans", actor.number)
                self._send_to_others(actor)
                actor.since = time.monotonic()

    def _ask_for_actors(self) -> None:
        self._next_look = time.monotonic() + LOOK_SECONDS
        self._processors = max(1, int(self._ray.cluster_resources().get("CPU", 0)))
        while len(self._actors) < self._processors:
            self._started += 1
            handle = self._remote.remote()
            greeting = handle.prepare.remote(self._config, self._shared_folders)
            actor = _Actor(handle, greeting, self._started)
            self._actors.append(actor)
            greeting.future().add_done_callback(partial(self._pass_on, self._greeted, actor))

    @property
    def _shared_folders(self) -> tuple[Path, ...]:
        """The folders that each node must see."""
        source = self._source if self._source.is_dir() else self._source.parent
        return tuple(filter(None, (source, self._staging, self._config.forms)))

    def _pass_on(self, call: Callable[..., None], actor: _Actor, future: "Future[Any]") -> None:
        """Bring an answer from Ray's thread to ours."""
        self._post(partial(call, actor, future))

    def _greeted(self, actor: _Actor, future: "Future[Greeting]") -> None:
        if future.exception() is not None:
            self._lose(actor)
        elif actor in self._actors:
            self._check(future.result())
            actor.model = self._model
            actor.since = self._alive_at = time.monotonic()

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

    def _progressed(self, actor: _Actor, future: "Future[int]") -> None:
        """Note that an actor answers; its time limit begins again where it has read a scan or a page since."""
        actor.is_asked, actor.unanswered = False, 0
        if future.exception() is not None:
            self._lose(actor)
        elif future.result() != actor.progress:
            actor.progress, actor.since = future.result(), time.monotonic()

    def _dispatch(self) -> None:
        """Send batches to the actors with the fewest, until each has BATCHES."""
        ready = [actor for actor in self._actors if actor.model and not actor.is_silent]
        for number in range(BATCHES):
            for actor in ready:
                if len(actor.batches) <= number and (jobs := self._next_batch(len(ready))):
                    self._send(actor, jobs)

    def _next_batch(self, actors: int) -> list[Job]:
        """Return the next names: fewer than BATCH where little is left for all actors, or where scans take long."""
        while self._alone:
            if (job := self._alone.popleft()).id in self._open:  # else a silent actor has answered meanwhile
                return [job]
        size = min(BATCH, int(BATCH_SECONDS / self._scan_seconds), len(self._waiting) // (BATCHES * actors))
        jobs: list[Job] = []
        while self._waiting and len(jobs) < max(1, size):
            if (job := self._waiting.popleft()).id in self._open:
                jobs.append(job)
        return jobs

    def _send(self, actor: _Actor, jobs: list[Job]) -> None:
        self._sent += 1
        sent = _Sent(jobs, self._staging / str(self._sent))
        if not actor.batches:
            actor.since = time.monotonic()
        actor.batches.append(sent)
        answer = actor.handle.read.remote([replace(job, outbox=sent.outbox) for job in jobs])
        answer.future().add_done_callback(partial(self._pass_on, partial(self._answered, sent), actor))

    def _answered(self, sent: _Sent, actor: _Actor, future: "Future[Answer]") -> None:
        """Report the outcomes of a batch, but for those that another actor was quicker with."""
        if future.exception() is not None:
            self._lose(actor)
            return
        answer = future.result()
        self._scan_seconds += SMOOTHING * (answer.seconds / len(sent.jobs) - self._scan_seconds)
        if sent in actor.batches:
            actor.batches.remove(sent)
            actor.since = time.monotonic()
        pairs = zip(sent.jobs, answer.outcomes, strict=True)
        outcomes = [self._placed(job, outcome, actor.model) for job, outcome in pairs if job.id in self._open]
        pages = [page for outcome in outcomes if isinstance(outcome, Read) for page in outcome.pages]
        for folder in {page.annotated.parent for page in pages}:
            sync_folder(folder)
        shutil.rmtree(sent.outbox, ignore_errors=True)
        for outcome in outcomes:
            self._finish(outcome)

    def _finish(self, outcome: Outcome) -> None:
        self._open.discard(outcome.job.id)
        self._deaths.pop(outcome.job.id, None)
        self._report(outcome)

    def _placed(self, job: Job, outcome: Outcome, model: str) -> Outcome:
        """Return the outcome as that of a local worker: with its pictures at their places, not yet synced.

        Raises:
            WorkerError: the node does not see the scan.
        """
        if isinstance(outcome, Gone) and os.path.lexists(job.source):
            raise WorkerError(f"a node does not see {job.source}; mount the shared storage there")
        outcome = replace(outcome, job=job)
        if isinstance(outcome, Rejected):
            return replace(outcome, model=model)
        if not isinstance(outcome, Read):
            return outcome
        folder = (job.outbox / job.name).parent
        with open_folder(job.outbox.parent, folder, make=True):
            return replace(outcome, pages=tuple(_adopted(page, folder) for page in outcome.pages), model=model)

    def _lose(self, actor: _Actor, *, overdue: bool = False) -> None:
        """Give up an actor: others read what it was sent. A scan that it was reading alone may be the cause.

        Nothing else need wait until that is known, as it does with local workers: each scan is alone on its actor.
        """
        if actor not in self._actors:
            return
        self._actors.remove(actor)
        self._kill(actor)
        if actor.batches and len(actor.batches[0].jobs) == 1:
            [suspect] = actor.batches[0].jobs
            self._deaths[suspect.id] += 1
            if suspect.id in self._open and (overdue or self._deaths[suspect.id] >= CRASHES):
                why = f"it took longer than {self._seconds:g} seconds (limits.seconds in config.yaml)"
                self._finish(Rejected(suspect, why if overdue else CRASHED, model=actor.model))
        self._send_to_others(actor)

    def _send_to_others(self, actor: _Actor) -> None:
        """Put what an actor was sent in front of the queue: what it was reading, each scan alone, then what waits."""
        batches = [sent.jobs for sent in actor.batches]
        actor.batches.clear()
        for jobs in reversed(batches[1:]):
            self._waiting.extendleft(reversed(jobs))
        self._alone.extend(batches[0] if batches else ())

    def _kill(self, actor: _Actor) -> None:
        with contextlib.suppress(Exception):  # it has died, or its node has
            self._ray.kill(actor.handle)


def _adopted(page: PageResult, folder: Path) -> PageResult:
    """Return a page with its picture moved to `folder`.

    Raises:
        WorkerError: the picture is not there.
    """
    if (placed := adopt(page.annotated, folder)) is None:
        raise WorkerError(f"{page.annotated}, written by a node, is not there; mount the shared storage on all nodes")
    return replace(page, annotated=placed)


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
