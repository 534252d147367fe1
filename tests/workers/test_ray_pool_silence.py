"""Actors of a Ray cluster that do not answer or die: others read their scans, and the first answer counts."""

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from service import scan
from stand_in_ray import Ray, stand_in

from digitwatch import __version__
from digitwatch.log_codes import Status
from digitwatch.spool.annotated_images import publish
from digitwatch.workers import ray_pool
from digitwatch.workers.messages import Job, Outcome, PageResult, Read, Rejected, WorkerConfig
from digitwatch.workers.pool import CRASHED, CRASHES
from digitwatch.workers.ray_pool import SILENT_LOOKS, STAGING, RayPool
from digitwatch.workers.ray_reader import Answer, Greeting, RayReader


class Reader(RayReader):
    """Publishes a picture for each scan; a scan takes `seconds` by its account."""

    seconds = 0.01

    def prepare(self, config: WorkerConfig, folders: tuple[Path, ...]) -> Greeting:
        """Load nothing."""
        return Greeting("here", __version__, "m")

    def read(self, jobs: list[Job]) -> Answer:
        """Read a batch."""
        return Answer([self._read(job) for job in jobs], self.seconds * len(jobs))

    def _read(self, job: Job) -> Outcome:
        picture = publish(scan(), job.outbox, job.name, f"{job.id}/1")
        self._done += 1
        return Read(job, "00", (PageResult(1, "7", 1.0, Status.OK, "", "", picture),))


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        """Begin with the real time."""
        self.now = time.monotonic()

    def monotonic(self) -> float:
        """Return the time."""
        return self.now


class Driver:
    """A pool, and what it reported."""

    def __init__(self, folder: Path) -> None:
        """Start it."""
        self.out = folder
        self.outcomes: list[Outcome] = []
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        config = WorkerConfig("dense", None, 10**8, 4 * 10**9)
        report, post = self.outcomes.append, self.calls.put
        self.pool = RayPool("auto", config, (folder, folder), seconds=60, report=report, post=post)
        self.pool.reader = Reader
        self.pool.start()

    def submit(self, count: int) -> None:
        """Submit scans numbered from 0."""
        for number in range(count):
            self.pool.submit(Job(str(number), f"{number}.png", self.out / f"{number}.png", self.out / "annotated"))
        self.turn()

    def turn(self, times: int = 1) -> None:
        """Handle what has come, and send what waits; each turn is a look at the actors."""
        for _ in range(times):
            while not self.calls.empty():
                self.calls.get()()
            self.pool.next_deadline()
        while not self.calls.empty():
            self.calls.get()()

    @property
    def read(self) -> list[int]:
        """The numbers of the scans that were reported as read, sorted."""
        return sorted(int(outcome.job.id) for outcome in self.outcomes if isinstance(outcome, Read))


@pytest.fixture
def ray(monkeypatch: pytest.MonkeyPatch) -> Ray:
    """Return a cluster with two processors; each turn of the driver is a look at the actors."""
    monkeypatch.setattr(ray_pool, "LOOK_SECONDS", 0.0)
    return stand_in(monkeypatch, 2)


@pytest.fixture
def driver(ray: Ray, tmp_path: Path) -> Iterator[Driver]:
    """Return a driver whose two actors are ready."""
    found = Driver(tmp_path)
    found.turn()
    yield found
    found.pool.stop()


def test_others_read_what_a_silent_actor_was_sent(ray: Ray, driver: Driver) -> None:
    """After SILENT_LOOKS looks without an answer, and before Ray or the time limit gives it up."""
    ray.actors[0].cut_off()
    driver.submit(12)
    driver.turn(SILENT_LOOKS)
    assert len(driver.read) < 12
    driver.turn(14)

    assert driver.read == list(range(12))
    assert driver.pool.busy == 0


def test_a_late_answer_is_dropped(ray: Ray, driver: Driver) -> None:
    """It changes neither rows nor pictures, and nothing of it is left over."""
    ray.actors[0].cut_off()
    driver.submit(12)
    driver.turn(14)
    ray.actors[0].reconnect()
    driver.turn()

    assert driver.read == list(range(12))
    assert sorted(path.name for path in driver.out.rglob("*.png")) == sorted(f"{n}.png.png" for n in range(12))
    assert not [path for path in (driver.out / STAGING).rglob("*") if path.is_file()]


def test_a_late_answer_counts_where_no_other_came(ray: Ray, driver: Driver) -> None:
    """All actors were cut off for a while: what they read meanwhile is not read again."""
    for actor in ray.actors:
        actor.cut_off()
    driver.submit(4)
    driver.turn(SILENT_LOOKS + 2)
    sent = sum(len(actor.batches) for actor in ray.actors)
    for actor in ray.actors:
        actor.reconnect()
    driver.turn()

    assert driver.read == list(range(4))
    assert sum(len(actor.batches) for actor in ray.actors) == sent


def test_an_actor_that_answers_again_is_used_again(ray: Ray, driver: Driver) -> None:
    """It gets new batches."""
    ray.actors[0].cut_off()
    driver.submit(1)
    driver.turn(SILENT_LOOKS + 2)
    ray.actors[0].reconnect()
    driver.turn(2)
    before = len(ray.actors[0].batches)
    driver.submit(64)
    driver.turn(4)

    assert len(ray.actors[0].batches) > before


def test_batches_are_small_where_scans_take_long(ray: Ray, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A batch takes BATCH_SECONDS at most: what is lost waits behind two of them."""
    driver.submit(64)
    driver.turn(8)
    assert max(ray.actors[0].batches) > 8
    monkeypatch.setattr(Reader, "seconds", 5.0)
    driver.submit(64)
    driver.turn(30)

    assert ray.actors[0].batches[-1] == 1


def test_a_page_read_begins_the_time_limit_anew(ray: Ray, driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """As with local workers, the limit is that of a page: a long document is read to its end."""
    clock = Clock()
    monkeypatch.setattr(ray_pool, "time", clock)
    for actor in ray.actors:
        actor.held = ("read",)
    driver.submit(1)
    for _ in range(10):  # pages
        clock.now += 40
        ray.actors[0].reader._done += 1
        ray.actors[1].reader._done += 1
        driver.turn()
    assert not driver.outcomes

    clock.now += 61
    driver.turn()
    assert isinstance(driver.outcomes[0], Rejected)


def test_a_scan_that_ends_its_actor_five_times_is_failed(ray: Ray, tmp_path: Path) -> None:
    """Others are read meanwhile, and lose nothing by it."""
    ray.dies = lambda name, values: name == "read" and any(job.id == "3" for job in values[0])
    driver = Driver(tmp_path)
    driver.turn()
    driver.submit(20)
    driver.turn(40)
    driver.pool.stop()

    assert driver.read == [number for number in range(20) if number != 3]
    assert [outcome.reason for outcome in driver.outcomes if isinstance(outcome, Rejected)] == [CRASHED]
    assert sum(actor.has_died for actor in ray.actors) == CRASHES + 1  # with the batch of which it was a part
