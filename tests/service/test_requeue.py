"""`digitwatch retry`: failed scans back into the inbox, their notes gone, nothing replaced."""

from pathlib import Path

import pytest

from digitwatch.cli.main import main
from digitwatch.spool.archive import write_reason


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with two failed scans and their notes, and make it the current one."""
    (tmp_path / "config.yaml").write_text("inbox: inbox\nfailed: failed\n")
    for name in ("inbox", "failed"):
        (tmp_path / name).mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "failed" / name).write_text(name)
        write_reason(tmp_path / "failed" / name, f"{name} could not be read: it is empty.")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    """Give the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_one_scan_goes_back(base: Path) -> None:
    """The named scan lies in the inbox, its note is gone, the other one is untouched."""
    assert main(["retry", "a.png"]) == 0
    assert names(base / "inbox") == ["a.png"]
    assert names(base / "failed") == ["b.png", "b.png.reason.txt"]


def test_a_path_names_a_scan_too(base: Path) -> None:
    """What the shell completes is understood."""
    assert main(["retry", "failed/a.png"]) == 0
    assert names(base / "inbox") == ["a.png"]


def test_all_go_back_and_replace_nothing(base: Path) -> None:
    """A newer scan of the same name keeps its place."""
    (base / "inbox" / "a.png").write_text("newer")

    assert main(["retry", "--all"]) == 0
    assert names(base / "inbox") == ["a.png", "a~2.png", "b.png"]
    assert (base / "inbox" / "a.png").read_text() == "newer"
    assert names(base / "failed") == []


def test_without_a_name_they_are_listed(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is moved before somebody says what."""
    assert main(["retry"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["a.png", "b.png"]
    assert names(base / "inbox") == []


def test_an_unknown_name_is_told(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped name ends with 1, and the others go back all the same."""
    assert main(["retry", "a.png", "x.png"]) == 1
    assert "x.png" in capsys.readouterr().err
    assert names(base / "inbox") == ["a.png"]


def test_a_scan_that_looks_like_a_note_by_name_is_a_scan(base: Path) -> None:
    """Only what reads like one of our notes is a note."""
    (base / "failed" / "c.reason.txt").write_text("7")

    assert main(["retry", "--all"]) == 0
    assert "c.reason.txt" in names(base / "inbox")
