"""Power is cut after every single call: from what was synced, each scan is found again exactly once."""

import os
import random
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from accounts import account
from four_scans import put_scans
from power import TRACED, Disk, trace
from service import Service, Small, until
from small_daemon import make

Tail = Callable[[bytes], bytes]
Survives = Callable[[int], Callable[[int], bool]]
Recording = tuple[Path, Disk, dict[str, int]]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """Run the daemon once over four scans; return its trace, the disk before, and what was sent."""
    if shutil.which("strace") is None:
        pytest.skip("needs strace")
    base = tmp_path_factory.mktemp("power")
    with Small(base).unstarted() as service:
        for name in ("outbox", "archive", "failed"):
            (base / name).mkdir()
        sent = put_scans(service)
        disk = Disk(base)
        disk.load()
        log = base.with_name("trace")
        prefix = ("strace", "-D", "-qq", "-y", "-xx", "-s", "100000", "-o", str(log), "-e", f"trace={TRACED}")
        service.start(prefix=prefix)
        until(lambda: not service.files("inbox"), "an empty inbox")
        assert service.stop() == 0
    return log, disk, sent


def recover(base: Path) -> None:
    """Run a daemon that recovers from the power cut."""
    daemon, pool = make(base)
    thread = threading.Thread(target=daemon.run, args=(pool,))
    thread.start()
    until(lambda: not any(names for _, _, names in os.walk(base / "inbox")), "an empty inbox")
    daemon.calls.put(daemon.stop)
    thread.join(30)
    assert not thread.is_alive()


def cut_everywhere(recording: Recording, base: Path, survives: Survives, tail: Tail, *, every: int = 1) -> int:
    """Cut the power after each call, recover, account; return the number of cuts."""
    log, before, sent = recording
    disk = Disk(before.top)
    disk.root, disk.changes = before.root, list(before.changes)
    cuts = 0
    for number, call in enumerate(trace(log, before.top)):
        disk.apply(*call)
        if number % every:
            continue
        folder = base / f"{number}-{call[0]}"
        disk.survivor(folder, survives(len(disk.changes)), tail)
        keep_inode(folder)
        recover(folder)
        done = account(Service.at(folder), sent)
        assert (done.lost, done.doubled, done.wrong) == ([], [], []), (call, done)
        shutil.rmtree(folder)
        cuts += 1
    return cuts


def nothing(total: int) -> Callable[[int], bool]:
    """Drop every change that was not synced."""
    return lambda number: False


def everything(total: int) -> Callable[[int], bool]:
    """Keep all changes of names, synced or not."""
    return lambda number: True


def keep_inode(base: Path) -> None:
    """Write into the note of an intended write the inode that the log has in this copy."""
    note, log = base / ".predictions.csv.intent", base / "predictions.csv"
    if note.exists() and log.exists() and (fields := note.read_text().split()):
        note.write_text(" ".join([str(log.stat().st_ino), *fields[1:]]))


def test_what_was_synced_is_enough(recording: Recording, tmp_path: Path) -> None:
    """After every fourth call the power is cut, and nothing survives that was not synced."""
    assert cut_everywhere(recording, tmp_path, nothing, lambda data: b"", every=4) > 20


@pytest.mark.proof
@pytest.mark.parametrize(
    "tail",
    [lambda data: b"", lambda data: data, lambda data: bytes(len(data)), lambda data: data[: len(data) // 2]],
    ids=["no bytes", "all bytes", "zeros", "half the bytes"],
)
@pytest.mark.parametrize("survives", [nothing, everything])
def test_power_cut_after_every_call(recording: Recording, tmp_path: Path, survives: Survives, tail: Tail) -> None:
    """After every call; of what was not synced nothing or all names, and none, all, half or zeroed bytes survive."""
    print(f"\n{cut_everywhere(recording, tmp_path, survives, tail)} cuts")


@pytest.mark.proof
@pytest.mark.parametrize("seed", range(5))
def test_power_cut_with_a_random_rest(recording: Recording, tmp_path: Path, seed: int) -> None:
    """After every call; changes that were not synced survive up to a random one of them, as in a journal."""
    chance = random.Random(seed)

    def some(total: int) -> Callable[[int], bool]:
        kept = chance.randrange(total + 1)
        return lambda number: number < kept

    cuts = cut_everywhere(recording, tmp_path, some, lambda data: data[: chance.randrange(len(data) + 1)])
    print(f"\n{cuts} cuts")


def test_the_model_forgets_what_is_not_synced(tmp_path: Path) -> None:
    """The disk of these tests is no better than it should be: an unsynced file and an unsynced name are gone."""
    top = tmp_path / "top"
    top.mkdir()
    log = tmp_path / "trace"
    code = (
        "import os, sys; from pathlib import Path; top = Path(sys.argv[1])\n"
        "(top / 'a').write_bytes(b'a'); f = open(top / 'b', 'wb'); f.write(b'b'); f.flush(); os.fsync(f.fileno())\n"
        "d = os.open(top, os.O_RDONLY); os.fsync(d); os.rename(top / 'b', top / 'c')\n"
    )
    traced = ["strace", "-qq", "-y", "-xx", "-s", "1000", "-o", str(log), "-e", f"trace={TRACED}"]
    if shutil.which("strace") is None or subprocess.run([*traced, "true"], check=False).returncode:
        pytest.skip("needs strace")
    disk = Disk(top)
    disk.load()
    subprocess.run([*traced, sys.executable, "-c", code, str(top)], check=True)
    for call in trace(log, top):
        disk.apply(*call)
    disk.survivor(tmp_path / "after", nothing(0), lambda data: b"")

    assert {p.name: p.read_bytes() for p in (tmp_path / "after").iterdir()} == {"a": b"", "b": b"b"}
