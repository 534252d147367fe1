"""The benchmarks: they run, and measure on the kinds of scans that people bring."""

import subprocess
import sys
from pathlib import Path

import pytest

from digitwatch.recognition.reader import Reader

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
sys.path.append(str(BENCHMARKS))

import scans  # noqa: E402 (found only now)


def test_the_stages_of_one_scan(tmp_path: Path) -> None:
    """One file is enough; its steps are listed with their sum."""
    scans.write(tmp_path, 1)
    [file] = tmp_path.iterdir()
    command = [sys.executable, str(BENCHMARKS / "stages.py"), str(file)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120)

    assert done.stdout.splitlines()[-1].endswith("total of one scan (1 scans)")


def test_drawn_scans_have_every_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without real scans there are certain, doubtful and empty ones, and digits that fill their paper."""
    monkeypatch.setattr(scans, "REAL", tmp_path / "none")
    scans.write(tmp_path, 2 * len(scans.KINDS))
    reader = Reader()
    statuses = [reader.read(path).status for path in sorted(tmp_path.iterdir())]

    assert {"ok", "review", "empty"} == set(statuses)
