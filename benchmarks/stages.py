"""Processor time of one scan by step: decoding, reading, drawing and publishing.

    python benchmarks/stages.py [FILE...]

Without files, 200 scans are taken as benchmarks/scans.py writes them. The time of a step excludes that of the steps
inside it. Both the median and the mean over all scans are printed: the median is robust against what else runs, the
mean shows what a few hard pages cost. The first WARM_UP scans are read once more before and not counted.
"""

import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import scans

from digitwatch.recognition import page_reader, reader
from digitwatch.recognition.annotation import render
from digitwatch.recognition.decoding import candidate, line_decoder
from digitwatch.recognition.foreground import page_ink
from digitwatch.recognition.image import decode
from digitwatch.recognition.networks import line_recognizer
from digitwatch.workers import task
from digitwatch.workers.messages import Job, WorkerConfig

WARM_UP = 5  # scans
STEPS: list[tuple[str, Any, str]] = [
    ("decode", reader, "decode"),
    ("ink", page_ink, "find_ink"),
    ("foreground network", page_ink, "writing_mask"),
    ("pieces", page_reader, "find_rows"),
    ("28x28 pictures", candidate, "normalise"),
    ("28x28 pictures", line_decoder, "augmented"),
    ("network", reader.DigitClassifier, "__call__"),
    ("line network", line_recognizer.LineRecognizer, "__call__"),
    ("rows as a whole", line_decoder, "_best_text"),
    ("rows as a whole", line_decoder, "alternatives"),
    ("rest of reading", reader.Reader, "_read"),
    ("the page in the picture", render, "marked"),
    ("PNG", render, "png"),
    ("rest of drawing", task, "annotate"),
    ("file, claim and syncs", task, "_read_durably"),
    ("publishing and syncs", task, "publish"),
    ("rest of the worker", task, "perform"),
]


class Meter:
    """Adds up the processor time of each step, for one scan after the other."""

    def __init__(self) -> None:
        self.scans: list[dict[str, float]] = []
        self._inner = [0.0]  # seconds of the steps inside each open step
        decode.decode = _all_pages(decode.decode)
        reader.decode = decode.decode
        for name, home, attribute in STEPS:
            setattr(home, attribute, self._timed(name, getattr(home, attribute)))

    def _timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*given: Any, **named: Any) -> Any:
            self._inner.append(0.0)
            began = time.thread_time()
            try:
                return function(*given, **named)
            finally:
                took = time.thread_time() - began
                self.scans[-1][name] += took - self._inner.pop()
                self._inner[-1] += took

        return call


def _all_pages(decode: Callable[..., Any]) -> Callable[..., Any]:
    """Decode all pages at once instead of one by one, so that the step can be timed."""
    return lambda *given: iter(list(decode(*given)))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        files = [Path(name).resolve() for name in sys.argv[1:]]
        if not files:
            scans.write(base / "scans", 200)
            files = sorted((base / "scans").iterdir())
        config = WorkerConfig("cnn", None, 200_000_000, 4 << 30)
        cv2.setNumThreads(1)
        task._loaded[config] = task._Loaded(reader.Reader(), None, "")
        meter = Meter()
        warm_up = [files[number % len(files)] for number in range(WARM_UP)]
        for number, file in enumerate(warm_up + files):
            meter.scans.append(defaultdict(float))
            task.perform(Job(f"{number}", file.name, file, base / "out", claimed=False), config)
    measured = meter.scans[WARM_UP:]
    names = dict.fromkeys(name for name, _, _ in STEPS)
    print("  median    mean")
    for name in names:
        print(_line(name, [scan[name] for scan in measured]))
    print(_line(f"total of one scan ({len(measured)} scans)", [sum(scan.values()) for scan in measured]))


def _line(name: str, seconds: list[float]) -> str:
    return f"{1e3 * statistics.median(seconds):8.2f}{1e3 * statistics.mean(seconds):8.2f} ms  {name}"


if __name__ == "__main__":
    main()
