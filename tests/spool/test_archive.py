"""Originals: never filed over another file, never filed twice, across disks too."""

import os
from pathlib import Path

import pytest
from disks import other_filesystem

from digitwatch.spool import archive
from digitwatch.spool.claims import Claim

SCAN = "20261122T000001.000Z-00000000"


@pytest.fixture
def claim(tmp_path: Path) -> Claim:
    """Give a claimed scan."""
    return make_claim(tmp_path / ".digitwatch")


def make_claim(home: Path, scan: str = SCAN, data: bytes = b"new") -> Claim:
    """Claim a scan by hand."""
    claim = Claim(scan, "a.png", home / scan / "a.png")
    claim.path.parent.mkdir(parents=True)
    claim.path.write_bytes(data)
    return claim


def test_filing_never_replaces(tmp_path: Path, claim: Claim) -> None:
    """A place that was taken meanwhile gets a number; both files are kept."""
    target = tmp_path / "a.png"
    target.write_bytes(b"old")

    assert archive.file_original(claim, tmp_path, target) == tmp_path / "a~2.png"
    assert target.read_bytes() == b"old"
    assert (tmp_path / "a~2.png").read_bytes() == b"new"


def test_filing_twice_is_filing_once(tmp_path: Path, claim: Claim) -> None:
    """Repeated after a crash, a scan already in place is left there."""
    target = tmp_path / "day" / "a.png"
    archive.file_original(claim, tmp_path, target)

    assert archive.file_original(claim, tmp_path, target) == target
    assert [p.name for p in target.parent.iterdir()] == ["a.png"]


def test_another_scan_with_equal_bytes_is_another_scan(tmp_path: Path, claim: Claim) -> None:
    """The same blank form under the same name, filed by somebody else, is not taken for ours."""
    target = tmp_path / "a.png"
    target.write_bytes(b"new")

    assert archive.file_original(claim, tmp_path, target) == tmp_path / "a~2.png"


def test_a_scan_that_was_taken_away_is_told_from_trouble(tmp_path: Path, claim: Claim) -> None:
    """A claimed file that is nowhere is no reason to wait for ever."""
    claim.path.unlink()

    with pytest.raises(archive.ClaimVanishedError):
        archive.file_original(claim, tmp_path, tmp_path / "a.png")


def test_a_missing_archive_is_not_made(tmp_path: Path, claim: Claim) -> None:
    """The folder itself may be a disk that is away; only folders below it are made."""
    with pytest.raises(FileNotFoundError):
        archive.file_original(claim, tmp_path / "archive", tmp_path / "archive" / "day" / "a.png")
    assert claim.path.exists()


@pytest.fixture
def far(tmp_path: Path) -> Path:
    """Give an archive on another filesystem than the claims."""
    return other_filesystem(tmp_path)


def test_across_disks_the_bytes_are_kept(far: Path, claim: Claim) -> None:
    """EXDEV turns the rename into copy, sync, rename and unlink; nothing else is left."""
    assert archive.file_original(claim, far, far / "day" / "a.png") == far / "day" / "a.png"
    assert (far / "day" / "a.png").read_bytes() == b"new"
    assert [p.name for p in (far / "day").iterdir()] == ["a.png"]
    assert [p for p in claim.home.rglob("*") if p.is_file()] == []


def test_across_disks_a_copy_of_an_earlier_attempt_is_recognised(far: Path, claim: Claim) -> None:
    """A crash between the rename of the copy and the unlink does not make two of one."""
    archive.file_original(claim, far, far / "a.png")
    inode = (far / "a.png").stat().st_ino
    claim.path.write_bytes(b"new")
    claim.note("copied").write_bytes(f"{inode} a.png".encode())

    assert archive.file_original(claim, far, far / "a.png") == far / "a.png"
    assert [p.name for p in far.iterdir()] == ["a.png"]


def test_across_disks_equal_bytes_prove_nothing(far: Path, claim: Claim) -> None:
    """Without the note of an own copy, an equal file under an equal name is another scan's."""
    (far / "a.png").write_bytes(b"new")

    assert archive.file_original(claim, far, far / "a.png") == far / "a~2.png"


@pytest.mark.parametrize(
    ("name", "number", "expected"),
    [("a.jpg", 1, "a.jpg"), ("a.jpg", 2, "a~2.jpg"), ("a", 3, "a~3"), ("sub/a.tar.gz", 2, "sub/a.tar~2.gz")],
)
def test_numbers_stand_before_the_ending(name: str, number: int, expected: str) -> None:
    """The second scan of a name keeps its ending, so that programs still open it."""
    assert archive.numbered(name, number) == expected


@pytest.mark.parametrize("letter", ["x", "é", "\udce9"])
def test_long_names_still_fit(letter: str) -> None:
    """A name of 255 bytes gets its endings and stays within the filesystem's limit."""
    name = letter * (251 // len(os.fsencode(letter))) + ".png"
    made = archive.numbered(name, 2, ".reason.txt")

    assert len(os.fsencode(made)) <= 255
    assert made.endswith("~2.png.reason.txt")


def test_long_names_that_differ_stay_different() -> None:
    """Two long names that share their beginning do not meet when shortened."""
    one, other = ("x" * 250 + end + ".png" for end in ("a", "b"))

    assert archive.numbered(one, 2) != archive.numbered(other, 2)


def test_reason_lies_beside_the_scan(tmp_path: Path) -> None:
    """A failed scan is explained in NAME.reason.txt; writing it again changes nothing."""
    for _ in range(2):
        archive.write_reason(tmp_path / "a.png", "is empty")

    assert [p.name for p in tmp_path.iterdir()] == ["a.png.reason.txt"]
    assert (tmp_path / "a.png.reason.txt").read_text() == "is empty\n"
    assert archive.has_reason(tmp_path / "a.png")
