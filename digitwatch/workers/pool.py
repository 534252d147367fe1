"""The pool of worker processes: a time limit for each scan, crash isolation, a bounded queue.

Each worker has its own pipe, so that its death always identifies one scan and it can be killed at any time.
(In pebble 5.2 the death of an idle worker ends the whole pool. One executor of the standard library per worker passes
each scan through four threads, which took more time than all other work of the daemon for it.)
"""

import contextlib
import multiprocessing
from collections import defaultdict
from collections.abc import Callable
from dataclasses import replace
from functools import partial

from digitwatch.errors import TransientError
from digitwatch.workers.messages import Job, Outcome, PageDone, Read, Rejected, Retry
from digitwatch.workers.process import Configs, Models, WorkerDiedError, WorkerProcess, start, verdict, warm_up

AHEAD = 2  # scans sent to a worker at a time: one that it reads, one that waits so that the worker never idles
CRASHES = 5  # deaths of a worker, with this scan read alone, after which the scan counts as their cause
CRASHED = f"it ended the program that reads it {CRASHES} times; the image file is probably damaged"
FAILED_STARTS = 3  # workers in a row that died before they were ready: no scan is the cause of that
IDLE_SHARE = 0.05  # processor time per second below which a slow worker was waiting for input or output
START_SECONDS = 60.0  # in which a worker must be ready


class WorkerError(TransientError):
    """A worker could not be made ready; the message says why (most often the model)."""


class Pool:
    """Reads scans in `size` processes; `report` is called with every outcome, in the thread that owns the pool.

    `post` brings a call from the workers' listeners to the thread that owns the pool; no attribute is used by two
    threads.
    """

    ahead = 64  # scans that a batch may have read before the first of them is recorded

    def __init__(
        self,
        size: int,
        configs: Configs,
        *,
        seconds: float,
        report: Callable[[Outcome], None],
        post: Callable[[Callable[[], None]], None],
        clock: Callable[[], float],
    ) -> None:
        """Store the settings; no worker is started yet. Each worker reads with the configuration of a job's profile."""
        self._size = size
        self.configs = configs
        self.models: Models = dict.fromkeys(configs, "")
        self.spent: defaultdict[str, float] = defaultdict(float)  # seconds of the workers, by profile
        self._seconds = seconds
        self._report = report
        self._post = post
        self._clock = clock
        self._workers: list[WorkerProcess] = []
        self._candidate: WorkerProcess | None = None
        self._failed_starts = 0
        self._context = multiprocessing.get_context("forkserver")

    def begin(self) -> None:
        """Start all workers; they load the model while the caller goes on.

        Raises:
            WorkerError: no process can be made.
        """
        warm_up()
        try:
            self._fill()
        except (OSError, EOFError) as error:
            raise WorkerError(str(error)) from error

    def start(self) -> str:
        """Start the workers that are missing and wait for their self-tests; return the names of the models.

        Raises:
            WorkerError: a worker cannot be made ready.
        """
        self.begin()
        try:
            self.models = [worker.ready.result(START_SECONDS) for worker in self._workers][-1]
            return self.model
        except TimeoutError:
            raise WorkerError(f"no worker was ready after {START_SECONDS:.0f} seconds") from None
        except (WorkerDiedError, ValueError) as error:  # ValueError: the message of the model's loader
            raise WorkerError(str(error)) from error

    @property
    def model(self) -> str:
        """Return the names of all models."""
        return ", ".join(dict.fromkeys(self.models.values()))

    @property
    def places(self) -> int:
        """Return how many scans the workers take at a time, those that wait at a worker included."""
        return self._size * AHEAD

    @property
    def free(self) -> int:
        """Return how many more scans may be submitted now."""
        missing = self._size - len(self._staying)
        return missing * AHEAD + sum(max(0, AHEAD - len(worker.jobs)) for worker in self._staying)

    @property
    def busy(self) -> int:
        """Return how many scans are being read or wait for a worker."""
        return sum(len(worker.jobs) for worker in self._workers)

    def submit(self, job: Job) -> None:
        """Send a scan to the worker with the fewest jobs."""
        try:
            self._fill()
        except (OSError, EOFError) as error:  # no process, no memory, or the fork server died this moment
            self._report(Retry(job, f"no worker can be started ({error})"))
            return
        self._send(min(self._staying, key=lambda worker: len(worker.jobs)), job)

    def next_deadline(self) -> float | None:
        """Return the clock time at which `expire` must next be called, or None."""
        return min((worker.deadline for worker in self._all if worker.deadline is not None), default=None)

    def expire(self) -> None:
        """Kill the workers whose scan has taken too long; their death is handled like any other."""
        for worker in self._all:
            if worker.deadline is not None and worker.deadline <= self._clock() and not worker.overdue:
                worker.overdue = True
                worker.was_idle = worker.processor_seconds() - worker.used < IDLE_SHARE * self._seconds
                worker.kill()

    def stop(self) -> list[Job]:
        """Kill all workers; return the jobs that were not finished."""
        unfinished = [job for worker in self._workers for job in worker.jobs]
        for worker in self._all:
            worker.kill()
        for worker in self._all:
            worker.join()
        self._workers.clear()
        self._candidate = None
        return unfinished

    def reload(self, configs: Configs, report: Callable[[str, str], None]) -> None:
        """Test configurations in a new worker; such workers then replace the others as these finish.

        `report` is called in the owning thread with the names of the models, or with "" and why one cannot be used;
        then nothing changes. A test that is still running is abandoned without a report.
        """
        if self._candidate is not None:
            self._candidate.kill()
        try:
            self._candidate = worker = self._new_worker(configs)
        except (OSError, EOFError) as error:
            report("", f"no worker can be started ({error})")
            return
        worker.deadline = self._clock() + START_SECONDS
        worker.ready.add_done_callback(lambda _: self._post(partial(self._tested, worker, report)))

    def _tested(self, worker: WorkerProcess, report: Callable[[str, str], None]) -> None:
        if worker is not self._candidate:
            return
        self._candidate, worker.deadline = None, None
        error = worker.ready.exception()
        is_same = error is None and (worker.models, _templates(worker.configs)) == (
            self.models,
            _templates(self.configs),
        )
        if error is not None or is_same:
            worker.dismiss()
            died = isinstance(error, WorkerDiedError)
            report("" if error else self.model, "its worker died or took too long" if died else str(error or ""))
            return
        self.configs, self.models = worker.configs, worker.models
        for old in self._staying:
            old.leaving = True
            self._dismiss_if_idle(old)
        self._workers.append(worker)
        with contextlib.suppress(OSError, EOFError):  # reported when the next scan is submitted
            self._fill()
        report(self.model, "")

    def _dismiss_if_idle(self, worker: WorkerProcess) -> None:
        """End a worker that is leaving and has no job left."""
        if worker.leaving and not worker.jobs:
            self._workers.remove(worker)
            worker.dismiss()

    @property
    def _all(self) -> list[WorkerProcess]:
        return self._workers + ([self._candidate] if self._candidate else [])

    @property
    def _staying(self) -> list[WorkerProcess]:
        return [worker for worker in self._workers if not worker.leaving]

    def _fill(self) -> None:
        while len(self._staying) < self._size:
            worker = self._new_worker(self.configs)
            self._workers.append(worker)
            worker.ready.add_done_callback(partial(self._ready, worker))

    def _new_worker(self, configs: Configs) -> WorkerProcess:
        """Start a worker that reports outcomes, and its end, in the thread that owns the pool."""
        return start(
            self._context,
            configs,
            lambda worker, outcome: self._post(partial(self._done, worker, outcome)),
            lambda worker: self._post(partial(self._ended, worker)),
        )

    def _ready(self, worker: WorkerProcess, _: object) -> None:
        self._post(partial(self._start_clock, worker))

    def _send(self, worker: WorkerProcess, job: Job) -> None:
        worker.jobs.append(job)
        if worker.deadline is None:
            self._start_clock(worker)
        try:
            worker.send(job)
        except OSError:  # it has died; if it had no other job, no scan is the cause
            first = worker.jobs[0]
            self._replace(worker, culprit=first if first is not job and worker.was_ready else None)

    def _start_clock(self, worker: WorkerProcess) -> None:
        """Set the deadline for the first job of a worker; the time to load the model does not count."""
        if not worker.jobs:
            return
        worker.since = self._clock()
        worker.deadline = worker.since + self._seconds + (0 if worker.ready.done() else START_SECONDS)
        worker.used = worker.processor_seconds()

    def _charge(self, worker: WorkerProcess) -> None:
        """Add the time that a worker has read its first job, or a page of it, to that of the job's profile."""
        if worker.jobs and worker.was_ready:
            self.spent[worker.jobs[0].profile] += self._clock() - worker.since

    def _done(self, worker: WorkerProcess, outcome: Outcome | PageDone) -> None:
        if worker not in self._workers:
            return  # it was replaced, and another worker has the job
        self._charge(worker)
        if isinstance(outcome, PageDone):
            self._start_clock(worker)
            return
        self._failed_starts = 0
        worker.jobs.popleft()
        worker.deadline = None
        self._start_clock(worker)
        self._report(_with_model(outcome, worker.models))
        self._dismiss_if_idle(worker)

    def _ended(self, worker: WorkerProcess) -> None:
        if worker not in self._workers:
            return
        if worker.jobs or not worker.was_ready:
            self._replace(worker, culprit=worker.jobs[0] if worker.jobs and worker.was_ready else None)
        else:  # replaced when the next scan is submitted
            self._workers.remove(worker)

    def _replace(self, worker: WorkerProcess, culprit: Job | None) -> None:
        """Start a worker in place of a dead one and send it the jobs, except the one that was being read."""
        self._charge(worker)
        self._workers.remove(worker)
        others = [job for job in worker.jobs if job is not culprit]
        if culprit is not None:
            self._report(verdict(worker, culprit, self._seconds))
        elif not worker.was_ready:
            self._failed_starts += 1
        if self._failed_starts >= FAILED_STARTS:
            self._failed_starts = 0
            for job in others:
                self._report(Retry(job, "workers die while they start; is there enough memory?"))
            return
        with contextlib.suppress(OSError, EOFError):  # reported when the next scan is submitted
            self._fill()
        for job in others:
            self.submit(job)


def _with_model(outcome: Outcome, models: Models) -> Outcome:
    """Return the outcome with the name of the model that read the scan."""
    model = models[outcome.job.profile]
    return replace(outcome, model=model) if isinstance(outcome, Read | Rejected) else outcome


def _templates(configs: Configs) -> list[str]:
    """Return the digests of the form templates of all profiles."""
    return [config.templates for config in configs.values()]
