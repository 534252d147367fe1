"""Batches with the small model: their command line, run in this process or another, and their log."""

import csv
import sys
from pathlib import Path

from digitwatch.cli.main import main


def command(scans: Path, *more: str) -> list[str]:
    """Return the command line that reads the folder with the small model."""
    config = scans.parent / "config.yaml"
    config.write_text("model: dense\nworkers: 1\n")
    return [sys.executable, "-m", "digitwatch", "-c", str(config), "--batch", str(scans), *more]


def batch(scans: Path, *more: str) -> int:
    """Read the folder; give the exit code."""
    return int(main(command(scans, *more)[3:]))


def rows(out: Path) -> list[dict[str, str]]:
    """Read the log of a batch."""
    with (out / "predictions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))
