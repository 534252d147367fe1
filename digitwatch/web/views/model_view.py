"""Read one page again and print what the model saw of each digit; a process for one scan.

    python -m digitwatch.web.views.model_view MODEL PIXELS PAGE < SCAN

It prints JSON: for each digit its text, its image and the probability of every class. Scans are untrusted, so
they are decoded in a process with limits of time and memory.
"""

import base64
import contextlib
import itertools
import json
import os
import resource
import sys
from typing import Any

MEMORY = 4 << 30  # bytes of address space
PROCESSOR_SECONDS = 20
WIDEST = 1400  # pixels of the page as it is shown


def main(model: str, pixels: int, number: int) -> dict[str, Any]:
    """Read page `number` of the scan on standard input; return what is to be printed."""
    import cv2  # noqa: PLC0415 (loaded within the limits)

    from digitwatch.recognition.image.decode import ImageError  # noqa: PLC0415
    from digitwatch.recognition.reader import Reader  # noqa: PLC0415

    cv2.setNumThreads(1)
    reader = Reader(model, max_pixels=pixels)
    try:
        pages = reader.read_pages(sys.stdin.buffer.read())
        page, reading = next(itertools.islice(pages, number - 1, None))
    except (ImageError, StopIteration):
        return {"trouble": "the scan cannot be decoded"}
    digits = [
        {
            "text": digit.text,
            "glyph": _png(255 - digit.glyph if digit.glyph.ndim == 2 else digit.glyph[..., ::-1]),
            "probabilities": [round(float(value), 4) for value in digit.probabilities],
        }
        for digit in reading.digits
    ]
    return {"model": reader.model, "labels": list(reader.labels), "digits": digits, "page": _jpeg(page.image)}


def _png(image: Any) -> str:
    import cv2  # noqa: PLC0415

    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()


def _jpeg(image: Any) -> str:
    import cv2  # noqa: PLC0415

    scale = min(1.0, WIDEST / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    made = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return "data:image/jpeg;base64," + base64.b64encode(made.tobytes()).decode()


if __name__ == "__main__":
    with contextlib.suppress(OSError):  # systemd's filter of calls may forbid it
        os.nice(10)
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        os.environ[name] = "1"
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (PROCESSOR_SECONDS, PROCESSOR_SECONDS))
    json.dump(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])), sys.stdout)
