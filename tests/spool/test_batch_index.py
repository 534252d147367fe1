"""The index of a batch is made from its log, and is never more than behind."""

import os
import sqlite3
from pathlib import Path

import pytest

from digitwatch.log_codes import Status
from digitwatch.spool import batch_index
from digitwatch.spool.batch_index import NAME, BatchIndex, Stamp, stamp_of
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.prediction_log import PredictionLog

SCAN = "00000000000000ab"
STAMP = Stamp(1, 2, 3)


def row(status: str = "ok", sha256: str = "1", page: str = "1", scan: str = SCAN) -> Row:
    """Return a row of a scan."""
    return Row("t", "a.png", page, "7", "0.5", status, "why", "", scan, sha256, "", "", "m", "9")


@pytest.fixture
def log(tmp_path: Path) -> PredictionLog:
    """Return a log in the output folder."""
    return PredictionLog(tmp_path / "predictions.csv")


def opened(log: PredictionLog) -> BatchIndex:
    """Open the index beside a log."""
    index = BatchIndex(log.path.parent, log.path)
    index.open()
    return index


def test_it_takes_in_what_the_log_has(log: PredictionLog) -> None:
    """Rows of one content are counted together; those of an earlier content of the file do not count."""
    log.append([row(sha256="0"), row("failed", "0", "2")])
    log.append([row(), row("review", page="2")])
    index = opened(log)
    entry = index.find(SCAN)
    index.close()

    assert entry is not None
    assert (entry.sha256, entry.stamp, entry.has_failed) == ("1", None, False)
    assert dict(zip(Status, entry.counts, strict=True)) == {"ok": 1, "review": 1, "empty": 0, "failed": 0}


def test_rows_are_counted_once_over_restarts(log: PredictionLog) -> None:
    """Whether the index was closed, or lost what it had not committed."""
    index = opened(log)
    log.append([row("failed")])
    index.recorded(SCAN, STAMP)
    index.close()
    log.append([row(scan="00000000000000cd")])
    index = opened(log)

    assert index.find(SCAN) == (STAMP, "1", (0, 0, 0, 1), "why", "t", "m")
    assert index.find("00000000000000cd") is not None
    index.close()


@pytest.mark.parametrize("damage", ["text", "later version", "other log"])
def test_an_unusable_index_is_made_again(log: PredictionLog, damage: str) -> None:
    """A damaged file, one of a later version, or one of a log that was replaced costs time only."""
    log.append([row()])
    opened(log).close()
    if damage == "text":
        (log.path.parent / NAME).write_text("no database" * 999)
    elif damage == "later version":
        with sqlite3.connect(log.path.parent / NAME) as database:
            database.execute("PRAGMA user_version = 99")
        database.close()
    else:
        log.path.unlink()
        log.append([row(sha256="2")])
    index = opened(log)
    entry = index.find(SCAN)
    index.close()

    assert entry is not None and entry.sha256 == ("2" if damage == "other log" else "1")


def test_a_removed_log_leaves_nothing_recorded(log: PredictionLog) -> None:
    """Who removes predictions.csv wants everything to be read again."""
    log.append([row()])
    opened(log).close()
    log.path.unlink()
    index = opened(log)

    assert index.find(SCAN) is None
    index.close()


def test_a_fresh_file_has_no_stamp(tmp_path: Path) -> None:
    """It may change again within the resolution of the clock of its filesystem."""
    (tmp_path / "a").write_text("a")
    assert stamp_of(os.stat(tmp_path / "a")) is None
    os.utime(tmp_path / "a", (1, 1))

    assert stamp_of(os.stat(tmp_path / "a")) == (1, 1_000_000_000, (tmp_path / "a").stat().st_ino)


def test_an_index_that_cannot_be_written_ends_no_batch(
    log: PredictionLog, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The scans are recorded all the same, and the next run takes them from the log."""
    monkeypatch.setattr(batch_index, "COMMIT_SECONDS", 0.0)
    index = opened(log)
    index._db.execute("PRAGMA max_page_count = 1")
    for number in range(300):
        scan = f"{number:016x}"
        log.append([row(scan=scan)])
        index.recorded(scan, STAMP)
    index.close()
    assert "the batch goes on without it" in caplog.text

    index = opened(log)
    assert index.find(f"{299:016x}") is not None
    index.close()
