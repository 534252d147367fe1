"""Measures digitwatch and the programs it replaces; prints a table and writes it to benchmarks/README.md.

    python benchmarks/run.py [--scans 2000] [--rivals 60] [--backlog 100000] [--log 10000000] [--idle 600]
                             [--soak 50000]

Needs the extra `train`, for the other programs. All of them read scans of the same kinds (benchmarks/scans.py); those
that are compared run in one go, the others before and after digitwatch. Times are wall-clock time and processor time
(all threads and processes together): on a shared machine only ratios are comparable, best those of processor time.
"""

import argparse
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import cv2
import growth
import scans
import service
import soak

HERE = Path(__file__).parent
CORES = 2  # and as many workers


@dataclass
class Row:
    """One line of the table."""

    what: str
    value: str
    goal: str = ""


@dataclass
class Cost:
    """Cost of one scan in seconds: wall-clock time and processor time."""

    clock: float
    processor: float

    def __str__(self) -> str:
        return f"{1e3 * self.clock:.1f} ms (processor {1e3 * self.processor:.1f} ms)"


def program(name: str, *arguments: Path) -> list[float]:
    """Run a program of this folder; return the numbers in its last line."""
    command = [sys.executable, str(HERE / name), *map(str, arguments)]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return [float(word) for word in output.splitlines()[-1].split()]


def tesseract(folder: Path, number: int = 20) -> str:
    """Return the time of Tesseract per scan, or "not installed"."""
    if shutil.which("tesseract") is None:
        return "not installed"
    began = time.perf_counter()
    for path in sorted(folder.iterdir())[:number]:
        command = ["tesseract", str(path), "-", "--psm", "10", "-c", "tessedit_char_whitelist=0123456789"]
        subprocess.run(command, capture_output=True, check=True)
    return f"{1e3 * (time.perf_counter() - began) / number:.1f} ms"


def throughput(folder: Path, base: Path) -> tuple[Cost, float]:
    """Return the cost of a scan while many wait, from the twentieth row on, and the number of busy cores."""
    service.settings(base)
    number = len([shutil.copy(path, base / "inbox") for path in sorted(folder.iterdir())])
    os.sync()
    with service.running(base) as pid:
        rows = service.Rows(base)
        service.until(lambda: rows() >= 20)
        clock, processor, first = time.perf_counter(), service.processor(pid), rows()
        service.until(lambda: rows() >= number, pause=0.05)
        clock, processor = time.perf_counter() - clock, service.processor(pid) - processor
    return Cost(clock / (number - first), processor / (number - first)), processor / clock


def latency(folder: Path, base: Path, number: int = 100) -> list[float]:
    """Return the sorted seconds from the writer's close to the row, one scan at a time on an idle daemon."""
    times = []
    with service.running(base) as pid:
        service.until(lambda: len(service.group(pid)) >= CORES + 3)
        rows = service.Rows(base)
        for index, path in enumerate(sorted(folder.iterdir())[: number + 5]):
            data = path.read_bytes()
            (base / "inbox" / path.name).write_bytes(data)
            closed = time.perf_counter()
            times.append(service.until(lambda wanted=index: rows() > wanted) - closed)
            time.sleep(0.02)
    return sorted(times[5:])


def start(base: Path) -> float:
    """Return the seconds from exec to the first row with one scan waiting."""
    scans.write(base / "inbox", 1)
    began = time.perf_counter()
    with service.running(base):
        rows = service.Rows(base)
        return service.until(lambda: rows() > 0) - began


def command(*arguments: str | Path) -> float:
    """Return the duration of a command in seconds."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "-m", "digitwatch", *map(str, arguments)], capture_output=True, check=True)
    return time.perf_counter() - began


def at_rest(base: Path, seconds: float) -> tuple[float, float, float]:
    """Return MB, percent of a core, and wake-ups per second of an idle daemon with one worker."""
    scans.write(base / "inbox", 20)
    with service.running(base, workers=1) as pid:
        rows = service.Rows(base)
        service.until(lambda: rows() >= 20)
        time.sleep(3)
        used, woken = service.processor(pid), service.wakes(pid)
        time.sleep(seconds)
        used, woken = service.processor(pid) - used, service.wakes(pid) - woken
        return service.memory(pid), 100 * used / seconds, woken / seconds


def first_row(folder: Path, base: Path, number: int) -> float:
    """Return the seconds from exec to the first row with `number` scans waiting."""
    service.settings(base)
    paths = sorted(folder.iterdir())
    for index in range(number):  # links, since only the number matters
        os.link(paths[index % len(paths)], base / "inbox" / f"{index:07}.png")
    os.sync()  # so that pending writes are not measured
    began = time.perf_counter()
    with service.running(base):
        rows = service.Rows(base)
        return service.until(lambda: rows() > 0) - began


def long_log(base: Path, number: int) -> None:
    """Write a log with `number` rows."""
    with service.running(base):  # which writes the header
        scans.write(base / "inbox", 1)
        rows = service.Rows(base)
        service.until(lambda: rows() > 0)
    log = base / "predictions.csv"
    row = log.read_bytes().splitlines(keepends=True)[1]
    with log.open("ab") as file:
        for _ in range(number // 1000):
            file.write(row * 1000)


def speed(options: argparse.Namespace, base: Path) -> Iterator[Row]:
    """Yield the cost of one scan, with digitwatch and with other programs."""
    scans.write(base / "scans", options.scans)
    scans.write(base / "few", options.rivals)
    few = base / "few"
    before = Cost(*program("rival_script.py", few, base / "out"))
    ground = Cost(*program("floor.py", base / "few", base / "floor"))
    ours, busy = throughput(base / "scans", base / "ours")
    after = Cost(*program("rival_script.py", few, base / "out"))
    script = Cost((before.clock + after.clock) / 2, (before.processor + after.processor) / 2)
    yield Row("the usual script (a), one scan", str(script))
    yield Row("the same behind watchdog (b), one scan", str(Cost(*program("rival_watch.py", few, base / "rival"))))
    yield Row("Tesseract (c), one scan", tesseract(few))
    yield Row(f"digitwatch, one of {options.scans} scans that wait", str(ours))
    yield Row("cores busy meanwhile", f"{busy:.2f} of {CORES}", "1.8")
    yield Row("faster than (a) on the clock", f"{script.clock / ours.clock:.0f} times", "30 times")
    yield Row(
        "faster than (a), by processor time, two cores against its one",
        f"{CORES * script.processor / ours.processor:.0f} times",
    )
    yield Row("the floor: decode, infer, encode, sync in a bare loop, one scan", str(ground))
    yield Row("digitwatch's processor time, in floors", f"{ours.processor / ground.processor:.2f}", "1.5")


def waiting(options: argparse.Namespace, base: Path) -> Iterator[Row]:
    """Yield the latencies that a person notices."""
    few = base / "few"
    times = latency(few, base / "latency", options.rivals)
    yield Row("close to row, median", f"{1e3 * statistics.median(times):.0f} ms", "150 ms")
    yield Row("close to row, 99th percentile", f"{1e3 * times[int(0.99 * len(times))]:.0f} ms", "400 ms")
    starts = [start(base / f"start-{index}") for index in range(5)]
    yield Row("exec to first row, median of 5", f"{statistics.median(starts):.2f} s", "1.0 s")
    yield Row("`--help`, median of 5", f"{statistics.median(command('--help') for _ in range(5)):.2f} s", "0.25 s")
    scans.write(base / "one", 1)
    config = service.settings(base / "batch")
    times = [command("-c", config, "--batch", base / "one", "--out", base / f"one-{index}") for index in range(5)]
    yield Row("one image with `--batch`, median of 5", f"{statistics.median(times):.2f} s", "1.5 s")


def size(options: argparse.Namespace, base: Path) -> Iterator[Row]:
    """Yield memory and times that must not grow with inbox, log or page count."""
    rest = at_rest(base / "rest", options.idle)
    yield Row("memory (PSS), daemon and one worker, after 20 scans", f"{rest[0]:.0f} MB", "220 MB")
    yield Row(
        f"at rest for {options.idle:.0f} s", f"{rest[1]:.3f} % of a core, {rest[2]:.1f} wake-ups a second", "0.1 %, 5"
    )
    for number in (100, options.backlog):
        first = first_row(base / "scans", base / f"backlog-{number}", number)
        yield Row(f"{number:,} waiting at the start: exec to the first row", f"{first:.2f} s", "2 s")
    grown = growth.growth(base / "scans", base / "growth", options.backlog)
    value = f"{1e3 * grown.few:.1f} ms and {1e3 * grown.many:.1f} ms of processor; median ratio {grown.ratio:.2f}"
    yield Row(f"one scan with {growth.FEW} and with {options.backlog:,} waiting", value, "0.9 to 1.1")
    for read, held in soak.soak(base / "scans", base / "soak", options.soak):
        yield Row(f"memory (PSS), daemon and two workers, after {read:,} scans", f"{sum(held.values()):.0f} MB", "flat")
    long_log(base / "long", options.log)
    times = latency(base / "few", base / "long", 30)
    yield Row(f"close to row with {options.log:,} rows in the log, median", f"{1e3 * statistics.median(times):.0f} ms")
    scans.write_photo(base / "photo.jpg")
    cv2.imwrite(str(base / "sheet.png"), scans.sheet())
    scans.write_tiff(base / "5.tif", 5)
    scans.write_tiff(base / "50.tif", 50)
    photo, page = (program("large.py", base / name) for name in ("photo.jpg", "sheet.png"))
    yield Row("a photograph of 12 megapixels", str(Cost(*photo[:2])), "400 ms")
    yield Row(f"an A4 page at 600 dpi with 1,000 digits ({page[3]:.0f} read)", str(Cost(*page[:2])), "4 s")
    few, many = (program("large.py", base / name)[2] for name in ("5.tif", "50.tif"))
    yield Row("memory for a TIFF of 5 pages, and of 50", f"{few:.0f} MB, {many:.0f} MB", "the same")


def machine(began: list[int]) -> str:
    """Return a description of the machine and of its load."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    spent = [now - then for now, then in zip(_spent(), began, strict=True)]
    return (
        f"{os.cpu_count()} cores of {model}, Linux {platform.release()}, Python {platform.python_version()}; "
        f"{100 * spent[7] / sum(spent[:8]):.0f} % of the processor was taken by the host, load "
        f"{os.getloadavg()[2]:.1f}; {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    )


def _spent() -> list[int]:
    return [int(word) for word in Path("/proc/stat").read_text().splitlines()[0].split()[1:]]


def main() -> None:
    """Measure, print and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    defaults = {"scans": 2000, "rivals": 60, "backlog": 100_000, "log": 10_000_000, "idle": 600, "soak": 50_000}
    for name, default in defaults.items():
        parser.add_argument(f"--{name}", type=int, default=default, help=f"default: {default}")
    options = parser.parse_args()
    began = _spent()
    lines = ["| what | measured | goal |", "|---|---|---|"]
    with tempfile.TemporaryDirectory() as folder:
        for part in (speed, waiting, size):
            for row in part(options, Path(folder)):
                lines.append(f"| {row.what} | {row.value} | {row.goal} |")
                print(lines[-1], flush=True)
    given = " ".join(f"--{name} {getattr(options, name)}" for name in defaults)
    head = f"Written by `python benchmarks/run.py {given}` on\n{machine(began)}. Input: {scans.source()}."
    text = f"# Benchmarks\n\n{head}\n\n"
    (HERE / "README.md").write_text(text + "\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
