"""`digitwatch check` as a whole: every check runs, faults do not hide one another, nothing is changed."""

import os
from pathlib import Path

from digitwatch.diagnostics.inspect import inspect
from digitwatch.spool.folders import Folders
from digitwatch.spool.watch_policy import WatchPolicy

POLICY = WatchPolicy("auto", False, 30.0, 1.0, 0)


def made(base: Path) -> Folders:
    """Make the folders below `base`."""
    for name in ("inbox", "outbox", "archive", "failed"):
        (base / name).mkdir()
    return Folders(base / "inbox", base / "outbox", base / "archive", base / "failed", base)


def test_a_valid_installation_has_no_failures(tmp_path: Path) -> None:
    """Each check has its line, and no file is left behind."""
    folders = made(tmp_path)
    before = sorted(os.walk(tmp_path))
    findings = list(
        inspect(
            folders,
            {"predictions": tmp_path / "p.csv", "corrections": tmp_path / "c.csv"},
            POLICY,
            model="dense",
            data=None,
        )
    )

    assert [str(finding) for finding in findings if finding.has_failed] == []
    heads = ("inbox:", "outbox:", "waiting:", "daemon:", "watch:", "free space:", "log:", "model:")
    assert [head for head in heads if not any(finding.what.startswith(head) for finding in findings)] == []
    assert sorted(os.walk(tmp_path)) == before


def test_one_fault_does_not_hide_another(tmp_path: Path) -> None:
    """A missing archive, a log that is a folder and a missing model are all reported."""
    folders = made(tmp_path)
    folders.archive.rmdir()
    folders = Folders(folders.inbox, folders.outbox, Path("/nonexistent"), folders.failed, tmp_path)
    files = {"predictions": tmp_path, "corrections": Path("/nonexistent/c.csv")}
    findings = inspect(folders, files, POLICY, model=tmp_path / "gone.keras", data=None)
    wrong = [finding.what.split(":")[0] for finding in findings if finding.has_failed]

    assert wrong == ["archive", "corrections", "log", "model"]
