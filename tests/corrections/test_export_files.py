"""The files of `digitwatch export --out`: complete or absent, and with the right types."""

import csv
import json
import sqlite3
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from digitwatch.spool.correction_log import Correction, append
from digitwatch.spool.csv_rows import Row
from digitwatch.spool.prediction_log import PredictionLog

Run = Callable[..., subprocess.CompletedProcess[str]]
TIME = "2026-11-22T10:00:00.250Z"


@pytest.fixture
def export(run: Run, tmp_path: Path) -> Run:
    """Return what exports a log of two rows, of which the second one is corrected."""
    rows = [
        Row(TIME, f"{scan}.png", "1", "007", "0.5", "ok", "", "0:0.5", scan, "00", "", "", "cnn", "9", text="007")
        for scan in "ab"
    ]
    PredictionLog(tmp_path / "predictions.csv").append(rows)
    append(tmp_path / "corrections.csv", Correction(TIME, "b", "b.png", "1", "00", "007", "08", "Ada"))
    (tmp_path / "config.yaml").write_text("predictions: predictions.csv\ncorrections: corrections.csv\n")
    return lambda *arguments: run("export", *arguments)


def test_json_lines_keep_text_as_text(export: Run) -> None:
    """`prediction` keeps its zeros, counts are numbers, and what nobody corrected is null."""
    first, second = map(json.loads, export("--format", "jsonl").stdout.splitlines())

    assert (first["prediction"], first["page"], first["confidence"], first["elapsed_ms"]) == ("007", 1, 0.5, 9)
    assert (first["corrected"], second["corrected"], second["corrected_at"]) == (None, "08", TIME)


def test_a_csv_file_is_what_is_printed(export: Run, tmp_path: Path) -> None:
    """--out writes the bytes that standard output would get."""
    assert export("--out", "out.csv").returncode == 0
    printed = export().stdout

    assert (tmp_path / "out.csv").read_text() == printed
    assert len(list(csv.DictReader(printed.splitlines()))) == 2


def test_sqlite_has_typed_columns(export: Run, tmp_path: Path) -> None:
    """The table `readings` has numbers as numbers and times that its date functions understand."""
    assert export("--out", "out.sqlite").returncode == 0
    query = "SELECT typeof(prediction), typeof(page), typeof(confidence), strftime('%H', time) FROM readings"

    assert sqlite3.connect(tmp_path / "out.sqlite").execute(query).fetchall() == [("text", "integer", "real", "10")] * 2


def test_parquet_has_typed_columns(export: Run, tmp_path: Path) -> None:
    """`prediction` is a string and `time` a timestamp in UTC."""
    parquet = pytest.importorskip("pyarrow.parquet", reason="needs the extra parquet")
    assert export("--format", "parquet", "--out", "out").returncode == 0
    table = parquet.read_table(tmp_path / "out")

    assert [str(table.schema.field(name).type) for name in ("prediction", "page", "confidence", "time")] == [
        "string", "int64", "double", "timestamp[ms, tz=UTC]",
    ]  # fmt: skip
    assert table.column("time")[0].as_py() == datetime(2026, 11, 22, 10, 0, 0, 250_000, UTC)
    assert table.column("corrected").to_pylist() == [None, "08"]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--format", "sqlite"), "add --out FILE"),
        (("--out", "out.txt"), "expected an ending of"),
        (("--out", "predictions.csv"), "expected a file of its own"),
        (("--out", ".", "--format", "csv"), "expected a file, found the folder"),
    ],
)
def test_a_target_that_cannot_be_used_is_refused(export: Run, arguments: tuple[str, ...], sentence: str) -> None:
    """The exit code is 2, and the message says what to give."""
    done = export(*arguments)

    assert done.returncode == 2
    assert sentence in done.stderr


def test_a_failed_export_leaves_the_old_file(export: Run, tmp_path: Path) -> None:
    """A log that cannot be read to its end leaves neither half a file nor a temporary one."""
    (tmp_path / "out.csv").write_text("old")
    (tmp_path / "corrections.csv").unlink()
    (tmp_path / "corrections.csv").mkdir()

    assert export("--out", "out.csv").returncode == 75
    assert (tmp_path / "out.csv").read_text() == "old"
    assert list(tmp_path.glob(".*.tmp")) == []
