"""Scans to measure with: single digits of about 300x300, drawn by program, different each time."""

from pathlib import Path

import cv2
import numpy as np


def write(folder: Path, number: int, side: int = 300) -> None:
    """Write `number` PNGs of one digit on noisy paper into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(0)
    for index in range(number):
        page = np.full((side, side), 235, np.uint8)
        corner = (int(side * rng.uniform(0.2, 0.35)), int(side * rng.uniform(0.65, 0.8)))
        size, width = side / 300 * rng.uniform(4, 6), int(side / 300 * rng.integers(6, 14))
        cv2.putText(page, str(index % 10), corner, cv2.FONT_HERSHEY_SIMPLEX, size, 30, width, cv2.LINE_AA)
        noisy = page + rng.normal(0, 6, page.shape)
        cv2.imwrite(str(folder / f"{index:06}.png"), np.clip(noisy, 0, 255).astype(np.uint8))
