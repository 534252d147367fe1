"""Memory of a daemon and its workers after 1,000 scans, after 10,000, and after the last.

    python benchmarks/soak.py [NUMBER]

also prints the memory of each process.
"""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import scans
import service

AT = (1_000, 10_000)  # scans after which memory is measured, besides the last
WAVE = 250  # scans that are added at a time, before the last of the wave before are read
REST = 2.0  # seconds to wait until the daemon is idle


def soak(folder: Path, base: Path, number: int) -> Iterator[tuple[int, dict[int, float]]]:
    """Yield the number of scans read and the MB (PSS) of each process, at each count in AT and after `number`."""
    service.settings(base)
    paths = sorted(folder.iterdir())
    with service.running(base) as pid:
        rows = service.Rows(base)
        counts = {*(at for at in AT if at < number), number}
        for given in range(number):  # links, since only the number matters
            os.link(paths[given % len(paths)], base / "inbox" / f"{given:07}.png")
            if given % WAVE == 0:
                service.until(lambda wanted=given - WAVE: rows() >= wanted, pause=0.05)
            if given + 1 in counts:
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
