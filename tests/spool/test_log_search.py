"""The look for rows at the end of the log and of what rotation made of it."""

import gzip
import os
from pathlib import Path

from digitwatch.spool.csv_rows import HEADER, Row, encode
from digitwatch.spool.log_search import all_rows, rows_near_end, scans_of_day, siblings


def row(scan: str) -> bytes:
    """Return a line of the log."""
    return encode([Row("t", "a.png", "1", "7", "0.9", "ok", "", "7:0.9", scan, "sha", "o", "a", "m", "12")])


def test_rotated_logs_are_found_newest_first(tmp_path: Path) -> None:
    """By number or by date, beside the log or in the folder of rotated logs; a scan of a like name is none."""
    (tmp_path / "old").mkdir()
    names = ["predictions.csv.1", "predictions-20261121.csv", "old/predictions.csv-20261120.gz"]
    for age, name in enumerate(names):
        (tmp_path / name).write_bytes(gzip.compress(HEADER.encode()) if name.endswith(".gz") else HEADER.encode())
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    (tmp_path / "predictions.csv").touch()
    for name in ("predictions-1.jpg", "predictionsx.csv"):
        (tmp_path / name).write_text(HEADER)

    found = siblings(tmp_path / "predictions.csv", rotated=tmp_path / "old")
    assert [str(path.relative_to(tmp_path)) for path in found] == ["predictions.csv", *names]


def test_copies_of_the_log_elsewhere_are_no_part_of_it(tmp_path: Path) -> None:
    """A backup one folder below, a link, and a file of the name without a header count nothing twice."""
    for folder in ("backup", "inbox"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "predictions.csv.1").write_bytes(HEADER.encode() + row("id-1"))
    (tmp_path / "predictions.csv.2").symlink_to(tmp_path / "inbox" / "predictions.csv.1")
    (tmp_path / "predictions.csv.3").write_bytes(row("id-1"))
    (tmp_path / "predictions.csv").write_bytes(HEADER.encode() + row("id-1"))

    assert siblings(tmp_path / "predictions.csv") == [tmp_path / "predictions.csv"]
    assert [found.id for found, _ in all_rows(tmp_path / "predictions.csv")] == ["id-1"]


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


def test_an_incomplete_compressed_file_is_skipped(tmp_path: Path) -> None:
    """The plain file lies beside it until it is."""
    whole = gzip.compress(row("id-1") * 1000)
    (tmp_path / "p.csv.1.gz").write_bytes(whole[: len(whole) // 2])

    assert isinstance(list(rows_near_end(tmp_path / "p.csv.1.gz", {"id-9"})), list)
