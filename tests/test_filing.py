"""Claims and originals: taken whole, given back, and never filed over another file."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digitwatch.spool import filing
from digitwatch.spool.filing import CLAIMED, Claim


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Give an inbox with one scan in it."""
    inbox = tmp_path / "inbox"
    (inbox / CLAIMED).mkdir(parents=True)
    (inbox / "a.png").write_bytes(b"a")
    return inbox


def test_claim_moves_the_scan_under_its_id(inbox: Path) -> None:
    """A claimed scan lies in inbox/.digitwatch/ID/NAME and no longer in the inbox."""
    claim = filing.claim(inbox, "a.png")

    assert claim.path == inbox / CLAIMED / claim.id / "a.png"
    assert claim.path.read_bytes() == b"a"
    assert not (inbox / "a.png").exists()


def test_claim_of_a_vanished_scan_leaves_nothing(inbox: Path) -> None:
    """A scan that its owner took back raises, and no empty folder stays."""
    with pytest.raises(FileNotFoundError):
        filing.claim(inbox, "gone.png")

    assert list((inbox / CLAIMED).iterdir()) == []


def test_the_day_of_a_claim_never_changes() -> None:
    """Work repeated after midnight writes into the folder of the first attempt."""
    scan = filing.new_id(datetime(2026, 11, 22, 23, 59, 59, 999_000, UTC))

    assert Claim(scan, "a.png", Path("a.png")).day == "2026-11-22"


def test_a_second_daemon_is_refused(inbox: Path) -> None:
    """The lock of an inbox is given once."""
    handle = filing.lock_inbox(inbox)

    with pytest.raises(filing.Taken, match="another digitwatch"):
        filing.lock_inbox(inbox)
    os.close(handle)


def test_give_back_puts_the_scan_into_the_inbox(inbox: Path) -> None:
    """An unread scan is back under its name, and its claim is gone."""
    claim = filing.claim(inbox, "a.png")

    assert filing.give_back(inbox, claim)
    assert (inbox / "a.png").read_bytes() == b"a"
    assert list((inbox / CLAIMED).iterdir()) == []


def test_give_back_never_replaces_a_newer_scan(inbox: Path) -> None:
    """When the name is used again, the claimed scan stays claimed."""
    claim = filing.claim(inbox, "a.png")
    (inbox / "a.png").write_bytes(b"newer")

    assert not filing.give_back(inbox, claim)
    assert (inbox / "a.png").read_bytes() == b"newer"
    assert claim.path.read_bytes() == b"a"


def test_left_claims_are_found_in_order(inbox: Path) -> None:
    """What an earlier run claimed is found again, oldest first; empty folders are tidied away."""
    for scan in ("20261122T2", "20261122T1"):
        (inbox / CLAIMED / scan / "sub").mkdir(parents=True)
        (inbox / CLAIMED / scan / "sub" / "x.png").touch()
    (inbox / CLAIMED / "20261122T0").mkdir()

    claims = list(filing.left_claimed(inbox))

    assert [(claim.id, claim.name) for claim in claims] == [("20261122T1", "sub/x.png"), ("20261122T2", "sub/x.png")]
    assert not (inbox / CLAIMED / "20261122T0").exists()


def test_filing_never_replaces(tmp_path: Path) -> None:
    """A place that was taken meanwhile gets a number; both files are kept."""
    source, target = tmp_path / "new", tmp_path / "a.png"
    source.write_bytes(b"new")
    target.write_bytes(b"old")

    assert filing.file_original(source, target) == tmp_path / "a~2.png"
    assert target.read_bytes() == b"old"
    assert (tmp_path / "a~2.png").read_bytes() == b"new"


def test_filing_twice_is_filing_once(tmp_path: Path) -> None:
    """Repeated after a crash, a scan already in place is left there."""
    source, target = tmp_path / "s", tmp_path / "day" / "a.png"
    source.write_bytes(b"a")
    filing.file_original(source, target)

    assert filing.file_original(source, target) == target
    assert [p.name for p in target.parent.iterdir()] == ["a.png"]


def test_a_copy_from_an_earlier_attempt_is_recognised(tmp_path: Path) -> None:
    """A crash between copy and unlink, across disks, does not make two of one."""
    source, target = tmp_path / "s", tmp_path / "a.png"
    source.write_bytes(b"same")
    target.write_bytes(b"same")

    assert filing.file_original(source, target) == target
    assert not source.exists()


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [("a.jpg", 1, "a.jpg"), ("a.jpg", 2, "a~2.jpg"), ("a", 3, "a~3"), ("sub/a.tar.gz", 2, "sub/a.tar~2.gz")],
)
def test_numbers_stand_before_the_ending(name: str, number: int, expected: str) -> None:
    """The second scan of a name keeps its ending, so that programs still open it."""
    assert filing.numbered(name, number) == expected


@pytest.mark.parametrize("letter", ["x", "é", "\udce9"])
def test_long_names_still_fit(letter: str) -> None:
    """A name of 255 bytes gets its endings and stays within the filesystem's limit."""
    name = letter * (251 // len(os.fsencode(letter))) + ".png"
    made = filing.numbered(name, 2, ".reason.txt")

    assert len(os.fsencode(made)) <= 255
    assert made.endswith("~2.png.reason.txt")


def test_long_names_that_differ_stay_different() -> None:
    """Two long names that share their beginning do not meet when shortened."""
    one, other = ("x" * 250 + end + ".png" for end in ("a", "b"))

    assert filing.numbered(one, 2) != filing.numbered(other, 2)


def test_reason_lies_beside_the_scan(tmp_path: Path) -> None:
    """A failed scan is explained in NAME.reason.txt; writing it again changes nothing."""
    for _ in range(2):
        filing.write_reason(tmp_path / "a.png", "is empty")

    assert [p.name for p in tmp_path.iterdir()] == ["a.png.reason.txt"]
    assert (tmp_path / "a.png.reason.txt").read_text() == "is empty\n"
    assert filing.has_reason(tmp_path / "a.png")
