"""Scans to measure with, drawn by program: single digits, a large photograph, a full sheet, a TIFF of many pages."""

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


def write_photo(path: Path) -> None:
    """Write a JPEG of 12 megapixels in colour, with one digit on uneven paper."""
    rng = np.random.default_rng(1)
    drawn = np.full((3000, 4000, 3), (205, 215, 220), np.uint8)
    cv2.putText(drawn, "7", (1700, 1900), cv2.FONT_HERSHEY_SIMPLEX, 30, (40, 30, 30), 70, cv2.LINE_AA)
    page = drawn * np.linspace(0.7, 1, 4000, dtype=np.float32)[None, :, None]
    page += rng.normal(0, 3, page.shape).astype(np.float32)
    cv2.imwrite(str(path), np.clip(page, 0, 255).astype(np.uint8))


def sheet(rows: int = 40, columns: int = 25) -> np.ndarray:
    """Draw an A4 page at 600 dpi with rows of digits, grey uint8."""
    page = np.full((7016, 4960), 240, np.uint8)
    for row in range(rows):
        for column in range(columns):
            where = (200 + column * 185, 250 + row * 165)
            cv2.putText(page, str((7 * row + column) % 10), where, cv2.FONT_HERSHEY_SIMPLEX, 3.6, 30, 11, cv2.LINE_AA)
    return page


def write_tiff(path: Path, pages: int) -> None:
    """Write a TIFF of A4 pages at 150 dpi."""
    page = cv2.resize(sheet(4, 6), (1240, 1754), interpolation=cv2.INTER_AREA)
    cv2.imwritemulti(str(path), [page] * pages)
