"""`digitwatch retry`: failed scans back into the inbox, their notes gone, nothing replaced."""

import os
import subprocess
from pathlib import Path

import pytest
from disks import mounted

from digitwatch.cli.main import main
from digitwatch.service.requeue import put_back
from digitwatch.spool.archive import note_of


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a folder with two failed scans and their notes, and make it the current one."""
    (tmp_path / "config.yaml").write_text("inbox: inbox\nfailed: failed\n")
    for name in ("inbox", "failed"):
        (tmp_path / name).mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "failed" / name).write_text(name)
        note_of(tmp_path / "failed" / name).write_text(f"{name} could not be read: it is empty.\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def names(folder: Path) -> list[str]:
    """Return the names in a folder."""
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
    """Nothing is moved without a name."""
    assert main(["retry"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["a.png", "b.png"]
    assert names(base / "inbox") == []


def test_an_unknown_name_is_an_error(base: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A mistyped name ends with 1, and the others go back all the same."""
    assert main(["retry", "a.png", "x.png"]) == 1
    assert "x.png" in capsys.readouterr().err
    assert names(base / "inbox") == ["a.png"]


def test_a_scan_that_cannot_be_moved_does_not_hold_up_the_others(
    base: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It stays with its note, is said with the reason, and the code is 1; the others go back."""
    subprocess.run(["chattr", "+i", base / "failed" / "a.png"], check=False)
    try:
        if os.access(base / "failed" / "a.png", os.W_OK):
            pytest.skip("needs a filesystem with immutable files, and root")
        assert main(["retry", "--all"]) == 1
    finally:
        subprocess.run(["chattr", "-i", base / "failed" / "a.png"], check=False)

    assert "a.png stays in" in capsys.readouterr().err
    assert names(base / "inbox") == ["b.png"]
    assert names(base / "failed") == ["a.png", "a.png.reason.txt"]


def test_an_inbox_that_takes_nothing_ends_it(base: Path) -> None:
    """Without the inbox no scan can be put back: one message, and the code says that a later try may succeed."""
    (base / "inbox").rmdir()

    assert main(["retry", "--all"]) == 75
    assert len(names(base / "failed")) == 4


def test_a_scan_that_looks_like_a_note_by_name_is_a_scan(base: Path) -> None:
    """Only what reads like one of our notes is a note."""
    (base / "failed" / "c.reason.txt").write_text("7")

    assert main(["retry", "--all"]) == 0
    assert "c.reason.txt" in names(base / "inbox")


def test_a_scan_that_was_a_note_once_is_not_removed_as_a_note(base: Path) -> None:
    """Retrying `a.png` keeps the failed scan `a.png.reason.txt`, which has a note of its own."""
    (base / "failed" / "a.png.reason.txt.reason.txt").write_text("a.png.reason.txt could not be read: it is text.\n")

    assert main(["retry", "a.png"]) == 0
    assert "a.png.reason.txt" in names(base / "failed")


def test_a_link_in_the_inbox_is_not_followed(base: Path) -> None:
    """A sub-folder of the inbox that is a link gets nothing; the scan goes into the inbox itself."""
    for folder in ("failed/sub", "elsewhere"):
        (base / folder).mkdir()
    (base / "failed" / "sub" / "c.png").write_text("c")
    (base / "inbox" / "sub").symlink_to(base / "elsewhere")

    assert main(["retry", "sub/c.png"]) == 0
    assert names(base / "elsewhere") == []
    assert (base / "inbox" / "c.png").read_text() == "c"


def test_a_link_in_failed_is_not_followed(base: Path) -> None:
    """Nothing is taken out of the folder that a link among the failed scans leads to."""
    (base / "elsewhere").mkdir()
    (base / "elsewhere" / "c.png").write_text("c")
    (base / "failed" / "sub").symlink_to(base / "elsewhere")

    assert main(["retry", "sub/c.png"]) == 1
    with pytest.raises(NotADirectoryError):
        put_back(base / "failed", base / "inbox", "sub/c.png")
    assert names(base / "elsewhere") == ["c.png"]


def test_root_acts_as_the_user_of_the_daemon(base: Path) -> None:
    """A copy across disks that root asks for belongs to the owner of the inbox; root is root again afterwards."""
    with mounted(base / "failed", "1m") as failed:
        (failed / "c.png").write_text("c")
        for folder in (base, base.parent, base.parent.parent, base / "inbox", failed):
            folder.chmod(0o755)
        for path in (base / "inbox", failed, failed / "c.png"):
            os.chown(path, 65534, 65534)

        assert main(["retry", "c.png"]) == 0
        status = (base / "inbox" / "c.png").stat()

    assert (status.st_uid, status.st_gid, os.geteuid()) == (65534, 65534, 0)
