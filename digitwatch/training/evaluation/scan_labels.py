"""Labels of scans: a CSV file with the columns `file` and `text`, and `group` if they are counted in groups."""

import csv
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from digitwatch.spool.csv_rows import printable
from digitwatch.system.os_errors import describe
from digitwatch.training.data.digits import DataError

COLUMNS = ("file", "text")
EXPECTED = "expected a CSV file in UTF-8 with the columns file,text and, if you like, group"


@dataclass(frozen=True)
class Label:
    """What stands on a scan.

    file: its name as given in the labels. path: where it is. text: the digits, rows and pages separated by one space;
    empty where there is none. group: the name of a group of scans, or "".
    """

    file: str
    path: Path
    text: str
    group: str = ""


def load(labels: Path, folder: Path | None = None) -> list[Label]:
    """Return the labels of a CSV file whose scans lie below `folder`, None for the folder of the file.

    Raises:
        DataError: the file cannot be used, or a scan is missing: figures without it would be those of other scans.
    """
    below = labels.parent if folder is None else folder
    try:
        found = list(_labels(labels, below))
    except OSError as error:
        raise DataError(f"--scans: {EXPECTED}, found {describe(error)}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"--scans: {EXPECTED}, found {labels}, which is none ({error})") from error
    if not found:
        raise DataError(f"--scans: expected a line for each scan, found only the header in {labels}")
    missing = [label.file for label in found if not os.path.isfile(label.path)]
    if missing:
        raise DataError(
            f"--scans: expected {len(found)} scans below {below}, found {len(found) - len(missing)}; missing is "
            f"{printable(missing[0])}{f' and {len(missing) - 1} more' if missing[1:] else ''}; "
            "name their folder with --folder, or remove their lines"
        )
    return found


def _labels(labels: Path, folder: Path) -> Iterator[Label]:
    with labels.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        if not set(COLUMNS) <= set(rows.fieldnames or ()):
            header = printable(",".join(rows.fieldnames or ())[:80])
            raise DataError(f"--scans: {EXPECTED}, found {header or 'no header'} in the first line of {labels}")
        for row in rows:
            if None in row or None in row.values() or not row["file"]:
                raise DataError(
                    f"--scans: expected {len(rows.fieldnames or ())} values, the first of them a name, in line "
                    f"{rows.line_num} of {labels}; quote a text that holds a comma"
                )
            yield Label(row["file"], folder / row["file"], " ".join(row["text"].split()), row.get("group", ""))
