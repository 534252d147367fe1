"""Killed at every step: strace stops the daemon, a worker or a recovery at the N-th call of each kind.

Nothing in the product knows of these tests. SIGKILL comes on entering the call, so each point is the moment
after one step and before the next. The sweeps run `small_daemon`, which is the daemon without the reader.
"""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from accounts import account, family, tiny
from disks import other_filesystem
from four_scans import put_scans
from service import Service, Small, until

CHANGES = ("mkdir", "mkdirat", "renameat", "renameat2", "unlink", "unlinkat", "rmdir", "fsync", "fdatasync")
STEPS = (*CHANGES, "pwrite64", "write", "openat")


@pytest.fixture(scope="session", autouse=True)
def _strace() -> None:
    if shutil.which("strace") is None or subprocess.run(["strace", "-o", "/dev/null", "true"], check=False).returncode:
        pytest.skip("needs strace and the right to use it")


def run_killed(service: Service, step: str, number: int) -> bool:
    """Run the daemon until its N-th call of a kind kills it, or until it has done all; return whether it was killed."""
    inject = ("strace", "-D", "-qq", "-o", "/dev/null", "-e", f"trace={step}")
    service.start(ready=False, prefix=(*inject, "-e", f"inject={step}:signal=KILL:when={number}"))
    until(lambda: service.ended() or not service.files("inbox"), "the end of the scans or of the daemon")
    if not service.ended():
        service.stop()
    assert service.process is not None
    return service.process.returncode == -signal.SIGKILL


def finish(service: Service, sent: dict[str, int]) -> None:
    """Run a daemon without faults to the end, and account for all scans."""
    service.start()
    until(lambda: not service.files("inbox"), "an empty inbox")
    assert service.stop() == 0
    account(service, sent).check()


def sweep(base: Path, before: Callable[[Small], object], steps: tuple[str, ...] = STEPS) -> Counter[str]:
    """Kill the daemon at every point there is, let it recover, account; return the number of points by kind."""
    points: Counter[str] = Counter()
    for step in steps:
        start = _calls_before_work(base, step)
        for number in range(start, start + 500):
            folder = base / f"{step}-{number}"
            folder.mkdir()
            with Small(folder).unstarted() as service:
                sent = put_scans(service)
                before(service)
                killed = run_killed(service, step, number)
                finish(service, sent)
            shutil.rmtree(folder)
            if not killed:
                break
            points[step] += 1
    print(f"\n{points.total()} points: {dict(points)}")
    return points


def _calls_before_work(base: Path, step: str) -> int:
    """Return how many calls of a kind Python itself makes before the daemon begins; killing it there proves nothing."""
    if step not in ("openat", "write"):
        return 1
    trace = base / f"trace-{step}"
    code = "import sys; sys.path.insert(0, sys.argv[1]); import small_daemon"
    command = ["strace", "-qq", "-o", str(trace), "-e", f"trace={step}", sys.executable, "-c", code]
    subprocess.run([*command, str(Path(__file__).parent / "support")], check=True)
    return max(1, trace.read_text().count("\n") - 5)


@pytest.mark.parametrize(
    ("step", "number"), [("renameat", 1), ("fdatasync", 1), ("renameat2", 1), ("renameat2", 2), ("rmdir", 1)], ids=str
)
def test_killed_between_two_steps(tmp_path: Path, step: str, number: int) -> None:
    """At the claim, at the publishing, between write and sync of the rows, at the filing and after it: all is well."""
    with Small(tmp_path).unstarted() as service:
        sent = put_scans(service)

        assert run_killed(service, step, number)
        finish(service, sent)


@pytest.mark.parametrize("step", ["mkdir", "fsync", "fdatasync"])
@pytest.mark.parametrize("error", ["EDQUOT", "EIO"])
def test_refused_for_a_while(tmp_path: Path, step: str, error: str) -> None:
    """A quota used up, or a disk with errors, at three calls in a row: a pause, said once, and no scan is failed."""
    with Small(tmp_path).unstarted() as service:
        service.start()
        (service.inbox / "first.png").write_bytes(b"x\1first")
        until(lambda: len(service.files("archive")) == 1, "the first scan")
        assert service.process is not None
        inject = ("-e", f"trace={step}", "-e", f"inject={step}:error={error}:when=1..3")
        command = ["strace", "-qq", "-o", "/dev/null", *inject, "-p", str(service.process.pid)]
        with subprocess.Popen(command) as strace:
            try:
                until(lambda: _is_traced(service.process.pid), "strace is attached")  # type: ignore[union-attr]
                sent = put_scans(service) | {hashlib.sha256(b"x\1first").hexdigest(): 1}
                until(lambda: not service.files("inbox"), "an empty inbox")
            finally:
                strace.terminate()
        assert service.stop() == 0
        account(service, sent).check()

        assert service.lines().count("paused") == 1, service.lines()
        assert len(service.rows()) == 7


@pytest.mark.proof
def test_killed_at_every_step(tmp_path: Path) -> None:
    """The daemon is killed before each call that changes anything; each time nothing is lost or doubled."""
    assert sweep(tmp_path, lambda service: None)["renameat"] >= 4


@pytest.mark.proof
def test_killed_at_every_step_with_the_archive_on_another_disk(tmp_path: Path) -> None:
    """The same where originals are copied, synced, renamed and unlinked."""
    far = other_filesystem(tmp_path)

    def far_archive(service: Small) -> None:
        (far / service.base.name).mkdir()
        (service.base / "archive").symlink_to(far / service.base.name)

    assert sweep(tmp_path, far_archive, ("renameat2", "unlink", "unlinkat", "fsync", "rmdir", "openat"))["unlink"] >= 4


@pytest.mark.proof
@pytest.mark.parametrize("first", [("renameat", 3), ("fdatasync", 1), ("renameat2", 2)], ids=lambda v: f"{v[0]}-{v[1]}")
def test_killed_at_every_step_of_the_recovery(tmp_path: Path, first: tuple[str, int]) -> None:
    """Killed once, then killed again at each step of the recovery."""
    sweep(tmp_path, lambda service: run_killed(service, *first), CHANGES)


@pytest.mark.proof
@pytest.mark.parametrize("step", ["mkdirat", "renameat2", "fsync"])
def test_a_worker_killed_at_every_step(tmp_path: Path, step: str) -> None:
    """A real worker is killed before each call that changes anything; its scan is read again by another."""
    points = 0
    for number in range(1, 100):
        folder = tmp_path / f"{step}-{number}"
        folder.mkdir()
        with Service(folder) as service:
            killed = _kill_workers(service, step, number)
            assert service.stop() == 0
            account(service, {hashlib.sha256(tiny(n)).hexdigest(): 1 for n in range(3)}).check()
        if not killed:
            break
        points += 1
    print(f"\n{points} points: {step}")


def _kill_workers(service: Service, step: str, number: int) -> bool:
    """Read scans with workers that are killed at their N-th call of a kind; return whether one was killed."""
    assert service.process is not None
    workers = family(service.process.pid)["workers"]
    inject = ("-e", f"trace={step}", "-e", f"inject={step}:signal=KILL:when={number}")
    traced = [subprocess.Popen(["strace", "-f", "-qq", "-o", "/dev/null", *inject, "-p", str(pid)]) for pid in workers]
    until(lambda: all(map(_is_traced, workers)), "strace is attached")
    for scan in range(3):
        (service.inbox / f"{scan}.png").write_bytes(tiny(scan))
    service.await_rows(3)
    killed = any(not os.path.exists(f"/proc/{pid}") for pid in workers)
    for process in traced:
        process.terminate()
        process.wait()
    return killed


def _is_traced(pid: int) -> bool:
    return "TracerPid:\t0" not in Path(f"/proc/{pid}/status").read_text()
