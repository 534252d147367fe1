"""Corrections, joined with the log and the archived originals."""

import hashlib
from pathlib import Path

import pytest

from digitwatch.corrections.training_pages import content, pages
from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import HEADER
from digitwatch.spool.folders import Folders

SHA = hashlib.sha256(b"scan").hexdigest()


@pytest.fixture
def places(tmp_path: Path) -> Folders:
    """Return folders with one archived scan, its row, and a correction."""
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive" / "a.png").write_bytes(b"scan")
    row = f"t,a.png,1,17,0.5,review,,,ID1,{SHA},out.png,archive/a.png,m,1\n"
    (tmp_path / "predictions.csv").write_text(HEADER + row + row.replace("ID1", "ID2"))
    correction_log.append(tmp_path / "corrections.csv", Correction("t", "ID1", "a.png", "1", SHA, "17", "12", "me"))
    return Folders(*(tmp_path / name for name in ("inbox", "outbox", "archive", "failed")), tmp_path)


def test_only_reviewed_pages_are_returned(places: Folders) -> None:
    """The other row of the log was not reviewed."""
    [page], _ = pages(places.base / "predictions.csv", places.base / "corrections.csv")

    assert (page.scan, page.page, page.text) == (SHA, 1, "12")
    assert content(places, page) == b"scan"


def test_a_changed_original_is_left_out(places: Folders) -> None:
    """Changed, removed, or outside the archive."""
    [page], _ = pages(places.base / "predictions.csv", places.base / "corrections.csv")
    (places.base / "elsewhere.png").write_bytes(b"scan")
    with pytest.raises(FileNotFoundError, match="not at the path in the log"):
        content(places, page._replace(filed="elsewhere.png"))
    (places.archive / "a.png").write_bytes(b"changed")
    with pytest.raises(FileNotFoundError, match="another file"):
        content(places, page)
    (places.archive / "a.png").unlink()
    with pytest.raises(FileNotFoundError, match="not at the path in the log"):
        content(places, page)


def test_confirmations_of_a_held_key_are_left_out(tmp_path: Path) -> None:
    """Sooner than 0.3 s after the line before of the same person; corrections and the first of a burst are kept."""
    times = ("00.000", "00.033", "00.066", "00.400", "01.000", "01.100")
    for number, time in enumerate(times):
        now, who = ("12,5" if number == 2 else "125"), ("Ben" if number == 5 else "Ada")
        line = Correction(f"2026-11-22T10:00:{time}Z", f"ID{number}", "a.png", "1", SHA, "125", now, who)
        correction_log.append(tmp_path / "c.csv", line)
    found, hasty = pages(tmp_path / "p.csv", tmp_path / "c.csv")

    assert hasty == 1
    assert [page.text for page in found] == ["125"] * 5
