"""Lower bound of the cost of a scan: decode, infer, encode and sync in a bare loop over the same scans.

The inference is that of digitwatch for a page with one certain digit: one image, then three for test-time augmentation.
The encoded image has the size of an annotated one. Prints the seconds per scan: wall-clock time and processor time.
"""

import os
import sys
import time
from pathlib import Path

import cv2
import numpy as np

from digitwatch.recognition.annotation.palette import png
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.reader import locate


def one(path: Path, model: DigitClassifier, sheet: np.ndarray, out: Path, log: int) -> None:
    """Process one scan."""
    with path.open("rb") as file:
        page = cv2.imdecode(np.frombuffer(file.read(), np.uint8), cv2.IMREAD_GRAYSCALE)
        os.fsync(file.fileno())
    picture = 255 - cv2.resize(page, (28, 28), interpolation=cv2.INTER_AREA)
    answer = model(picture[None])
    model(np.stack([picture] * 3))
    height, width = page.shape
    sheet[88 : 88 + min(height, 300), 40 : 40 + min(width, 300)] = page[:300, :300] // 2
    target = out / f"{path.name}.png"
    with target.open("wb") as file:
        file.write(png(sheet))
        file.flush()
        os.fsync(file.fileno())
    os.write(log, f"{path.name},{int(answer.argmax())}\n".encode())
    os.fdatasync(log)


def main() -> None:
    """Process the folder once and print the cost."""
    source, out = map(Path, sys.argv[1:3])
    out.mkdir(exist_ok=True)
    cv2.setNumThreads(1)
    model = DigitClassifier.load(locate("cnn"))
    log = os.open(out / "log.csv", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    sheet = np.full((404, 652), 175, np.uint8)
    paths = sorted(source.iterdir())
    one(paths[0], model, sheet, out, log)  # warm up
    clock, processor = time.perf_counter(), time.process_time()
    for path in paths:
        one(path, model, sheet, out, log)
    print((time.perf_counter() - clock) / len(paths), (time.process_time() - processor) / len(paths))


if __name__ == "__main__":
    main()
