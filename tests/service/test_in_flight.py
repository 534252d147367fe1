"""The claims in hand: what is taken up, recorded, filed, let go and given back."""

import time
from pathlib import Path

import pytest

from digitwatch.service.in_flight import GROUP, GROUP_SECONDS, InFlight
from digitwatch.service.transaction import job
from digitwatch.spool import claims
from digitwatch.spool.folders import Folders
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers.messages import Outcome


@pytest.fixture
def places(tmp_path: Path) -> Folders:
    """Give the folders, the inbox taken."""
    for name in ("inbox", "outbox", "archive", "failed"):
        (tmp_path / name).mkdir()
    claims.lock_inbox(tmp_path / "inbox")
    return Folders(tmp_path / "inbox", tmp_path / "outbox", tmp_path / "archive", tmp_path / "failed", tmp_path)


@pytest.fixture
def ledger(places: Folders) -> InFlight:
    """Give a ledger with nothing in hand."""
    return InFlight(places, PredictionLog(places.base / "predictions.csv"), time.monotonic)


def take(places: Folders, ledger: InFlight, name: str = "a.png") -> claims.Claim:
    """Bring a scan and claim it."""
    (places.inbox / name).write_bytes(b"x")
    claim = claims.claim(places.inbox, name)
    ledger.enter(claim)
    return claim


def test_from_claimed_to_filed(places: Folders, ledger: InFlight) -> None:
    """Recorded first, then filed; then nothing is in hand."""
    claim = take(places, ledger)
    ledger.finish(claim, Outcome(job(places, claim), "", failure="is empty"))
    assert ledger.is_pending and len(ledger) == 1
    [outcome] = ledger.record()

    assert len(outcome.sha256) == 64  # the worker had not summed it up
    assert ledger.file() == 1
    assert (places.failed / "a.png").read_bytes() == b"x"
    assert len(ledger) == 0 and not ledger.is_pending


def test_what_was_written_to_is_read_again(places: Folders, ledger: InFlight) -> None:
    """A stamp that no longer fits takes the scan back; one that has gone is let go."""
    changed, gone = take(places, ledger), take(places, ledger, "b.png")
    for claim in (changed, gone):
        ledger.finish(claim, Outcome(job(places, claim), "sha", failure="is empty", stamp=claims.stamp(claim)))
    changed.path.write_bytes(b"longer")
    gone.path.unlink()

    assert ledger.changed() == [changed]
    assert ledger.record() == []
    assert len(ledger) == 1


def test_an_earlier_runs_claims_are_taken_up_once(places: Folders, ledger: InFlight) -> None:
    """A claim without rows is to be read; asked again, it is in hand."""
    (places.inbox / "a.png").write_bytes(b"x")
    claim = claims.claim(places.inbox, "a.png")

    assert [found.id for found in ledger.adopt()] == [claim.id]
    assert ledger.adopt() == []


def test_only_the_unread_go_back(places: Folders, ledger: InFlight) -> None:
    """What was read stays claimed, since its rows may be in the log."""
    take(places, ledger)
    read = take(places, ledger, "b.png")
    ledger.finish(read, Outcome(job(places, read), "sha", failure="is empty"))
    ledger.give_back()

    assert (places.inbox / "a.png").exists()
    assert claims.is_there(read) and not (places.inbox / "b.png").exists()


def test_scans_are_recorded_together_but_none_waits_long(places: Folders) -> None:
    """What was read is due after a moment, and at once when there is enough of it."""
    now = [100.0]
    ledger = InFlight(places, PredictionLog(places.base / "predictions.csv"), lambda: now[0])
    for number in range(GROUP):
        assert ledger.due > 100 or not number
        claim = take(places, ledger, f"{number}.png")
        ledger.finish(claim, Outcome(job(places, claim), "sha", failure="is empty"))
        assert ledger.due == pytest.approx(100 + GROUP_SECONDS) or number == GROUP - 1
        now[0] += 0.001

    assert ledger.due == 0
    assert len(ledger.record()) == ledger.file() == GROUP


def test_what_was_moved_before_trouble_is_filed_later(places: Folders, ledger: InFlight) -> None:
    """When the second of two originals cannot be moved, both stay in hand until they are."""
    for name, failure in (("a.png", ""), ("b.png", "is empty")):
        claim = take(places, ledger, name)
        ledger.finish(claim, Outcome(job(places, claim), "sha", failure=failure))
    ledger.record()
    places.failed.rename(places.base / "away")
    with pytest.raises(OSError):
        ledger.file()
    assert len(ledger) == 2 and ledger.is_pending

    (places.base / "away").rename(places.failed)
    assert ledger.file() == 2
    assert [path.name for path in places.failed.glob("*.png")] == ["b.png"]
    assert [path.name for path in places.archive.rglob("*.png")] == ["a.png"]
    assert len(ledger) == 0 and list((places.inbox / claims.CLAIMED).iterdir()) == []
