"""What a profile notices of a flood in another one: the time from a scan's arrival in the inbox to its row in the log.

    python benchmarks/two_profiles.py [SCANS] [FLOOD] [ROUNDS]

Each round starts a daemon with two profiles twice: with nothing in the other inbox, and with FLOOD scans there. SCANS
scans are then renamed into the calm inbox, one each second. The rows of both kinds alternate, since the load of a
machine changes.
"""

import csv
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import scans

CONFIG = """
workers: 2
model: cnn
min_free: 0
profiles:
  calm: {settle: 0.0}
  flood: {settle: 0.0}
"""
EVERY = 1.0  # seconds between two scans
POLL = 0.005  # seconds between two looks at the log
LONGEST_SECONDS = 120.0  # seconds after which a scan counts as starved


def rows(base: Path, profile: str) -> dict[str, str]:
    """Return the id of each scan in the log of a profile, by its name."""
    path = base / "digitwatch-data" / profile / "predictions.csv"
    if not path.exists():
        return {}
    with path.open(newline="", encoding="utf-8") as file:
        return {row["file"]: row["id"] for row in csv.DictReader(file)}


def measure(base: Path, number: int, flood: int) -> tuple[list[float], int]:
    """Return the seconds of each calm scan, and how many scans of the flood were read meanwhile."""
    (base / "config.yaml").write_text(CONFIG)
    inbox = {name: base / "digitwatch-data" / name / "inbox" for name in ("calm", "flood")}
    for folder in inbox.values():
        folder.mkdir(parents=True)
    scans.write(inbox["flood"], flood)
    scans.write(base / "kept", number)
    with (base / "lines.txt").open("wb") as lines:
        command = [sys.executable, "-m", "digitwatch", "-q", "-c", str(base / "config.yaml")]
        daemon = subprocess.Popen(command, stderr=lines)
        try:
            return _bring(base, inbox["calm"], flood)
        finally:
            daemon.terminate()
            daemon.wait(30)


def _bring(base: Path, inbox: Path, flood: int) -> tuple[list[float], int]:
    waiting = sorted((base / "kept").iterdir())
    _read(base, inbox, waiting[0])  # the workers are ready
    before, seconds = len(rows(base, "flood")), []
    for source in waiting[1:]:
        begun = time.monotonic()
        seconds.append(_read(base, inbox, source))
        time.sleep(max(0.0, EVERY - (time.monotonic() - begun)))
    read = len(rows(base, "flood"))
    if read >= flood > 0:
        raise SystemExit("the flood is over before the measurement: give a larger one")
    return seconds, read - before


def _read(base: Path, inbox: Path, source: Path) -> float:
    """Bring a scan; return the seconds until its row is in the log."""
    begun = time.monotonic()
    source.rename(inbox / source.name)
    while source.name not in rows(base, "calm"):
        if time.monotonic() - begun > LONGEST_SECONDS:
            raise SystemExit(f"starved: {source.name} has no row after {LONGEST_SECONDS:g} s")
        time.sleep(POLL)
    return time.monotonic() - begun


def main() -> None:
    """Measure and print a table."""
    number, flood, rounds = (int(text) for text in (*sys.argv[1:], *("60", "3000", "2")[len(sys.argv) - 1 :]))
    found: dict[int, list[float]] = {0: [], flood: []}
    others: dict[int, int] = {0: 0, flood: 0}
    for _ in range(rounds):
        for waiting in found:
            with tempfile.TemporaryDirectory() as folder:
                seconds, read = measure(Path(folder), number + 1, waiting)
            found[waiting] += seconds
            others[waiting] += read
    print("| scans in the other inbox | calm scans | median | 90 % | worst | of the flood read meanwhile |")
    print("|---|---|---|---|---|---|")
    for waiting, seconds in found.items():
        cuts = statistics.quantiles(seconds, n=10)
        shown = " | ".join(f"{1000 * value:.0f} ms" for value in (statistics.median(seconds), cuts[-1], max(seconds)))
        print(f"| {waiting} | {len(seconds)} | {shown} | {others[waiting]} |")


if __name__ == "__main__":
    main()
