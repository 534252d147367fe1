"""Cost of a scan by the number of waiting scans: the same number is read with few and with many waiting, in turn.

    python benchmarks/growth.py [MANY [ROUNDS]]

Each round starts a daemon on each inbox, skips its first scans, and adds up the processor time of the next ones;
afterwards the inbox is refilled. The result is the median of the ratios, which is robust against other load.
"""

import os
import statistics
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import scans
import service

FEW = 100
START = 20  # scans that are skipped
COUNTED = 60  # scans; with those in flight at most FEW


@dataclass
class Growth:
    """Processor seconds per scan with few and with many waiting, and the median ratio of the two."""

    few: float
    many: float
    ratio: float


def growth(folder: Path, base: Path, many: int, rounds: int = 7) -> Growth:
    """Measure, with `FEW` and `many` of the scans in `folder` waiting."""
    costs = [(_cost(folder, base / "few", FEW), _cost(folder, base / "many", many)) for _ in range(rounds)]
    few, more = (statistics.median(each) for each in zip(*costs, strict=True))
    return Growth(few, more, statistics.median(after / before for before, after in costs))


def _cost(folder: Path, base: Path, number: int) -> float:
    """Return the processor seconds per scan with `number` waiting."""
    service.settings(base)
    _fill(folder, base / "inbox", number)
    with service.running(base) as pid:
        rows = service.Rows(base)
        service.until(lambda: rows() >= START)
        used, known = service.processor(pid), rows()
        service.until(lambda: rows() >= known + COUNTED)
        return (service.processor(pid) - used) / (rows() - known)


def _fill(folder: Path, inbox: Path, number: int) -> None:
    """Fill the inbox up to `number` scans by links, since only the number matters."""
    paths, there = sorted(folder.iterdir()), set(os.listdir(inbox))
    for index in range(number):
        if (name := f"{index:07}.png") not in there:
            os.link(paths[index % len(paths)], inbox / name)
    os.sync()


def main() -> None:
    """Measure and print."""
    many, rounds = map(int, [*sys.argv[1:], *("100000", "7")[len(sys.argv) - 1 :]])
    with tempfile.TemporaryDirectory() as where:
        scans.write(Path(where) / "scans", 500)
        found = growth(Path(where) / "scans", Path(where), many, rounds)
    print(f"{1e3 * found.few:.2f} ms with {FEW}, {1e3 * found.many:.2f} ms with {many}, ratio {found.ratio:.3f}")


if __name__ == "__main__":
    main()
