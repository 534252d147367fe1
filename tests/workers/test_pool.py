"""Worker processes: results come back, time limits hold, and a death costs one scan at most."""

import os
import queue
import signal
import time
from collections.abc import Iterator
from multiprocessing import forkserver
from pathlib import Path

import cv2
import numpy as np
import pytest
from pool_owner import Owner
from service import scan, until

from digitwatch.workers import process
from digitwatch.workers.messages import Crashed, Job, Retry, WorkerConfig
from digitwatch.workers.pool import WorkerError


@pytest.fixture
def owner() -> Iterator[Owner]:
    """Return the owner of a started pool."""
    owner = Owner()
    owner.pool.start()
    yield owner
    owner.pool.stop()


@pytest.fixture
def job(tmp_path: Path) -> Job:
    """Return a job that reads a 7."""
    (tmp_path / "a.png").write_bytes(scan())
    return Job("20261122T1", "a.png", tmp_path / "a.png", tmp_path / "out")


def endless(tmp_path: Path) -> Job:
    """Return a job that takes long: specks all over a page."""
    specks = np.random.default_rng(1).random((6000, 6000)) > 0.02
    cv2.imwrite(str(tmp_path / "long.tif"), specks * np.uint8(255))
    return Job("20261122T2", "long.tif", tmp_path / "long.tif", tmp_path / "out")


def test_a_scan_comes_back_read(owner: Owner, job: Job) -> None:
    """The outcome carries digest, pages and pictures."""
    owner.pool.submit(job)
    [outcome] = owner.await_outcomes(1)

    assert outcome.job == job
    assert outcome.pages[0].annotated.is_file()


def test_a_slow_scan_costs_itself_only(tmp_path: Path, job: Job) -> None:
    """After its time the worker is killed, the scan is failed, and the one behind it is read."""
    owner = Owner(seconds=1)
    owner.pool.start()
    owner.pool.submit(endless(tmp_path))
    owner.pool.submit(job)
    outcomes = {o.job.name: o for o in owner.await_outcomes(2)}
    owner.pool.stop()

    assert "longer than 1 seconds" in outcomes["long.tif"].reason
    assert outcomes["a.png"].pages


def test_the_time_limit_is_one_of_a_page(tmp_path: Path) -> None:
    """A document may take longer than the limit in all; each of its pages may not."""
    owner = Owner(seconds=1)
    owner.pool.start()
    cv2.imwritemulti(str(tmp_path / "many.tif"), [np.full((300, 300), 255, np.uint8)] * 500)
    start = time.monotonic()
    owner.pool.submit(Job("20261122T3", "many.tif", tmp_path / "many.tif", tmp_path / "out"))
    [outcome] = owner.await_outcomes(1)
    owner.pool.stop()

    assert len(outcome.pages) == 500
    assert time.monotonic() - start > 1


def test_a_waiting_worker_is_an_environment_error(job: Job) -> None:
    """A worker that waits without using the processor, as for a dead network disk, fails no scan."""
    owner = Owner(seconds=1)
    owner.pool.start()
    os.kill(owner.pid(), signal.SIGSTOP)
    owner.pool.submit(job)
    [outcome] = owner.await_outcomes(1)
    owner.pool.stop()

    assert isinstance(outcome, Retry) and "does not answer" in outcome.reason


def test_an_idle_worker_may_die(owner: Owner, job: Job) -> None:
    """A worker killed while it has nothing to do is replaced; the next scan is read, at worst as a suspect."""
    os.kill(owner.pid(), signal.SIGKILL)
    owner.pool.submit(job)
    [outcome] = owner.await_outcomes(1)
    if isinstance(outcome, Crashed):  # it was given before the death was noticed
        owner.pool.submit(job)

    assert owner.await_outcomes(1 + isinstance(outcome, Crashed))[-1].pages


def test_a_death_points_at_the_scan_that_was_being_read(owner: Owner, tmp_path: Path, job: Job) -> None:
    """The scan that was being read comes back as crashed, to be read alone; the one behind it is read."""
    owner.pool.submit(endless(tmp_path))
    owner.pool.submit(job)
    os.kill(owner.pid(), signal.SIGKILL)
    outcomes = {o.job.name: o for o in owner.await_outcomes(2)}

    assert isinstance(outcomes["long.tif"], Crashed)
    assert outcomes["a.png"].pages


def test_a_death_before_the_worker_is_ready_blames_no_scan(tmp_path: Path, job: Job) -> None:
    """A worker that dies while it loads is replaced, and the scan that waited for it is read."""
    owner = Owner()
    owner.pool._fill()
    os.kill(owner.pid(), signal.SIGKILL)
    owner.pool.submit(job)
    [outcome] = owner.await_outcomes(1)
    owner.pool.stop()

    assert outcome.pages


def test_a_pipe_is_no_scan(owner: Owner, tmp_path: Path) -> None:
    """A pipe that took the place of a scan is failed at once; nobody waits for its writer."""
    os.mkfifo(tmp_path / "pipe.png")
    owner.pool.submit(Job("20261122T2", "pipe.png", tmp_path / "pipe.png", tmp_path / "out"))

    assert "no plain file" in owner.await_outcomes(1)[0].reason


def test_a_missing_model_is_reported(tmp_path: Path) -> None:
    """A pool that cannot load its model names it."""
    owner = Owner(model=str(tmp_path / "absent"))

    with pytest.raises(WorkerError, match="absent"):
        owner.pool.start()
    owner.pool.stop()


def test_unfinished_jobs_are_returned(owner: Owner, tmp_path: Path, job: Job) -> None:
    """Stopping ends a worker that hangs and returns the jobs that were still to be read."""
    os.kill(owner.pid(), signal.SIGSTOP)
    slow = Job("20261122T2", "a.png", job.source, job.outbox)
    owner.pool.submit(slow)
    owner.pool.submit(job)

    assert owner.pool.stop() == [slow, job]


def test_the_queue_is_bounded(owner: Owner, job: Job) -> None:
    """A worker gets one scan more than it reads, so that a backlog stays in the inbox."""
    os.kill(owner.pid(), signal.SIGSTOP)
    owner.pool.submit(job)
    owner.pool.submit(Job("20261122T2", "a.png", job.source, job.outbox))

    assert (owner.pool.free, owner.pool.busy) == (0, 2)


def test_a_held_fork_server_is_replaced(
    owner: Owner, job: Job, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Stopped by a signal it makes no worker: it is killed, and the scan is read by a worker of the next one."""
    monkeypatch.setattr(process, "ANSWER_SECONDS", 0.1)
    held = forkserver._forkserver._forkserver_pid
    os.kill(held, signal.SIGSTOP)
    os.kill(owner.pid(), signal.SIGKILL)
    until(lambda: not owner.pool._workers[0].listener.is_alive(), "the worker has ended")
    owner.pool.submit(job)
    [outcome] = owner.await_outcomes(1)

    assert outcome.pages
    assert "fork server is stopped" in caplog.text
    assert forkserver._forkserver._forkserver_pid != held


def renewed(owner: Owner, model: str) -> tuple[str, str]:
    """Reload another model; return the reported name and error."""
    told: list[tuple[str, str]] = []
    owner.pool.reload({"": WorkerConfig(model, None, 10**8, 4 * 10**9)}, lambda *said: told.append(said))
    end = time.monotonic() + 60
    while not told:
        assert time.monotonic() < end, "nothing was told"
        try:
            owner.calls.get(timeout=0.1)()
        except queue.Empty:
            owner.pool.expire()
    return told[0]


def test_a_new_model_replaces_the_old_one(owner: Owner, job: Job) -> None:
    """What was given before is read by the old one, what comes after by the new; each outcome says by which."""
    before = owner.pid()
    owner.pool.submit(job)
    owner.pool.submit(job)
    name, problem = renewed(owner, "cnn")
    owner.pool.submit(job)

    models = [outcome.model.partition("-")[0] for outcome in owner.await_outcomes(3)]
    assert (name.partition("-")[0], problem) == ("cnn", "")
    assert (models.count("dense"), models.count("cnn")) == (2, 1)
    assert owner.pool.model == name and owner.pid() != before and owner.pool.busy == 0


def test_a_bad_model_changes_nothing(owner: Owner, job: Job) -> None:
    """It is tried in a worker of its own, which ends; the others read on."""
    before = owner.pid(), owner.pool.model
    name, problem = renewed(owner, "/nowhere/absent")
    owner.pool.submit(job)

    assert name == "" and "cannot read the model absent" in problem
    assert owner.await_outcomes(1)[0].model.startswith("dense-")
    assert (owner.pid(), owner.pool.model) == before


def test_the_same_model_keeps_its_workers(owner: Owner) -> None:
    """A reload that only wants the log reopened costs no worker."""
    before = owner.pid()

    assert renewed(owner, "dense") == (owner.pool.model, "")
    assert owner.pid() == before


def test_a_trial_ends_with_the_pool(owner: Owner) -> None:
    """Stopping does not wait for a model that is being tried, and leaves no process."""
    owner.pool.reload({"": WorkerConfig("cnn", None, 10**8, 4 * 10**9)}, lambda *_: None)

    assert owner.pool.stop() == []
    assert owner.pool.free == 2
