"""Progress of a batch on standard error: a bar on a terminal, else a line from time to time."""

import contextlib
import sys
import time
from collections.abc import Callable, Iterator
from typing import TextIO

EVERY_S = 30.0  # seconds between two lines


@contextlib.contextmanager
def progress(total: int, *, is_quiet: bool) -> Iterator[Callable[[], None]]:
    """Give a function to call after each of `total` scans."""
    if is_quiet:
        yield lambda: None
    elif sys.stderr.isatty():
        from tqdm import tqdm  # noqa: PLC0415 (not needed to watch)

        with tqdm(total=total, unit="scan") as bar:
            yield lambda: bar.update() and None
    else:
        yield Lines(total, time.monotonic, sys.stderr).step


class Lines:
    """Writes a line of progress every EVERY_S seconds."""

    def __init__(self, total: int, clock: Callable[[], float], output: TextIO) -> None:
        """Begin with nothing done."""
        self._total, self._clock, self._output = total, clock, output
        self._begun = self._last = clock()
        self._done = 0

    def step(self) -> None:
        """Count a scan; write a line if it is time."""
        self._done += 1
        now = self._clock()
        if now - self._last < EVERY_S or self._done == self._total:
            return
        self._last = now
        rate = self._done / (now - self._begun)
        left = (self._total - self._done) / rate
        text = f"{self._done} of {self._total} scans read, {rate:.1f} a second, about {_duration(left)} left"
        print(text, file=self._output, flush=True)


def _duration(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60} min" if minutes >= 60 else f"{minutes} min" if minutes else "a minute"
