"""A real daemon in a real process on real folders, for the tests that need one."""

import csv
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np

DEADLINE = 60.0  # seconds; generous, since the machine may be busy


def until(condition: Callable[[], object], what: str, deadline: float = DEADLINE) -> None:
    """Poll until a condition holds; fail with `what` when it does not come true in time."""
    end = time.monotonic() + deadline
    while not condition():
        assert time.monotonic() < end, f"waited {deadline:g} s in vain: {what}"
        time.sleep(0.02)


def scan(text: str = "7", ending: str = ".png") -> bytes:
    """Draw digits on paper; return the bytes of the image file."""
    page = np.full((120, 60 + 60 * len(text)), 240, np.uint8)
    cv2.putText(page, text, (30, 90), cv2.FONT_HERSHEY_SIMPLEX, 2.5, 20, 6, cv2.LINE_AA)
    return cv2.imencode(ending, page)[1].tobytes()


class Service:
    """A daemon below `base`; leaving the `with` block kills what is left of it."""

    def __init__(self, base: Path, settings: str = "") -> None:
        """Write the configuration; `start` starts the process."""
        self.base = base
        self.config = base / "config.yaml"
        self.config.write_text(
            "inbox: inbox\noutbox: outbox\narchive: archive\nfailed: failed\npredictions: predictions.csv\n"
            f"model: dense\nworkers: 2\nmin_free: 0\nsettle: 0.3\nrescan: 1\n{settings}"
        )
        self.inbox = base / "inbox"
        self.inbox.mkdir(exist_ok=True)
        self.output = base / "output.txt"
        self.process: subprocess.Popen[bytes] | None = None
        self._starts = True

    @classmethod
    def at(cls, base: Path) -> "Service":
        """Return a service that reads the files below `base` and starts nothing."""
        service = cls.__new__(cls)
        service.base, service.inbox = base, base / "inbox"
        return service

    def __enter__(self) -> "Service":
        """Start the daemon and wait until it watches."""
        if self._starts:
            self.start()
        return self

    def unstarted(self) -> "Service":
        """Make `with` start nothing: the test starts the daemon in its own way."""
        self._starts = False
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Kill the daemon; show its lines when the test failed."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        if error is not None:
            print(self.lines())

    def start(self, ready: bool = True, prefix: Sequence[str] = ()) -> None:
        """Start the process, with another command in front of it if need be; wait until it watches."""
        before = self.lines().count("watching ")
        with self.output.open("ab") as output:
            self.process = subprocess.Popen([*prefix, *self.command()], stdout=output, stderr=output)
        if ready:
            until(lambda: self.lines().count("watching ") > before or self.ended(), "the daemon is ready")
            assert not self.ended(), self.lines()

    def command(self) -> list[str]:
        """Return the command line of the daemon."""
        return [sys.executable, "-m", "digitwatch", "-c", str(self.config)]

    def ended(self) -> bool:
        """Return whether the process has ended."""
        assert self.process is not None
        return self.process.poll() is not None

    def signal(self, number: int) -> None:
        """Send a signal to the daemon."""
        assert self.process is not None
        self.process.send_signal(number)

    def stop(self) -> int:
        """Stop with SIGTERM; return the exit code."""
        self.signal(signal.SIGTERM)
        assert self.process is not None
        return self.process.wait(DEADLINE)

    def kill(self) -> None:
        """Pull the plug."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def lines(self) -> str:
        """Return the output of the daemon so far."""
        return self.output.read_text(errors="replace") if self.output.exists() else ""

    def rows(self) -> list[dict[str, str]]:
        """Return the rows of the log."""
        try:
            with (self.base / "predictions.csv").open(newline="", encoding="utf-8") as file:
                return [row for row in csv.DictReader(file) if row.get("elapsed_ms")]
        except FileNotFoundError:
            return []

    def files(self, folder: str) -> list[Path]:
        """Return all files below one of the daemon's folders."""
        return sorted(Path(top, name) for top, _, names in os.walk(self.base / folder) for name in names)

    def await_rows(self, number: int, left: Sequence[str] = ()) -> list[dict[str, str]]:
        """Wait for a number of rows, and for all originals but those of `left` to have left the inbox."""
        until(lambda: len(self.rows()) >= number, f"{number} rows")
        until(lambda: [p.name for p in self.files("inbox")] == list(left), "an empty inbox")
        return self.rows()


class Small(Service):
    """The daemon without the reader: see small_daemon."""

    def command(self) -> list[str]:
        """Return the command line of the small daemon."""
        return [sys.executable, str(Path(__file__).with_name("small_daemon.py")), str(self.base)]
