"""The scans below a directory: in the order of names, however many there are."""

import os
from pathlib import Path

import pytest

from digitwatch.service import scan_listing
from digitwatch.service.scan_listing import NameFile, ScanListing
from digitwatch.spool.inbox import DEEPEST


def listed(directory: Path, scratch: Path) -> tuple[list[str], list[tuple[str, str]]]:
    """Return the names of the scans, and the folders that were not read."""
    failed: list[tuple[str, str]] = []
    return list(ScanListing(directory, scratch, lambda *pair: failed.append(pair))), failed


@pytest.mark.parametrize("run", [2, 1000])
def test_names_are_sorted_as_whole_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: int) -> None:
    """Files and folders are merged in one order, also where the names of a folder are sorted in several files."""
    monkeypatch.setattr(scan_listing, "RUN", run)
    top = tmp_path / "top"
    names = ["a.png", "a/b.png", "a-b.png", "b.png", "c/d/e.png", "c/d.png", os.fsdecode(b"\xff.png"), "é.png"]
    for name in names:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).touch()
    for name in (".hidden.png", "a/note.txt", "b.png~"):
        (top / name).write_text("no image")

    assert listed(top, tmp_path) == (sorted(names, key=os.fsencode), [])


def test_folders_that_are_too_deep_are_reported(tmp_path: Path) -> None:
    """The scans above them are listed."""
    deepest = tmp_path.joinpath("top", *["d"] * DEEPEST)
    (deepest / "deeper").mkdir(parents=True)
    (deepest / "z.png").touch()
    (deepest / "deeper" / "a.png").touch()
    names, failed = listed(tmp_path / "top", tmp_path)

    assert names == [os.path.join(*["d"] * DEEPEST, "z.png")]
    assert [name for name, _ in failed] == [os.path.join(*["d"] * DEEPEST)]


def test_a_name_file_gives_its_names_again_and_again(tmp_path: Path) -> None:
    """Two iterations at a time do not disturb each other, also beyond one block."""
    names = NameFile(tmp_path)
    names.extend(str(number).encode() for number in range(50_000))
    both = zip(names, names, strict=True)

    assert all(first == second == str(number) for number, (first, second) in enumerate(both))
    assert len(names) == 50_000
    names.close()
