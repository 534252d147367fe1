"""The log with the corrected values beside those read: `digitwatch export`."""

import csv
import gzip
import subprocess
import sys
from pathlib import Path

from digitwatch.corrections.export import COLUMNS, lines, wide_lines
from digitwatch.spool.correction_log import Correction, append
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.prediction_log import PredictionLog


def row(scan: str, time: str = "2026-11-22T10:00:00.000Z", field: str = "") -> Row:
    """Return a row of the log with this id."""
    return Row(time, f"{scan}.png", "1", "7", "0.5", "review", "", "7:0.5", scan, "00", "", "", "cnn", "9", field)


def correct(path: Path, scan: str, now: str, who: str = "Ada", field: str = "") -> None:
    """Correct a page, or a field on it, that was read as 7."""
    append(path, Correction("2026-11-23T00:00:00.000Z", scan, f"{scan}.png", "1", "00", "7", now, who, field))


def test_corrected_values_stand_beside_those_read(tmp_path: Path) -> None:
    """Each row keeps what was read and gains what it is, by whom and when."""
    log = PredictionLog(tmp_path / "p.csv")
    log.append([row("a"), row("b")])
    correct(tmp_path / "c.csv", "b", "1")
    found = list(csv.DictReader(lines(tmp_path / "p.csv", tmp_path / "c.csv")))

    assert tuple(found[0]) == COLUMNS
    assert [(r["prediction"], r["corrected"], r["corrected_by"]) for r in found] == [("7", "", ""), ("7", "1", "Ada")]


def test_an_empty_page_differs_from_one_that_is_not_corrected(tmp_path: Path) -> None:
    """`corrected_by` is never empty for a correction, also for one that an earlier version saved without a name."""
    PredictionLog(tmp_path / "p.csv").append([row("a"), row("b")])
    correct(tmp_path / "c.csv", "b", "", who="")
    found = list(csv.DictReader(lines(tmp_path / "p.csv", tmp_path / "c.csv")))

    assert [(r["corrected"], r["corrected_by"]) for r in found] == [("", ""), ("", "unnamed")]


def test_fields_are_corrected_one_by_one(tmp_path: Path) -> None:
    """The row of a field has its own correction; the wide export has the value that counts, and says so."""
    PredictionLog(tmp_path / "p.csv").append([row("a", field=name) for name in ("day", "night", "total", "meter")])
    for field, now in (("day", "9"), ("night", "7"), ("total", "x")):
        correct(tmp_path / "c.csv", "a", now, field=field)
    found = csv.DictReader(lines(tmp_path / "p.csv", tmp_path / "c.csv"))
    [wide] = csv.DictReader(wide_lines(tmp_path / "p.csv", tmp_path / "c.csv"))

    assert [r["corrected"] for r in found] == ["9", "7", "x", ""]
    assert [wide[name] for name in ("day", "night", "total", "meter")] == ["9", "7", "x", "7"]
    assert [wide[f"{name}_status"] for name in ("day", "night", "total", "meter")] == [
        "corrected",
        "confirmed",
        "corrected",
        "review",
    ]


def test_rotated_logs_are_part_of_it(tmp_path: Path) -> None:
    """Packed and plain siblings come first, and a plain one that is just being packed only once."""
    log = PredictionLog(tmp_path / "p.csv")
    for scan in "abc":
        log.append([row(scan)])
        if scan != "c":
            (tmp_path / "p.csv").rename(tmp_path / f"p.csv-{scan}")
    (tmp_path / "p.csv-a.gz").write_bytes(gzip.compress((tmp_path / "p.csv-a").read_bytes()))

    assert sorted(r["id"] for r in csv.DictReader(lines(tmp_path / "p.csv", tmp_path / "c.csv"))) == ["a", "b", "c"]


def test_one_day_can_be_had_alone(tmp_path: Path) -> None:
    """The command prints the rows of a day in UTC, with a header."""
    PredictionLog(tmp_path / "predictions.csv").append([row("a"), row("b", "2026-11-23T10:00:00.000Z")])
    (tmp_path / "config.yaml").write_text("predictions: predictions.csv\ncorrections: corrections.csv\n")
    command = [sys.executable, "-m", "digitwatch", "export", "-c", str(tmp_path / "config.yaml")]
    done = subprocess.run([*command, "--day", "2026-11-23"], capture_output=True, text=True, check=True)

    assert [r["id"] for r in csv.DictReader(done.stdout.splitlines())] == ["b"]
    assert subprocess.run([*command, "--day", "soon"], capture_output=True, check=False).returncode == 2
