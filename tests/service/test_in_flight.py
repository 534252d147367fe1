"""The scans in flight: adopted, recorded, filed, dropped and given back."""

import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from disks import other_filesystem
from service import until

from digitwatch.service.completion import Completion, T
from digitwatch.service.in_flight import GROUP, GROUP_SECONDS, InFlight
from digitwatch.service.transaction import job
from digitwatch.spool import claims
from digitwatch.spool.folders import Folders
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers.messages import PageResult, Read, Rejected


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """Return the folders, the inbox taken."""
    for name in ("inbox", "outbox", "archive", "failed"):
        (tmp_path / name).mkdir()
    claims.lock_inbox(tmp_path / "inbox")
    return Folders(tmp_path / "inbox", tmp_path / "outbox", tmp_path / "archive", tmp_path / "failed", tmp_path)


@pytest.fixture
def in_flight(folders: Folders) -> InFlight:
    """Return in-flight scans, none yet."""
    return InFlight(folders, PredictionLog(folders.base / "predictions.csv"), time.monotonic, copies())


def copies() -> Completion:
    """Return a thread for copies whose results are reported at once, in it."""
    return Completion("copies", lambda call: call())


def take(folders: Folders, in_flight: InFlight, name: str = "a.png") -> claims.Claim:
    """Bring a scan and claim it."""
    (folders.inbox / name).write_bytes(b"x")
    claim = claims.claim(folders.inbox, name)
    in_flight.enter(claim)
    return claim


def test_from_claimed_to_filed(folders: Folders, in_flight: InFlight) -> None:
    """Recorded first, then filed; then nothing is in hand."""
    claim = take(folders, in_flight)
    in_flight.finish(claim, Rejected(job(folders, claim), "is empty", "sha"))
    assert in_flight.is_pending and len(in_flight) == 1
    [outcome] = in_flight.record()

    assert outcome.sha256 == "sha"
    assert in_flight.file() == 1
    assert (folders.failed / "a.png").read_bytes() == b"x"
    assert len(in_flight) == 0 and not in_flight.is_pending


class Held(Completion):
    """A thread for copies that begins with none before it is let go."""

    def __init__(self) -> None:
        """Hold what comes."""
        super().__init__("held", lambda call: call())
        self.begun = threading.Event()

    def submit(self, work: Callable[[], T], done: Callable[[T], None]) -> None:
        """Begin when it is let go."""
        super().submit(lambda: self.begun.wait(60) and work(), done)  # type: ignore[arg-type]


def test_a_copy_to_another_disk_holds_up_nobody(tmp_path: Path, folders: Folders) -> None:
    """While an original is copied others are filed, and it is neither adopted anew nor given back."""
    held, far = Held(), replace(folders, archive=other_filesystem(tmp_path))
    in_flight = InFlight(far, PredictionLog(folders.base / "predictions.csv"), time.monotonic, held)
    slow, other = take(folders, in_flight), take(folders, in_flight, "b.png")
    picture = folders.outbox / "a.png.png"
    in_flight.finish(slow, Read(job(far, slow), "sha", (PageResult(1, "7", 0.9, "ok", "", "", picture),)))
    in_flight.finish(other, Rejected(job(far, other), "is empty", "sha"))
    in_flight.record()

    assert in_flight.file() == 1 and (folders.failed / "b.png").exists()
    assert in_flight.is_copying and not in_flight.is_pending
    assert in_flight.adopt() == []
    in_flight.give_back()
    assert slow.path.exists() and not list(far.archive.rglob("*.png"))

    held.begun.set()
    until(lambda: not in_flight.is_copying, "the copy")
    assert in_flight.file() == 1 and len(in_flight) == 0
    assert [path.name for path in far.archive.rglob("*.png")] == ["a.png"]


def test_a_copy_that_fails_is_reported_by_the_next_call(tmp_path: Path, folders: Folders) -> None:
    """The other disk has gone: the error pauses the daemon, and the original is copied once the disk is back."""
    far = replace(folders, archive=other_filesystem(tmp_path))
    in_flight = InFlight(far, PredictionLog(folders.base / "predictions.csv"), time.monotonic, copies())
    claim = take(folders, in_flight)
    picture = folders.outbox / "a.png.png"
    in_flight.finish(claim, Read(job(far, claim), "sha", (PageResult(1, "7", 0.9, "ok", "", "", picture),)))
    in_flight.record()
    far.archive.rename(away := far.archive.with_name(far.archive.name + "-away"))
    with pytest.raises(FileNotFoundError):
        in_flight.file()
    away.rename(far.archive)

    assert in_flight.file() == 0
    until(lambda: not in_flight.is_copying, "the copy")
    assert in_flight.file() == 1 and len(in_flight) == 0


def test_what_was_written_to_is_read_again(folders: Folders, in_flight: InFlight) -> None:
    """A stamp that no longer fits takes the scan back; one that has gone is let go."""
    changed, gone = take(folders, in_flight), take(folders, in_flight, "b.png")
    for claim in (changed, gone):
        in_flight.finish(claim, Rejected(job(folders, claim), "is empty", "sha", claims.stamp(claim)))
    changed.path.write_bytes(b"longer")
    gone.path.unlink()

    [found] = in_flight.changed()
    assert (found.claim, found.has_grown) == (changed, True)
    assert in_flight.record() == []
    assert len(in_flight) == 1


def test_an_earlier_runs_claims_are_taken_up_once(folders: Folders, in_flight: InFlight) -> None:
    """A claim without rows is to be read; asked again, it is in hand."""
    (folders.inbox / "a.png").write_bytes(b"x")
    claim = claims.claim(folders.inbox, "a.png")

    assert [found.id for found in in_flight.adopt()] == [claim.id]
    assert in_flight.adopt() == []


def test_only_the_unread_go_back(folders: Folders, in_flight: InFlight) -> None:
    """What was read stays claimed, since its rows may be in the log."""
    take(folders, in_flight)
    read = take(folders, in_flight, "b.png")
    in_flight.finish(read, Rejected(job(folders, read), "is empty", "sha"))
    in_flight.give_back()

    assert (folders.inbox / "a.png").exists()
    assert claims.is_there(read) and not (folders.inbox / "b.png").exists()


def test_scans_are_recorded_together_but_none_waits_long(folders: Folders) -> None:
    """What was read is due after a moment, and at once when there is enough of it."""
    now = [100.0]
    in_flight = InFlight(folders, PredictionLog(folders.base / "predictions.csv"), lambda: now[0], copies())
    for number in range(GROUP):
        assert in_flight.due is None if not number else (in_flight.due or 0) > 100
        claim = take(folders, in_flight, f"{number}.png")
        in_flight.finish(claim, Rejected(job(folders, claim), "is empty", "sha"))
        assert in_flight.due == pytest.approx(100 + GROUP_SECONDS) or number == GROUP - 1
        now[0] += 0.001

    assert in_flight.due == 0
    assert len(in_flight.record()) == in_flight.file() == GROUP


def test_a_scan_that_alone_cannot_be_filed_is_set_aside(folders: Folders, caplog: pytest.LogCaptureFixture) -> None:
    """The others are filed; it is said once and noted for `check`, and tried again after longer and longer pauses."""
    now = [100.0]
    in_flight = InFlight(folders, PredictionLog(folders.base / "predictions.csv"), lambda: now[0], copies())
    for name in ("a.png", "b.png", "c.png"):
        claim = take(folders, in_flight, name)
        in_flight.finish(claim, Rejected(job(folders, claim), "is empty", "sha"))
    in_flight.record()
    [blocked] = (folders.inbox / claims.CLAIMED).glob("*/a.png")
    if subprocess.run(["chattr", "+i", blocked], check=False, capture_output=True).returncode:
        pytest.skip("needs chattr and the right to use it")

    assert in_flight.file() == 2 and not in_flight.is_pending and in_flight.due == 101.0
    now[0] += 1
    assert in_flight.is_pending and in_flight.file() == 0 and in_flight.due == 103.0
    assert caplog.text.count("a.png is set aside") == 1 and in_flight.aside.summary.startswith("a.png is set aside")
    assert len(list((folders.inbox / claims.CLAIMED).glob("*.waiting"))) == 1
    subprocess.run(["chattr", "-i", blocked], check=True)
    now[0] += 2
    assert in_flight.file() == 1
    assert in_flight.aside.summary == "" and list((folders.inbox / claims.CLAIMED).iterdir()) == []


def test_an_error_of_the_folder_stops_the_filing(folders: Folders, in_flight: InFlight) -> None:
    """When nothing can be written to failed/, all stay in flight until it can."""
    for name in ("a.png", "b.png"):
        claim = take(folders, in_flight, name)
        in_flight.finish(claim, Rejected(job(folders, claim), "is empty", "sha"))
    in_flight.record()
    folders.failed.rename(folders.base / "elsewhere")
    with pytest.raises(OSError):
        in_flight.file()
    assert len(in_flight) == 2 and in_flight.is_pending

    (folders.base / "elsewhere").rename(folders.failed)
    assert in_flight.file() == 2
    assert {path.name for path in folders.failed.glob("*.png")} == {"a.png", "b.png"}
