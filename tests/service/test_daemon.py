"""The daemon as its users have it: a process, folders, signals."""

import hashlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from accounts import account, family, processes_writing, tiny
from service import Service, scan, until

from digitwatch.service.daemon import Daemon
from digitwatch.service.profile import ProfileParts
from digitwatch.spool.folders import Folders
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.spool.watch_policy import WatchPolicy
from digitwatch.workers.pool import WorkerError


def _copied(service: Service, name: str) -> None:
    (service.inbox / name).write_bytes(scan())


def _moved(service: Service, name: str) -> None:
    (service.base / name).write_bytes(scan())
    (service.base / name).rename(service.inbox / name)


def _linked(service: Service, name: str) -> None:
    (service.base / "kept").write_bytes(scan())
    os.link(service.base / "kept", service.inbox / name)


def _renamed(service: Service, name: str) -> None:
    (service.inbox / f"{name}.part").write_bytes(scan())
    (service.inbox / f"{name}.part").rename(service.inbox / name)


def _written_slowly(service: Service, name: str) -> None:
    data = scan()
    with (service.inbox / name).open("wb", buffering=0) as file:
        for start in range(0, len(data), 97):
            file.write(data[start : start + 97])
            os.fsync(file.fileno())


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Start a daemon for the tests that do it no harm; each has names of its own."""
    with Service(tmp_path_factory.mktemp("shared")) as service:
        yield service


def rows_of(service: Service, name: str, number: int = 1, left: Sequence[str] = ()) -> list[dict[str, str]]:
    """Wait until a name has so many rows, and no more is in the inbox than is said; return the rows."""
    until(lambda: len([row for row in service.rows() if row["file"] == name]) >= number, f"{number} rows of {name}")
    until(lambda: [path.name for path in service.files("inbox")] == list(left), "an empty inbox")
    return [row for row in service.rows() if row["file"] == name]


@pytest.mark.parametrize("arrive", [_copied, _moved, _linked, _renamed, _written_slowly])
def test_a_scan_comes_out_as_row_picture_and_original(service: Service, arrive: Callable[[Service, str], None]) -> None:
    """However it arrives: one row, one annotated PNG, the untouched original in the archive."""
    name = f"{arrive.__name__}.png"
    arrive(service, name)
    [row] = rows_of(service, name)

    assert (service.base / row["filed"]).read_bytes() == scan()
    assert row["sha256"] == hashlib.sha256(scan()).hexdigest()
    assert (service.base / row["annotated"]).read_bytes().startswith(b"\x89PNG")
    assert (row["page"], row["status"] in ("ok", "review")) == ("1", True)


def test_scans_from_before_the_start_are_read(tmp_path: Path) -> None:
    """What waited while the daemon was off is found by the first sweep, oldest first."""
    service = Service(tmp_path)
    for number in range(5):
        (service.inbox / f"{number}.png").write_bytes(scan(str(number)))
        os.utime(service.inbox / f"{number}.png", (number, number))
    with service:
        rows = service.await_rows(5)

    assert sorted(row["file"] for row in rows) == [f"{number}.png" for number in range(5)]


class _Unready:
    """Workers that are started, and never ready."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox, self.listed, self.spent = inbox, [0], dict[str, float]()

    def begin(self) -> None:
        """Note what was listed before."""
        self.listed = [len(self._inbox)]

    def start(self) -> str:
        """Note what was listed meanwhile."""
        self.listed.append(len(self._inbox))
        raise WorkerError("never")


def test_a_full_inbox_is_listed_while_the_workers_get_ready(tmp_path: Path) -> None:
    """Both take about a second; the first result need not wait for one after the other."""
    for number in range(3):
        (tmp_path / f"{number}.png").write_bytes(scan())
    inbox = Inbox(tmp_path, settle=0, recursive=False, is_complete=lambda *_: True, clock=time.monotonic)
    places = Folders(*[tmp_path] * 5)
    habits = WatchPolicy("polling", False, 1, 1, 0)
    daemon = Daemon([ProfileParts(places, inbox, PredictionLog(tmp_path / "log"), habits)], clock=time.monotonic)
    pool = _Unready(inbox)
    with pytest.raises(WorkerError):
        daemon.run(pool)  # type: ignore[arg-type]  # all of a pool that this needs

    assert pool.listed == [0, 3]


def test_what_cannot_be_read_is_failed_with_a_reason(service: Service) -> None:
    """A text file named .png ends in failed/ beside a note, with a row, and the next scan is read."""
    failed = service.base / "failed"
    (service.inbox / "letter.png").write_bytes(b"Dear sirs,\n" * 20)
    (service.inbox / "good.png").write_bytes(scan())
    [good], [letter] = rows_of(service, "good.png"), rows_of(service, "letter.png")

    assert letter["status"] == "failed"
    assert (failed / "letter.png").read_bytes() == b"Dear sirs,\n" * 20
    assert letter["reason"] in (failed / "letter.png.reason.txt").read_text()
    assert good["status"] != "failed"


def test_the_same_name_again_is_another_scan(service: Service) -> None:
    """SCN_0001.png twice gives two rows, two pictures and two originals."""
    for number in (1, 2):
        (service.inbox / "SCN_0001.png").write_bytes(scan(str(number)))
        rows_of(service, "SCN_0001.png", number)
    named = [path for folder in ("archive", "outbox") for path in service.files(folder) if "SCN" in path.name]

    assert [path.name for path in named[:2]] == ["SCN_0001.png", "SCN_0001~2.png"]
    assert len(named) == 4


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_cleanly_under_load(tmp_path: Path, number: int) -> None:
    """Stopped in the middle of a backlog, it ends with 0 and every scan is either filed or waiting."""
    service = Service(tmp_path)
    for index in range(200):
        (service.inbox / f"{index}.png").write_bytes(scan())
    with service:
        until(lambda: len(service.rows()) > 5, "some rows")
        service.signal(number)
        assert service.process is not None and service.process.wait(15) == 0

    assert len(service.files("archive")) == len(service.rows()) == len(service.files("outbox"))
    assert len(service.files("archive")) + len(service.files("inbox")) == 200


def test_after_sigkill_processing_resumes(tmp_path: Path) -> None:
    """After SIGKILL in the middle of a backlog nothing is lost and nothing is counted twice."""
    service = Service(tmp_path)
    for index in range(60):
        (service.inbox / f"{index}.png").write_bytes(scan(str(index)))
    with service:
        until(lambda: len(service.rows()) > 10, "some rows")
        service.kill()
        service.start()
        rows = service.await_rows(60)

    assert sorted(row["file"] for row in rows) == sorted(f"{index}.png" for index in range(60))
    assert len(service.files("archive")) == len(service.files("outbox")) == 60


def test_nothing_survives_a_killed_daemon(tmp_path: Path) -> None:
    """After SIGKILL its workers and their server end by themselves."""
    with Service(tmp_path) as service:
        assert service.process is not None
        service.kill()

        until(lambda: not processes_writing(service.output), "the end of its processes", 20)


def test_nothing_survives_a_daemon_killed_while_it_starts(tmp_path: Path) -> None:
    """A worker that never got its first job ends all the same."""
    with Service(tmp_path).unstarted() as service:
        service.start(ready=False)
        assert service.process is not None
        pid = service.process.pid
        until(lambda: family(pid)["workers"], "the first worker")
        service.kill()

        until(lambda: not processes_writing(service.output), "the end of its processes", 20)


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    """When a worker dies, the daemon starts another, which reads the scan."""
    with Service(tmp_path) as service:
        assert service.process is not None
        found = subprocess.run(
            ["pgrep", "-g", str(os.getpgid(service.process.pid)), "-f", "forkserver"],
            capture_output=True,
            text=True,
            check=False,
        )
        workers = [pid for pid in map(int, found.stdout.split()) if _parent(pid) != service.process.pid]
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        (service.inbox / "a.png").write_bytes(scan())
        [row] = service.await_rows(1)

    assert workers
    assert row["status"] != "failed"


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[1])


def test_a_second_daemon_is_refused(tmp_path: Path) -> None:
    """One daemon per inbox: the second says so and ends with 75."""
    with Service(tmp_path) as first:
        second = Service(tmp_path)
        second.output = tmp_path / "second.txt"
        second.start(ready=False)
        assert second.process is not None and second.process.wait(30) == 75

        assert "another digitwatch" in second.lines()
        assert not first.ended()


def test_rotation_with_reload_loses_no_row(tmp_path: Path) -> None:
    """After a rename of the log and SIGHUP, rows go on in a new file with a header."""
    with Service(tmp_path) as service:
        (service.inbox / "a.png").write_bytes(scan())
        service.await_rows(1)
        (tmp_path / "predictions.csv").rename(tmp_path / "predictions.csv.1")
        service.signal(signal.SIGHUP)
        until(lambda: "reopened" in service.lines(), "the reload")
        (service.inbox / "b.png").write_bytes(scan())

        assert [row["file"] for row in service.await_rows(1)] == ["b.png"]


def test_a_recreated_inbox_is_watched_again(tmp_path: Path) -> None:
    """When the inbox is removed and comes back, scans are read without a restart."""
    with Service(tmp_path) as service:
        until(lambda: shutil.rmtree(service.inbox, ignore_errors=True) or not service.inbox.exists(), "it is gone")
        until(lambda: "paused" in service.lines(), "the pause")
        service.inbox.mkdir()
        (service.inbox / "a.png").write_bytes(scan())

        assert [row["file"] for row in service.await_rows(1)] == ["a.png"]


def test_a_half_written_image_is_waited_for(service: Service, tmp_path: Path) -> None:
    """An image that stops in the middle for longer than the settle time, its writer gone, is not failed."""
    data = scan(ending=".tif")
    (tmp_path / "kept.tif").write_bytes(data[: len(data) // 2])
    os.link(tmp_path / "kept.tif", service.inbox / "half.tif")
    until(lambda: not (service.inbox / "half.tif").exists(), "the claim")
    with (tmp_path / "kept.tif").open("ab") as file:
        file.write(data[len(data) // 2 :])
    [row] = rows_of(service, "half.tif")

    assert row["status"] != "failed"
    assert row["sha256"] == hashlib.sha256(data).hexdigest()


def test_an_open_file_is_waited_for(service: Service) -> None:
    """A scan written page by page with long pauses stays in the inbox until its writer closes it."""
    data = scan(ending=".tif")
    with (service.inbox / "open.tif").open("wb", buffering=0) as file:
        file.write(data)
        (service.inbox / "behind.tif").write_bytes(data)
        rows_of(service, "behind.tif", left=["open.tif"])
    assert len(rows_of(service, "open.tif")) == 1


def test_polling_finds_scans_too(tmp_path: Path) -> None:
    """`watch: polling` needs no events."""
    with Service(tmp_path, "watch: polling\npoll: 0.2\n") as service:
        (service.inbox / "a.png").write_bytes(scan())

        assert len(service.await_rows(1)) == 1
        assert "by polling" in service.lines()


def test_no_worker_outlives_its_daemon(tmp_path: Path) -> None:
    """Not even where the fork server is stopped: a worker left over would write beside the next daemon."""
    with Service(tmp_path) as service:
        assert service.process is not None
        below = family(service.process.pid)
        for pid in below["children"]:
            os.kill(pid, signal.SIGSTOP)
        service.kill()
        try:
            until(lambda: not any(os.path.exists(f"/proc/{pid}/exe") for pid in below["workers"]), "the workers' end")
        finally:
            for pid in below["children"]:
                os.kill(pid, signal.SIGKILL)


def test_a_stopped_fork_server_is_replaced(tmp_path: Path) -> None:
    """Held by SIGSTOP it makes no worker in place of a dead one: the daemon kills it and starts another."""
    with Service(tmp_path) as service:
        assert service.process is not None
        below = family(service.process.pid)
        servers = [pid for pid in below["children"] if b"forkserver" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        for pid in servers:
            os.kill(pid, signal.SIGSTOP)
        os.kill(below["workers"][0], signal.SIGKILL)
        for number in range(5):
            (service.inbox / f"{number}.png").write_bytes(tiny(number))
        service.await_rows(5)
        assert service.stop() == 0
        account(service, {hashlib.sha256(tiny(number)).hexdigest(): 1 for number in range(5)}).check()

    assert "fork server is stopped" in service.lines()
