"""Scans to measure with: real ones if ../shared has them, else drawn ones of the same kinds; large ones are drawn."""

import shutil
from collections.abc import Callable
from itertools import zip_longest
from pathlib import Path

import cv2
import numpy as np

REAL = Path(__file__).resolve().parents[2] / "shared" / "data" / "scans"
PAPER, INK = 235, 30  # grey levels


def write(folder: Path, number: int) -> None:
    """Write `number` scans as people bring them into `folder`, always the same ones; the kinds take turns."""
    folder.mkdir(parents=True, exist_ok=True)
    found = real()
    for index in range(number):
        if found:
            source = found[index % len(found)]
            shutil.copyfile(source, folder / f"{index:06}{source.suffix}")
        else:
            rng = np.random.default_rng(index)
            cv2.imwrite(str(folder / f"{index:06}.png"), grainy(KINDS[index % len(KINDS)](index, rng), rng))


def real() -> list[Path]:
    """Return the real scans, one of each group in turn; empty where there are none."""
    groups = [sorted(group.iterdir()) for group in sorted(REAL.glob("*"))]
    return [path for paths in zip_longest(*groups) for path in paths if path is not None]


def source() -> str:
    """Return which scans `write` takes, for the head of a table."""
    return f"{len(real())} real scans" if real() else f"drawn scans of {len(KINDS)} kinds"


def single(index: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one digit with much paper around it."""
    page = np.full((300, 300), PAPER, np.uint8)
    corner = (int(rng.integers(60, 105)), int(rng.integers(195, 240)))
    return _text(page, str(index % 10), corner, rng.uniform(4, 6), int(rng.integers(6, 14)))


def tight(index: int, rng: np.random.Generator) -> np.ndarray:
    """Draw one digit that fills its paper, as cut from a form."""
    page = single(index, rng)
    left, top, width, height = cv2.boundingRect((page < 128).astype(np.uint8))
    return page[max(0, top - 3) : top + height + 3, max(0, left - 3) : left + width + 3]


def amount(index: int, rng: np.random.Generator) -> np.ndarray:
    """Draw a number of four to six digits on a ruled line."""
    page = np.full((160, 520), PAPER, np.uint8)
    cv2.line(page, (0, 125), (519, 125), 170, 2)
    text = str(rng.integers(1000, 1_000_000))
    return _text(page, text, (40, 120), 2.6, int(rng.integers(3, 8)))


def doubtful(index: int, rng: np.random.Generator) -> np.ndarray:
    """Draw two digits over each other, which no reader can be sure of."""
    return np.minimum(single(index, rng), single(index + 3, rng))


def empty(index: int, rng: np.random.Generator) -> np.ndarray:
    """Draw paper without a digit; every other sheet is ruled."""
    page = np.full((400, 300), PAPER, np.uint8)
    if index % 2:
        page[40::40] = 180
    return page


KINDS: tuple[Callable[[int, np.random.Generator], np.ndarray], ...] = (single, tight, amount, doubtful, empty)


def grainy(page: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return the page with the noise of a scanner."""
    return np.clip(page + rng.normal(0, 6, page.shape), 0, 255).astype(np.uint8)


def _text(page: np.ndarray, text: str, corner: tuple[int, int], size: float, width: int) -> np.ndarray:
    return cv2.putText(page, text, corner, cv2.FONT_HERSHEY_SIMPLEX, size, INK, width, cv2.LINE_AA)


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
