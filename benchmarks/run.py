"""Measures digitwatch beside what people would otherwise run; prints a table and writes benchmarks/README.md.

    python benchmarks/run.py [--scans 2000]

All programs read the same scans in one run, one after the other, so that their ratio holds on a noisy machine.
"""

import argparse
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import scans

HERE = Path(__file__).parent


@dataclass
class Row:
    """One line of the table."""

    what: str
    value: str
    goal: str = ""


def settings(base: Path) -> Path:
    """Write a configuration below `base`; give its path."""
    (base / "inbox").mkdir(parents=True, exist_ok=True)
    folders = "".join(f"{name}: {name}\n" for name in ("inbox", "outbox", "archive", "failed"))
    (base / "config.yaml").write_text(f"{folders}predictions: predictions.csv\nmin_free: 0\nlog_level: warning\n")
    return base / "config.yaml"


@contextmanager
def daemon(base: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run digitwatch on `base` for the length of a block."""
    command = [sys.executable, "-m", "digitwatch", "-c", str(settings(base))]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def until(condition: Callable[[], object], limit: float = 600, pause: float = 0.001) -> float:
    """Wait for a condition; give the time at which it held."""
    end = time.perf_counter() + limit
    while not condition():
        if time.perf_counter() > end:
            raise TimeoutError(f"waited {limit} s in vain")
        time.sleep(pause)
    return time.perf_counter()


def rows_in(base: Path) -> int:
    """Count the rows of the log."""
    log = base / "predictions.csv"
    return max(0, log.read_bytes().count(b"\n") - 1) if log.exists() else 0


def rival(program: str, *arguments: Path) -> float:
    """Run a rival; give the seconds per scan that it prints."""
    command = [sys.executable, str(HERE / program), *map(str, arguments)]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[-1])


def tesseract(folder: Path, number: int) -> float | None:
    """Give Tesseract's seconds per scan, or None where it is not installed."""
    if shutil.which("tesseract") is None:
        return None
    paths = sorted(folder.iterdir())[:number]
    began = time.perf_counter()
    for path in paths:
        command = ["tesseract", str(path), "-", "--psm", "10", "-c", "tessedit_char_whitelist=0123456789"]
        subprocess.run(command, capture_output=True, check=True)
    return (time.perf_counter() - began) / len(paths)


def throughput(folder: Path, base: Path, number: int) -> float:
    """Give the seconds per scan of the daemon for a backlog, from the first claim to the last original filed."""
    settings(base)
    for path in sorted(folder.iterdir())[:number]:
        shutil.copy(path, base / "inbox")
    with daemon(base):
        began = until(lambda: (base / "inbox" / ".digitwatch").is_dir() and rows_in(base) > 0)
        first = rows_in(base)
        ended = until(lambda: rows_in(base) >= number, pause=0.05)
    return (ended - began) / (number - first)


def latency(folder: Path, base: Path, number: int) -> list[float]:
    """Give the seconds from the writer's close to the row, one scan at a time on an idle daemon."""
    times = []
    with daemon(base):
        for index, path in enumerate(sorted(folder.iterdir())[:number]):
            target = base / "inbox" / f"{index}.png"
            target.write_bytes(path.read_bytes())
            closed = time.perf_counter()
            times.append(until(lambda wanted=index: rows_in(base) > wanted) - closed)
    return times[1:]


def start(base: Path, number: int = 7) -> list[float]:
    """Give the seconds from exec to the first row for a scan that waits."""
    times = []
    for index in range(number):
        place = base / str(index)
        scans.write(place / "inbox", 1)
        began = time.perf_counter()
        with daemon(place):
            times.append(until(lambda here=place: rows_in(here) > 0) - began)
    return times


def command_times(arguments: list[str], number: int = 7) -> list[float]:
    """Give the seconds that a whole command takes."""
    times = []
    for _ in range(number):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "digitwatch", *arguments], capture_output=True, check=False)
        times.append(time.perf_counter() - began)
    return times


def memory(base: Path) -> float:
    """Give the proportional set size in MB of an idle daemon with one worker and all that belongs to it."""
    base.mkdir(parents=True)
    config = settings(base)
    config.write_text(config.read_text() + "workers: 1\n")
    process = subprocess.Popen([sys.executable, "-m", "digitwatch", "-c", str(config)], start_new_session=True)
    try:
        scans.write(base / "inbox", 20)
        until(lambda: rows_in(base) >= 20)
        return sum(map(_pss, _group(process.pid))) / 1e3
    finally:
        process.terminate()
        process.wait(30)


def _group(leader: int) -> list[int]:
    found = subprocess.run(["pgrep", "-g", str(leader)], capture_output=True, text=True, check=True)
    return [int(pid) for pid in found.stdout.split()]


def _pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))


def machine() -> str:
    """Describe the machine in a line."""
    model = next((line.split(":")[1].strip() for line in _cpuinfo() if line.startswith("model name")), "unknown")
    return f"{os.cpu_count()} cores of {model}, Python {platform.python_version()}, {platform.system()}"


def _cpuinfo() -> list[str]:
    try:
        return Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return []


def measure(number: int, base: Path) -> Iterator[Row]:
    """Yield the lines of the table."""
    scans.write(base / "scans", number)
    few = base / "few"
    scans.write(few, 100)
    script, watched = rival("rival_script.py", few, base / "out"), rival("rival_watch.py", few, base / "rival")
    ours = throughput(base / "scans", base / "ours", number)
    yield Row("one scan, the usual script (a)", f"{script * 1e3:.1f} ms")
    yield Row("one scan, the usual script behind watchdog (b)", f"{watched * 1e3:.1f} ms")
    other = tesseract(few, 20)
    yield Row("one scan, Tesseract (c)", f"{other * 1e3:.1f} ms" if other else "not installed")
    yield Row(f"one of {number} scans, digitwatch", f"{ours * 1e3:.1f} ms")
    yield Row("digitwatch is faster than (a) by", f"{script / ours:.1f} times", "30 times")
    times = sorted(latency(few, base / "latency", 100))
    yield Row("close to row, median", f"{statistics.median(times) * 1e3:.0f} ms", "150 ms")
    yield Row("close to row, 99th percentile", f"{times[int(0.99 * len(times))] * 1e3:.0f} ms", "400 ms")
    yield Row("start to first row, median", f"{statistics.median(start(base / 'start')):.2f} s", "1.0 s")
    yield Row("--help, median", f"{statistics.median(command_times(['--help'])):.2f} s", "0.25 s")
    yield Row("one image with --batch, median", f"{batch_time(base):.2f} s", "1.5 s")
    yield Row("memory, daemon and one worker", f"{memory(base / 'memory'):.0f} MB", "220 MB")


def batch_time(base: Path) -> float:
    """Give the median seconds of a whole --batch of one image."""
    scans.write(base / "one", 1)
    times = []
    for index in range(7):
        out = base / f"one-{index}"
        times += command_times(
            ["-c", str(settings(base / "latency")), "--batch", str(base / "one"), "--out", str(out)], 1
        )
    return statistics.median(times)


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scans", type=int, default=2000, help="size of the backlog (default: 2000)")
    options = parser.parse_args()
    lines = ["| what | measured | goal |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for row in measure(options.scans, Path(folder)):
            lines.append(f"| {row.what} | {row.value} | {row.goal} |")
            print(lines[-1], flush=True)
    text = [
        "# Benchmarks",
        "",
        "Written by `python benchmarks/run.py` (needs the extra `train` for the rivals), all in one run on",
        f"{machine()}.",
        "",
        *lines,
    ]
    (HERE / "README.md").write_text("\n".join(text) + "\n")


if __name__ == "__main__":
    main()
