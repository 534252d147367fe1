"""Registration of a drawn sheet of equal boxes without marks: scans (turned, scaled) and photographs (bent, lit).

    python benchmarks/form_sheets.py [COUNT]

prints how many sheets were registered with every box corner within 1 mm, how far off the others are, and the time.
"""

import sys
import time
from collections.abc import Callable

import cv2
import numpy as np

from digitwatch.forms import registration

MM = 8.0  # pixels per millimetre of the drawn sheet: 203 dpi
PAGE = (round(210 * MM), round(297 * MM))
COLUMNS, ROWS = 8, 12
BOX, PITCH, LEFT, TOP = (18.0, 12.0), (23.0, 21.0), 14.0, 24.0  # millimetres


def corners() -> np.ndarray:
    """Return (96, 4, 2) corners of the boxes in pixels of the sheet."""
    boxes = []
    for row in range(ROWS):
        for column in range(COLUMNS):
            x, y = LEFT + column * PITCH[0], TOP + row * PITCH[1]
            boxes.append([(x, y), (x + BOX[0], y), (x + BOX[0], y + BOX[1]), (x, y + BOX[1])])
    return np.array(boxes) * MM


def sheet(rng: np.random.Generator | None) -> np.ndarray:
    """Return the sheet, blank or with scribbles in its boxes."""
    page = np.full(PAGE[::-1], 250, np.uint8)
    for box in corners():
        cv2.rectangle(page, box[0].round().astype(int).tolist(), box[2].round().astype(int).tolist(), 30, 2)
        if rng is not None:
            for _ in range(int(rng.integers(0, 4))):
                at = box[0] + rng.uniform(0.1, 0.6, 2) * (box[2] - box[0])
                points = at + np.cumsum(rng.normal(0, 14, (6, 2)), axis=0)
                cv2.polylines(page, [points.astype(np.int32)], False, int(rng.integers(30, 110)), 4, cv2.LINE_AA)
    return page


def scan(page: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Return the sheet as a scanner gives it, and where its points lie then."""
    matrix = cv2.getRotationMatrix2D((PAGE[0] / 2, PAGE[1] / 2), rng.uniform(-5, 5), rng.uniform(0.9, 1.1))
    matrix[:, 2] += rng.uniform(-4, 4, 2) * MM
    out = cv2.warpAffine(page, matrix, PAGE, borderValue=252).astype(np.float32)
    out += rng.normal(0, rng.uniform(1, 8), out.shape)
    return np.clip(out, 0, 255).astype(np.uint8), lambda points: points @ matrix[:, :2].T + matrix[:, 2]


def photograph(page: np.ndarray, rng: np.random.Generator) -> tuple[np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Return the sheet as a phone sees it on a table: perspective, curl, light, blur and noise."""
    size = (1500, 2000)
    own = np.array([[0, 0], [PAGE[0], 0], PAGE, [0, PAGE[1]]], np.float32)
    room = np.array([[150, 150], [size[0] - 150, 150], [size[0] - 150, size[1] - 150], [150, size[1] - 150]])
    there = (room + rng.uniform(-110, 110, (4, 2))).astype(np.float32)
    perspective = cv2.getPerspectiveTransform(own, there)
    bend = rng.uniform(-2.5, 2.5, 2) * MM

    def curl(points: np.ndarray) -> np.ndarray:
        """Bend by a half wave along each side."""
        x, y = points[..., 0] / PAGE[0], points[..., 1] / PAGE[1]
        return np.stack(
            [points[..., 0] + bend[0] * np.sin(np.pi * y), points[..., 1] + bend[1] * np.sin(np.pi * x)], -1
        )

    def to_photo(points: np.ndarray) -> np.ndarray:
        return cv2.perspectiveTransform(curl(points)[None].astype(np.float64), perspective)[0]

    table = cv2.resize(rng.normal(90, 25, (60, 45)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    grid = np.stack(np.meshgrid(np.arange(size[0]), np.arange(size[1])), -1).reshape(-1, 2).astype(np.float64)
    flat = cv2.perspectiveTransform(grid[None], np.linalg.inv(perspective))[0]
    back = flat.copy()
    for _ in range(3):  # the inverse of the curl
        back = flat - (curl(back) - back)
    maps = back.reshape(size[1], size[0], 2).astype(np.float32)
    paper = cv2.remap(page, maps, None, cv2.INTER_AREA, borderValue=0).astype(np.float32)
    inside = cv2.remap(np.full_like(page, 255), maps, None, cv2.INTER_LINEAR, borderValue=0) > 127
    light = cv2.resize(rng.uniform(0.45, 1.0, (3, 3)).astype(np.float32), size, interpolation=cv2.INTER_CUBIC)
    out = np.where(inside, paper, table) * light
    out = cv2.GaussianBlur(out, (0, 0), rng.uniform(0.5, 1.4)) + rng.normal(0, rng.uniform(1, 6), out.shape)
    return np.clip(out, 0, 255).astype(np.uint8), to_photo


def main(count: int, kinds: tuple[Callable[..., object], ...] = (scan, photograph)) -> None:
    """Measure both kinds."""
    cv2.setNumThreads(1)
    template = registration.prepare_template(sheet(None), 297)
    own = corners().reshape(-1, 2)
    for kind in kinds:
        within, lost, off, seconds = 0, 0, [], []
        for number in range(count):
            rng = np.random.default_rng(number)
            page, to_page = kind(sheet(rng), rng)
            start = time.process_time()
            found = registration.register(template, registration.prepare_page(page))
            seconds.append(time.process_time() - start)
            if found is None:
                lost += 1
                print(f"{kind.__name__} {number}: not registered")
                continue
            expected = to_page(own)
            scale = np.linalg.norm(expected[0] - expected[-2]) / np.linalg.norm(own[0] - own[-2]) * MM
            at = found.mapping.to_page(own * (registration.WORK_PX / PAGE[1]))
            worst = float(np.linalg.norm(at - expected, axis=1).max() / scale)
            off.append(worst)
            within += worst <= 1
            if worst > 1:
                print(f"{kind.__name__} {number}: {worst:.2f} mm off, found {found.found:.2f}")
        print(
            f"{kind.__name__}: {within} of {count} within 1 mm (median worst corner {np.median(off or [0]):.2f}), "
            f"{sum(each > 3 for each in off)} wrong accepted, {lost} not registered, {np.mean(seconds):.2f} s a page"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
