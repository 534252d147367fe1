"""Where a scan's milliseconds go: the processor time of each step of reading, drawing and publishing, step by step.

    python benchmarks/stages.py [FILE...]

Without files, 200 scans of one digit are made. Each step's time is its own: what another step in it takes is not
counted twice. The median over all scans is printed, so that what the host takes now and then does not show.
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

from digitwatch.recognition import hypotheses, page_reader, reader
from digitwatch.recognition.annotation import render
from digitwatch.recognition.decoding import candidate, line_decoder
from digitwatch.recognition.image import decode as images
from digitwatch.recognition.networks import line_recognizer
from digitwatch.workers import task
from digitwatch.workers.messages import Job, WorkerConfig

STEPS: list[tuple[str, Any, str]] = [
    ("decode", reader, "decode"),
    ("ink", hypotheses, "find_ink"),
    ("lines and boxes", hypotheses, "without_printed_lines"),
    ("pieces", page_reader, "find_rows"),
    ("28x28 pictures", candidate, "normalise"),
    ("28x28 pictures", line_decoder, "augmented"),
    ("network", reader.DigitClassifier, "__call__"),
    ("line network", line_recognizer.LineRecognizer, "__call__"),
    ("rows as a whole", line_decoder, "_best_text"),
    ("rows as a whole", line_decoder, "alternatives"),
    ("rest of reading", reader.Reader, "_read"),
    ("the page in the picture", render, "_marked"),
    ("PNG", render, "png"),
    ("rest of drawing", task, "annotate"),
    ("file, claim and syncs", task, "_read_durably"),
    ("publishing and syncs", task, "publish"),
    ("rest of the worker", task, "perform"),
]


class Meter:
    """Adds up what each step takes by itself, for one scan after the other."""

    def __init__(self) -> None:
        self.scans: list[dict[str, float]] = []
        self._inner = [0.0]  # seconds that steps within the present one took, one entry for each step that is open
        images.decode = _whole(images.decode)
        reader.decode = images.decode
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


def _whole(decode: Callable[..., Any]) -> Callable[..., Any]:
    """Decode all pages at once, not when they are asked for: a step is to have a beginning and an end."""
    return lambda *given: iter(list(decode(*given)))


def main() -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder)
        files = [Path(name).resolve() for name in sys.argv[1:]]
        if not files:
            scans.write(base / "scans", 200)
            files = sorted((base / "scans").iterdir())
        equipment = WorkerConfig("cnn", None, 200_000_000, 4 << 30)
        cv2.setNumThreads(1)
        task._reader = reader.Reader()
        meter = Meter()
        for number, file in enumerate(files[:5] + files):
            meter.scans.append(defaultdict(float))
            task.perform(Job(f"{number}", file.name, file, base / "out", claimed=False), equipment)
    measured = meter.scans[5:]
    names = dict.fromkeys(name for name, _, _ in STEPS)
    medians = {name: 1e3 * statistics.median(scan[name] for scan in measured) for name in names}
    for name, milliseconds in medians.items():
        print(f"{milliseconds:8.2f} ms  {name}")
    print(f"{sum(medians.values()):8.2f} ms  in all ({len(measured)} scans)")


if __name__ == "__main__":
    main()
