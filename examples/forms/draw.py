"""Draws the worked example: a blank meter card, and ten cards filled by a program.

    python examples/forms/draw.py

writes meter-card.png (the example of the template meter-card.yaml), scans/card-01.jpg to card-10.jpg, and
truth.csv with what stands in their fields. Digits are strokes with random slant, width and place.
"""

import csv
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

HERE = Path(__file__).parent
MM = 6.0  # pixels per millimetre
SIZE = (148, 105)  # millimetres: A6, landscape
FIELDS = {
    "meter": (50, 28, 54, 11, 6),
    "day": (50, 46, 27, 11, 3),
    "night": (50, 62, 27, 11, 3),
    "total": (50, 78, 36, 11, 4),
}
# strokes of each digit in a box from 0 to 1
STROKES = {
    "0": [[(0.5, 0), (0.1, 0.3), (0.1, 0.7), (0.5, 1), (0.9, 0.7), (0.9, 0.3), (0.5, 0)]],
    "1": [[(0.25, 0.25), (0.55, 0), (0.55, 1)]],
    "2": [[(0.1, 0.25), (0.35, 0), (0.75, 0.05), (0.85, 0.3), (0.5, 0.65), (0.1, 1), (0.9, 1)]],
    "3": [
        [(0.15, 0.1), (0.5, 0), (0.85, 0.2), (0.75, 0.42), (0.4, 0.48), (0.85, 0.62), (0.8, 0.9), (0.45, 1), (0.1, 0.9)]
    ],
    "4": [[(0.6, 0), (0.1, 0.65), (0.95, 0.65)], [(0.65, 0.35), (0.62, 1)]],
    "5": [[(0.85, 0), (0.25, 0), (0.18, 0.45), (0.55, 0.4), (0.88, 0.65), (0.7, 0.95), (0.35, 1), (0.1, 0.9)]],
    "6": [[(0.75, 0), (0.3, 0.35), (0.12, 0.7), (0.4, 1), (0.8, 0.88), (0.8, 0.62), (0.45, 0.52), (0.16, 0.72)]],
    "7": [[(0.1, 0.02), (0.9, 0.02), (0.4, 1)]],
    "8": [
        [
            (0.5, 0.47),
            (0.15, 0.25),
            (0.5, 0),
            (0.83, 0.22),
            (0.5, 0.47),
            (0.12, 0.75),
            (0.5, 1),
            (0.88, 0.75),
            (0.5, 0.47),
        ]
    ],
    "9": [[(0.85, 0.3), (0.5, 0.5), (0.15, 0.3), (0.45, 0), (0.85, 0.15), (0.82, 0.55), (0.6, 1)]],
}


def blank() -> np.ndarray:
    """Return the blank card."""
    page = np.full((round(SIZE[1] * MM), round(SIZE[0] * MM)), 255, np.uint8)
    _write(page, "METER CARD", (10, 15), 1.3, 3)
    _write(page, "Form 7-A   please write clearly", (78, 15), 0.55, 1)
    for name, (left, top, width, height, count) in FIELDS.items():
        _write(
            page,
            {"meter": "Meter no.", "day": "Day kWh", "night": "Night kWh", "total": "Total kWh"}[name],
            (10, top + 8),
            0.9,
            2,
        )
        for k in range(count):
            x = left + k * width / count
            cv2.rectangle(page, _px(x, top), _px(x + width / count, top + height), 60, 2)
    cv2.rectangle(page, _px(4, 4), _px(SIZE[0] - 4, SIZE[1] - 4), 60, 2)
    return page


def _px(x: float, y: float) -> tuple[int, int]:
    return round(x * MM), round(y * MM)


def _write(page: np.ndarray, text: str, at: tuple[float, float], size: float, thick: int) -> None:
    cv2.putText(page, text, _px(*at), cv2.FONT_HERSHEY_SIMPLEX, size, 40, thick, cv2.LINE_AA)


def digit(page: np.ndarray, text: str, box: tuple[float, float, float, float], rng: np.random.Generator) -> None:
    """Write a digit into a box (left, top, width, height in millimetres) by hand."""
    width, height = box[2] * rng.uniform(0.45, 0.6), box[3] * rng.uniform(0.6, 0.75)
    left, top = box[0] + rng.uniform(0.2, 0.35) * box[2], box[1] + rng.uniform(0.12, 0.25) * box[3]
    slant = rng.uniform(-0.05, 0.2)
    for stroke in STROKES[text]:
        points = np.array(stroke, float) + rng.normal(0, 0.025, (len(stroke), 2))
        smooth = [points[0]]
        for a, b in pairwise(points):
            smooth += [a + (b - a) * t for t in (0.33, 0.66, 1.0)]
        line = np.array(smooth)
        line = np.vstack([line[:1], (line[:-2] + line[1:-1] + line[2:]) / 3, line[-1:]])
        x = left + width * (line[:, 0] + slant * (1 - line[:, 1]))
        y = top + height * line[:, 1]
        pixels = np.stack([x, y], axis=1) * MM * 8
        cv2.polylines(page, [pixels.round().astype(np.int32)], False, 50, int(rng.integers(3, 6)), cv2.LINE_AA, 3)


def filled(values: dict[str, str], rng: np.random.Generator) -> np.ndarray:
    """Return a scan of a filled card: a little turned, scaled, shifted and noisy."""
    page = blank()
    for name, text in values.items():
        left, top, width, height, count = FIELDS[name]
        for k, each in enumerate(text.rjust(count)):
            if each != " ":
                digit(page, each, (left + k * width / count, top, width / count, height), rng)
    size = page.shape[1], page.shape[0]
    matrix = cv2.getRotationMatrix2D((size[0] / 2, size[1] / 2), rng.uniform(-3, 3), rng.uniform(0.94, 1.03))
    matrix[:, 2] += rng.uniform(-12, 12, 2)
    scan = cv2.warpAffine(page, matrix, size, borderValue=255).astype(np.float32) * 0.96
    return np.clip(cv2.GaussianBlur(scan, (0, 0), 0.6) + rng.normal(0, 4, scan.shape), 0, 255).astype(np.uint8)


def main() -> None:
    """Write the files."""
    rng = np.random.default_rng(7)
    (HERE / "scans").mkdir(exist_ok=True)
    cv2.imwrite(str(HERE / "meter-card.png"), blank())
    with (HERE / "truth.csv").open("w", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["file", *FIELDS])
        for number in range(1, 11):
            day, night = int(rng.integers(100, 999)), int(rng.integers(100, 999))
            values = {"meter": f"{rng.integers(100_000, 999_999)}", "day": f"{day}", "night": f"{night}"}
            values["total"] = f"{day + night + (1 if number == 10 else 0)}"  # the last card is added up wrongly
            name = f"card-{number:02}.jpg"
            cv2.imwrite(str(HERE / "scans" / name), filled(values, rng), [cv2.IMWRITE_JPEG_QUALITY, 80])
            rows.writerow([name, *values.values()])


if __name__ == "__main__":
    main()
