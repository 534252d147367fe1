"""Read one page again and print what the model saw of each digit; a process for one scan.

    python -m digitwatch.web.views.model_view MODEL PIXELS PAGE < SCAN

It prints JSON: for each digit its text, its image and the probability of every class; the page; and, where the
digits are a small part of it, an enlarged part with the doubtful digits framed. Scans are untrusted, so they are
decoded in a process with limits of time and memory.
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
AMBER = (0, 140, 240)  # blue, green, red


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
        return {"problem": "the scan cannot be decoded"}
    digits = [
        {
            "text": digit.text,
            "glyph": _png(255 - digit.glyph if digit.glyph.ndim == 2 else digit.glyph[..., ::-1]),
            "probabilities": [round(float(value), 4) for value in digit.probabilities],
        }
        for digit in reading.digits
    ]
    found = {"model": reader.model, "labels": list(reader.labels), "digits": digits, "page": _jpeg(page.image)}
    return found | _zoom(page.image, reading.digits)


def _zoom(image: Any, digits: Any) -> dict[str, Any]:
    """Return the enlarged part of a page as `zoom` and its place as `frame`, in parts of width and height."""
    import cv2  # noqa: PLC0415

    from digitwatch.web.views import zoom  # noqa: PLC0415

    height, width = image.shape[:2]
    boxes = [(digit.box.left, digit.box.top, digit.box.width, digit.box.height) for digit in digits]
    part = zoom.part([zoom.Box(*box) for box in boxes], [float(digit.probability) for digit in digits], width, height)
    if part is None:
        return {"zoom": None, "frame": None}
    scale = zoom.scale(part)
    cut = image[part.top : part.top + part.height, part.left : part.left + part.width]
    big = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if big.ndim == 2:
        big = cv2.cvtColor(big, cv2.COLOR_GRAY2BGR)
    for k in zoom.doubtful([float(digit.probability) for digit in digits]):
        left, top, right, bottom = zoom.outline(zoom.Box(*boxes[k]), part, scale)
        cv2.rectangle(big, (left, top), (right, bottom), AMBER, 2)
    frame = [part.left / width, part.top / height, part.width / width, part.height / height]
    return {"zoom": _jpeg(big), "frame": [round(value, 4) for value in frame]}


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
