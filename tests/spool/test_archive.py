"""Originals: never filed over another file, never filed twice, across disks too."""

import hashlib
import os
from pathlib import Path

import pytest
from disks import other_filesystem

from digitwatch.spool import archive
from digitwatch.spool.claims import Claim

SCAN = "20261122T000001.000Z-00000000"


@pytest.fixture
def claim(tmp_path: Path) -> Claim:
    """Return a claimed scan."""
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
    """The same blank form under the same name, filed by another program, is not taken as ours."""
    target = tmp_path / "a.png"
    target.write_bytes(b"new")

    assert archive.file_original(claim, tmp_path, target) == tmp_path / "a~2.png"


def test_a_removed_scan_is_distinguished_from_an_error(tmp_path: Path, claim: Claim) -> None:
    """A claimed file that no longer exists is not waited for."""
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
    """Return an archive on another filesystem than the claims."""
    return other_filesystem(tmp_path)


def test_across_disks_the_bytes_are_kept(far: Path, claim: Claim) -> None:
    """EXDEV turns the rename into copy, sync, rename and unlink; nothing else is left."""
    assert archive.file_original(claim, far, far / "day" / "a.png") == far / "day" / "a.png"
    assert (far / "day" / "a.png").read_bytes() == b"new"
    assert [p.name for p in (far / "day").iterdir()] == ["a.png"]
    assert [p for p in claim.claims_folder.rglob("*") if p.is_file()] == []


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


def test_the_five_hundredth_scan_of_a_name_costs_a_hundred_look_ups(tmp_path: Path, claim: Claim) -> None:
    """After NAME~100 the id tells the scans of one name apart, so the search does not grow with their number."""
    for number in range(1, 501):
        (tmp_path / archive.numbered("a.png", number)).touch()
    looks: list[Path] = []

    def taken(path: Path) -> bool:
        looks.append(path)
        return path.exists()

    assert archive.free_place(tmp_path, "a.png", SCAN, taken) == tmp_path / f"a~{SCAN}.png"
    assert len(looks) == 101
    target = archive.choose_place(tmp_path, tmp_path, claim, with_note=False, promised=set())
    assert archive.file_original(claim, tmp_path, target) == tmp_path / f"a~{SCAN}.png"


@pytest.fixture
def failed(tmp_path: Path) -> Path:
    """Return an empty folder for failed scans."""
    (tmp_path / "failed").mkdir()
    return tmp_path / "failed"


def contents(folder: Path) -> dict[str, str]:
    """Return the texts of the files in a folder by name."""
    return {path.name: path.read_text() for path in folder.iterdir()}


def old_scratch(name: str) -> str:
    """Return the predictable name that scratch files had."""
    return f".{hashlib.sha256(name.encode()).hexdigest()[:16]}.tmp"


def plant(path: Path, kind: str, target: Path) -> None:
    """Put a link to a file, a pipe or a folder at `path`."""
    if kind == "link":
        path.symlink_to(target)
    elif kind == "pipe":
        os.mkfifo(path)
    else:
        path.mkdir()


def test_reason_lies_beside_the_scan(failed: Path, claim: Claim) -> None:
    """A failed scan is explained in NAME.reason.txt; filing it again changes nothing."""
    for _ in range(2):
        assert archive.file_original(claim, failed, failed / "a.png", "is empty") == failed / "a.png"

    assert contents(failed) == {"a.png": "new", "a.png.reason.txt": "is empty\n"}


def test_a_note_never_replaces_a_file(failed: Path, claim: Claim) -> None:
    """When the place of the note is taken, the original and its note get the next number."""
    (failed / "a.png.reason.txt").write_text("a scan")

    assert archive.file_original(claim, failed, failed / "a.png", "is empty") == failed / "a~2.png"
    assert contents(failed) == {"a.png.reason.txt": "a scan", "a~2.png": "new", "a~2.png.reason.txt": "is empty\n"}


def test_a_note_is_not_left_beside_another_original(failed: Path, claim: Claim) -> None:
    """When the place of the original is taken but not that of its note, both get the next number."""
    (failed / "a.png").write_text("old")

    assert archive.file_original(claim, failed, failed / "a.png", "is empty") == failed / "a~2.png"
    assert contents(failed) == {"a.png": "old", "a~2.png": "new", "a~2.png.reason.txt": "is empty\n"}


@pytest.mark.parametrize("planted", ["link", "pipe", "folder"])
def test_what_has_the_name_of_a_scratch_file_is_not_opened(failed: Path, claim: Claim, planted: str) -> None:
    """A link, pipe or folder in the place of the scratch file costs nothing: no file is written through it."""
    victim = failed.with_name("victim")
    victim.write_text("keep")
    for name in (f".{SCAN}.tmp", old_scratch("a.png.reason.txt"), "a.png.reason.txt"):
        plant(failed / name, planted, victim)

    assert archive.file_original(claim, failed, failed / "a.png", "is empty") == failed / "a~2.png"
    assert victim.read_text() == "keep"
    assert (failed / "a~2.png.reason.txt").read_text() == "is empty\n"


@pytest.mark.parametrize("planted", ["link", "pipe", "folder"])
def test_a_copy_across_disks_is_not_written_through_a_link(far: Path, claim: Claim, planted: str) -> None:
    """The copy is a new file of its own, whatever lies at the names that it could have."""
    victim = far / "victim"
    victim.write_text("keep")
    for name in (f".{SCAN}.tmp", old_scratch(SCAN)):
        plant(far / name, planted, victim)

    assert archive.file_original(claim, far, far / "a.png").read_text() == "new"
    assert victim.read_text() == "keep"


@pytest.mark.parametrize("note", ["", "is empty"])
def test_a_sub_folder_exchanged_for_a_link_is_not_entered(failed: Path, claim: Claim, note: str) -> None:
    """The original goes into the folder itself instead of where the link leads."""
    elsewhere = failed.with_name("elsewhere")
    elsewhere.mkdir()
    (failed / "sub").symlink_to(elsewhere)

    assert archive.file_original(claim, failed, failed / "sub" / "a.png", note) == failed / "sub~a.png"
    assert list(elsewhere.iterdir()) == []


def test_a_place_below_a_link_is_not_chosen(failed: Path) -> None:
    """The row names the place in the folder itself from the beginning."""
    (failed / "sub").symlink_to(failed.parent)

    scan = Claim(SCAN, "sub/a.png", failed / "a.png")
    place = archive.choose_place(failed, failed, scan, with_note=True, promised=set())

    assert place == failed / "sub~a.png"
