"""Checks of the log: another header, a torn last line, no right to append, a clock set back."""

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from disks import as_nobody

from digitwatch.diagnostics.check_prediction_log import prediction_log
from digitwatch.spool.csv_rows import HEADER, Row, encode

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)


def row(time: str) -> bytes:
    """Return a line of the log."""
    return encode([Row(time, "a.png", "1", "7", "0.9", "ok", "", "7:0.9", "id", "sha", "o", "a", "m", "12")])


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", "is valid"),
        (HEADER.encode() + row("2026-11-22T11:00:00.000Z"), "is valid, and rows can be appended"),
        (HEADER.encode() + row("2026-11-22T11:00:00.000Z")[:-1], "is valid"),  # an editor left out the line end
        (b"time;file;page\n1;2;3\n", "has the header of another version"),
        (HEADER.encode() + row("2026-11-22T11:00:00.000Z")[:30], "ends in the middle of a line"),
        (HEADER.encode()[:10], "ends in the middle of a line"),
        (HEADER.encode() + row("2026-11-23T11:00:00.000Z"), "timedatectl set-ntp true"),
    ],
)
def test_every_state_has_its_line(tmp_path: Path, content: bytes, line: str) -> None:
    """Sound, of another layout, cut short, ahead of the clock; the log is left as it was."""
    log = tmp_path / "predictions.csv"
    log.write_bytes(content)

    assert line in str([str(finding) for finding in prediction_log(log, NOW)])
    assert log.read_bytes() == content


def test_a_log_that_is_not_there_or_no_file(tmp_path: Path) -> None:
    """A missing log is made; a folder or pipe in its place is in the way."""
    os.mkfifo(tmp_path / "pipe")

    assert next(prediction_log(tmp_path / "predictions.csv")).level == "ok"
    assert "is not a regular file" in str(next(prediction_log(tmp_path)))
    assert "is not a regular file" in str(next(prediction_log(tmp_path / "pipe")))


def test_a_log_without_the_right_to_append(tmp_path: Path) -> None:
    """Left by another user, as after one run as root."""
    log = tmp_path / "predictions.csv"
    log.touch(mode=0o644)
    with as_nobody(tmp_path):
        line = str(next(prediction_log(log)))

    assert "no row can be appended" in line and "chown nobody" in line


def test_a_log_locked_against_changes(tmp_path: Path) -> None:
    """The immutable bit, which no right passes over."""
    log = tmp_path / "predictions.csv"
    log.touch()
    if not shutil.which("chattr") or subprocess.run(["chattr", "+i", log], check=False, capture_output=True).returncode:
        pytest.skip("needs chattr, and root")
    line = str(next(prediction_log(log)))
    subprocess.run(["chattr", "-i", log], check=True)

    assert "chattr -i" in line
