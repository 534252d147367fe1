"""Memory over many scans: what a daemon and its workers hold after the thousandth scan, and after the last.

    python benchmarks/soak.py [NUMBER]

prints what each process holds, too.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import scans
import service

AT = (1_000, 10_000)  # scans after which memory is looked at, besides the last
WAVE = 250  # scans that are added at a time, before the last of the wave before are read
REST = 2.0  # seconds in which what has just been done is put away


def soak(folder: Path, base: Path, number: int) -> Iterator[tuple[int, dict[int, float]]]:
    """Yield how many scans were read, and the MB (PSS) that each process holds, at each look and after `number`."""
    service.settings(base)
    paths = sorted(folder.iterdir())
    with service.running(base) as pid:
        rows = service.Rows(base)
        looks = {*(at for at in AT if at < number), number}
        for given in range(number):  # links: it is the number that counts
            os.link(paths[given % len(paths)], base / "inbox" / f"{given:07}.png")
            if given % WAVE == 0:
                service.until(lambda wanted=given - WAVE: rows() >= wanted, pause=0.05)
            if given + 1 in looks:
                service.until(lambda wanted=given + 1: rows() >= wanted, pause=0.05)
                time.sleep(REST)
                yield given + 1, {each: service.memory_of(each) for each in service.group(pid)}


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as where:
        scans.write(Path(where) / "scans", 500)
        for read, held in soak(Path(where) / "scans", Path(where) / "soak", int((sys.argv[1:] or ["50000"])[0])):
            print(read, f"{sum(held.values()):.1f} MB", {pid: round(megabytes, 1) for pid, megabytes in held.items()})


if __name__ == "__main__":
    main()
