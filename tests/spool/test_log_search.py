"""The look for rows at the end of the log and of what rotation made of it."""

import gzip
import os
from pathlib import Path

from digitwatch.spool.csv_rows import HEADER, Row, encode
from digitwatch.spool.log_search import rows_near_end, scans_of_day, siblings


def row(scan: str) -> bytes:
    """Give a line of the log."""
    return encode([Row("t", "a.png", "1", "7", "0.9", "ok", "", "7:0.9", scan, "sha", "o", "a", "m", "12")])


def test_rotated_logs_are_found_newest_first(tmp_path: Path) -> None:
    """By number or by date, beside the log or one folder below; a scan of a like name is none."""
    (tmp_path / "old").mkdir()
    names = ["predictions.csv.1", "predictions-20261121.csv", "old/predictions.csv-20261120.gz"]
    for age, name in enumerate(names):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    for name in ("predictions.csv", "predictions-1.jpg", "predictionsx.csv"):
        (tmp_path / name).touch()

    found = [str(path.relative_to(tmp_path)) for path in siblings(tmp_path / "predictions.csv")]
    assert found == ["predictions.csv", *names]


def test_rows_are_found_plain_and_packed(tmp_path: Path) -> None:
    """Only those asked for, and only whole lines."""
    content = HEADER.encode() + row("id-1") + row("id-2") + row("id-3")[:-1]
    (tmp_path / "p.csv").write_bytes(content)
    with gzip.open(tmp_path / "p.csv.1.gz", "wb") as packed:
        packed.write(content)

    for name in ("p.csv", "p.csv.1.gz"):
        assert [found.id for found in rows_near_end(tmp_path / name, {"id-2", "id-9"})] == ["id-2"]
    assert list(rows_near_end(tmp_path / "p.csv", {"id-3"})) == []


def test_the_scans_of_a_day_are_counted(tmp_path: Path) -> None:
    """Each scan once, however many pages; yesterday's not; a log that is not there has none."""
    first = Row("2026-11-22T1", "a.png", "1", "7", "0.9", "ok", "", "7:0.9", "id-1", "sha", "o", "a", "m", "12")
    failed = first._replace(id="id-2", status="failed")
    rows = [first, first._replace(page="2"), failed, first._replace(id="id-3", time="2026-11-21T1")]
    (tmp_path / "p.csv").write_bytes(HEADER.encode() + encode(rows))

    assert scans_of_day(tmp_path / "p.csv", "2026-11-22") == {"read": 1, "failed": 1}
    assert scans_of_day(tmp_path / "gone.csv", "2026-11-22") == {"read": 0, "failed": 0}


def test_a_pack_that_is_not_finished_is_passed_over(tmp_path: Path) -> None:
    """The plain file lies beside it until it is."""
    whole = gzip.compress(row("id-1") * 1000)
    (tmp_path / "p.csv.1.gz").write_bytes(whole[: len(whole) // 2])

    assert isinstance(list(rows_near_end(tmp_path / "p.csv.1.gz", {"id-9"})), list)
