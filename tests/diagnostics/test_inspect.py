"""`digitwatch check` as a whole: every room is asked, faults do not hide one another, nothing is changed."""

import os
from pathlib import Path

from digitwatch.diagnostics.inspect import inspect
from digitwatch.spool.folders import Folders
from digitwatch.spool.watch_policy import WatchPolicy

HABITS = WatchPolicy("auto", False, 30.0, 1.0, 0)


def made(base: Path) -> Folders:
    """Make the folders below `base`."""
    for name in ("inbox", "outbox", "archive", "failed"):
        (base / name).mkdir()
    return Folders(base / "inbox", base / "outbox", base / "archive", base / "failed", base)


def test_a_sound_installation_has_nothing_to_mend(tmp_path: Path) -> None:
    """Each matter has its line, and nothing is left lying."""
    places = made(tmp_path)
    before = sorted(os.walk(tmp_path))
    findings = list(inspect(places, {"predictions": tmp_path / "p.csv"}, HABITS, model="dense", data=None))

    assert [str(finding) for finding in findings if not finding.well] == []
    heads = ("inbox:", "outbox:", "waiting:", "daemon:", "watch:", "free space:", "log:", "model:")
    assert [head for head in heads if not any(finding.what.startswith(head) for finding in findings)] == []
    assert sorted(os.walk(tmp_path)) == before


def test_one_fault_does_not_hide_another(tmp_path: Path) -> None:
    """A missing archive, a log that is a folder and a missing model are all told in one go."""
    places = made(tmp_path)
    places.archive.rmdir()
    places = Folders(places.inbox, places.outbox, Path("/nonexistent"), places.failed, tmp_path)
    files = {"predictions": tmp_path, "corrections": Path("/nonexistent/c.csv")}
    findings = inspect(places, files, HABITS, model=tmp_path / "gone.keras", data=None)
    wrong = [finding.what.split(":")[0] for finding in findings if not finding.well]

    assert wrong == ["archive", "corrections", "log", "model"]
