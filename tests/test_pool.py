"""Worker processes: results come back, time limits hold, and a death costs one scan at most."""

import os
import queue
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from service import scan, until

from digitwatch.jobs import Equipment, Job, Outcome
from digitwatch.pool import CRASHES, Pool, WorkerError


class Owner:
    """The thread that owns a pool: makes its calls and collects its outcomes."""

    def __init__(self, seconds: float = 60, model: str = "dense") -> None:
        """Make a pool of one worker."""
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.outcomes: list[Outcome] = []
        self.pool = Pool(
            1,
            Equipment(model, None, 10**8, 4 * 10**9),
            seconds=seconds,
            report=self.outcomes.append,
            post=self.calls.put,
            clock=time.monotonic,
        )

    def await_outcomes(self, number: int) -> list[Outcome]:
        """Turn the loop until so many outcomes are there."""
        end = time.monotonic() + 60
        while len(self.outcomes) < number:
            assert time.monotonic() < end, "no outcome came"
            try:
                self.calls.get(timeout=0.1)()
            except queue.Empty:
                self.pool.expire()
        return self.outcomes

    def pid(self) -> int:
        """Give the pid of the worker."""
        return self.pool._slots[0].pid.result(60)


@pytest.fixture
def owner() -> Iterator[Owner]:
    """Give the owner of a started pool."""
    owner = Owner()
    owner.pool.start()
    yield owner
    owner.pool.stop()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Give a job that reads a 7."""
    (tmp_path / "a.png").write_bytes(scan())
    return Job("20261122T1", "a.png", tmp_path / "a.png", tmp_path / "out")


def fifo(tmp_path: Path) -> Job:
    """Give a job that hangs for ever: nobody writes into its pipe."""
    os.mkfifo(tmp_path / "hang.png")
    return Job("20261122T2", "hang.png", tmp_path / "hang.png", tmp_path / "out")


def is_read(pipe: Path) -> bool:
    """Tell whether somebody reads from a pipe; from then on the reader waits for ever."""
    try:
        os.open(pipe, os.O_WRONLY | os.O_NONBLOCK)
    except OSError:
        return False
    return True


def test_a_scan_comes_back_read(owner: Owner, job: Job) -> None:
    """The outcome carries digest, pages and pictures."""
    owner.pool.submit(job)
    [outcome] = owner.await_outcomes(1)

    assert outcome.job == job
    assert outcome.pages[0].annotated.is_file()


def test_a_hanging_scan_costs_itself_only(tmp_path: Path, job: Job) -> None:
    """After its time the worker is killed, the scan is failed, and the one behind it is read."""
    owner = Owner(seconds=3)
    owner.pool.start()
    owner.pool.submit(fifo(tmp_path))
    owner.pool.submit(job)
    outcomes = {o.job.name: o for o in owner.await_outcomes(2)}
    owner.pool.stop()

    assert "longer than 3 seconds" in outcomes["hang.png"].failure
    assert outcomes["a.png"].pages


def test_an_idle_worker_may_die(owner: Owner, job: Job) -> None:
    """A worker killed while it has nothing to do is replaced without a word about any scan."""
    os.kill(owner.pid(), signal.SIGKILL)
    owner.pool.submit(job)

    assert owner.await_outcomes(1)[0].pages


def test_a_scan_that_kills_its_worker_is_given_up(owner: Owner, tmp_path: Path) -> None:
    """After so many dead workers the scan is the cause."""
    owner.pool.submit(fifo(tmp_path))
    for _ in range(CRASHES):
        os.kill(owner.pid(), signal.SIGKILL)
        before = owner.pool._slots[0]
        while not owner.outcomes and owner.pool._slots[0] is before:
            owner.calls.get(timeout=60)()

    assert f"crashed the reader {CRASHES} times" in owner.await_outcomes(1)[0].failure


def test_a_scan_survives_an_accident(owner: Owner, tmp_path: Path) -> None:
    """A worker that dies once is an accident: the scan is tried again."""
    owner.pool.submit(fifo(tmp_path))
    os.kill(owner.pid(), signal.SIGKILL)
    before = owner.pool._slots[0]
    while owner.pool._slots[0] is before:
        owner.calls.get(timeout=60)()

    assert owner.outcomes == []
    assert owner.pool.busy == 1


def test_a_missing_model_is_told(tmp_path: Path) -> None:
    """A pool that cannot load its model says which."""
    owner = Owner(model=str(tmp_path / "absent"))

    with pytest.raises(WorkerError, match="absent"):
        owner.pool.start()
    owner.pool.stop()


def test_what_was_not_finished_is_given_back(owner: Owner, tmp_path: Path, job: Job) -> None:
    """Stopping ends a worker that hangs and returns the jobs that were still to be read."""
    hanging = fifo(tmp_path)
    owner.pool.submit(hanging)
    owner.pool.submit(job)
    until(lambda: is_read(hanging.source), "the worker hangs")

    assert owner.pool.stop() == [hanging, job]


def test_the_queue_is_bounded(owner: Owner, tmp_path: Path, job: Job) -> None:
    """A worker gets one scan more than it reads, so that a backlog stays in the inbox."""
    owner.pool.submit(fifo(tmp_path))
    owner.pool.submit(job)

    assert (owner.pool.free, owner.pool.busy) == (0, 2)
