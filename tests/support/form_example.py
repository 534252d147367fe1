"""The worked example of forms: its folder, its template, its scans and what stands in them."""

import csv
from pathlib import Path

FOLDER = Path(__file__).parents[2] / "examples" / "forms"
TEMPLATE = FOLDER / "meter-card.yaml"
SCANS = FOLDER / "scans"


def truth() -> dict[str, dict[str, str]]:
    """Return what stands in the fields of each scan."""
    with (FOLDER / "truth.csv").open(newline="") as file:
        return {row.pop("file"): row for row in csv.DictReader(file)}
