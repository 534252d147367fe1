"""Reads and draws one large scan; prints seconds, processor seconds, peak memory in MB and the number of digits.

python benchmarks/large.py FILE
"""

import resource
import sys
import time
from pathlib import Path

import cv2

from digitwatch.recognition.annotation.render import annotate
from digitwatch.recognition.reader import Reader

cv2.setNumThreads(1)


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


def main() -> None:
    """Read the scan once, after a warm-up if it has one page."""
    reader, data = Reader(), Path(sys.argv[1]).read_bytes()
    if not sys.argv[1].endswith(".tif"):
        read(reader, data)
    clock, processor = time.perf_counter(), time.process_time()
    digits = read(reader, data)
    print(time.perf_counter() - clock, time.process_time() - processor, _peak(), digits)


def read(reader: Reader, data: bytes) -> int:
    """Read and draw all pages; return the number of digits."""
    digits = 0
    for page, reading in reader.read_pages(data):
        annotate(page, reading, "scan")
        digits += len(reading.digits)
    return digits


if __name__ == "__main__":
    main()
