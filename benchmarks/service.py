"""A daemon to measure: its folders, rows, processor time and memory."""

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def settings(base: Path, workers: int = 2) -> Path:
    """Write a configuration below `base`; return its path."""
    (base / "inbox").mkdir(parents=True, exist_ok=True)
    folders = "".join(f"{name}: {name}\n" for name in ("inbox", "outbox", "archive", "failed"))
    config = base / "config.yaml"
    config.write_text(f"{folders}predictions: predictions.csv\nmin_free: 0\nlog_level: warning\nworkers: {workers}\n")
    return config


@contextmanager
def running(base: Path, workers: int = 2) -> Iterator[int]:
    """Run digitwatch on `base` inside a `with` block; yield its pid, which leads a process group."""
    command = [sys.executable, "-m", "digitwatch", "-c", str(settings(base, workers))]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        yield process.pid
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)


def until(condition: Callable[[], object], limit: float = 900, pause: float = 0.001) -> float:
    """Wait for a condition; return the time at which it held."""
    end = time.perf_counter() + limit
    while not condition():
        if time.perf_counter() > end:
            raise TimeoutError(f"the condition did not hold within {limit} s")
        time.sleep(pause)
    return time.perf_counter()


class Rows:
    """Counts the rows of a log, reading what was added since the last time."""

    def __init__(self, base: Path, known: int = 0) -> None:
        """Begin at the end of the log as it is."""
        self._path = base / "predictions.csv"
        self._at = self._path.stat().st_size if self._path.exists() else 0
        self._number = known if self._at else -1  # the header is no row

    def __call__(self) -> int:
        """Return the number of rows."""
        if self._path.exists():
            with self._path.open("rb") as file:
                file.seek(self._at)
                data = file.read()
            self._at += len(data)
            self._number += data.count(b"\n")
        return max(0, self._number)


def group(leader: int) -> list[int]:
    """Return the processes of a daemon."""
    found = subprocess.run(["pgrep", "-g", str(leader)], capture_output=True, text=True, check=True)
    return [int(pid) for pid in found.stdout.split()]


def processor(leader: int) -> float:
    """Return the processor seconds used by a daemon and its processes, to the nanosecond."""
    paths = (path for pid in group(leader) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(int(path.read_text().split()[0]) for path in paths) / 1e9


def memory(leader: int) -> float:
    """Return the proportional set size in MB of a daemon and its processes."""
    return sum(map(memory_of, group(leader)))


def memory_of(pid: int) -> float:
    """Return the proportional set size in MB of one process."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e3


def wakes(leader: int) -> int:
    """Return the number of context switches of all threads of a daemon and its processes."""
    lines = [
        line
        for pid in group(leader)
        for path in Path(f"/proc/{pid}/task").glob("*/status")
        for line in path.read_text().splitlines()
    ]
    return sum(int(line.split()[1]) for line in lines if "ctxt_switches" in line)
