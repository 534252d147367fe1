"""Form print and background around writing: boxes, cells, combs, rules, grids, dots, patterns, shadows, grain, JPEG."""

from itertools import pairwise

import cv2
import numpy as np

from digitwatch.recognition.arrays import Floats, Pixels

Random = np.random.Generator

# ---- probability of each kind of print; several may be combined
FRAME, RING, SIDE, RULE, DOTTED, GRID, CAPTION, GUIDES, PATTERN = 0.28, 0.05, 0.22, 0.18, 0.10, 0.06, 0.10, 0.05, 0.09
# ---- probability of each effect on the paper and its picture
GRADIENT, SHADOW, STAIN, DRY, SMALL, SOFT, JPEG, NEGATIVE = 0.6, 0.10, 0.12, 0.12, 0.32, 0.5, 0.35, 0.08
LEAST_CONTRAST = 6  # of ink to paper, in standard deviations of the noise
CAPTIONS = "Total Name Date Roll No Marks Q1 Score Answer Betrag Summe a) b) No."


def printed(shape: tuple[int, int], text: tuple[int, int, int, int], rng: Random) -> Pixels:
    """Return (H, W) uint8, 0 to 255, the darkness of form print around writing at (left, top, right, bottom)."""
    lines = np.zeros(shape, np.uint8)
    if rng.random() < FRAME:
        _frame(lines, text, rng)
    if rng.random() < RING:
        _ring(lines, text, rng)
    if rng.random() < SIDE:
        _side(lines, rng)
    if rng.random() < RULE:
        _rules(lines, text, rng)
    if rng.random() < DOTTED:
        _dotted(lines, text[3] + int(rng.integers(-4, 8)), rng)
    if rng.random() < GRID:
        _grid(lines, rng)
    if rng.random() < CAPTION:
        _caption(lines, text, rng)
    return lines


def cells(lines: Pixels, edges: list[int], text: tuple[int, int, int, int], rng: Random) -> None:
    """Print cell borders or comb teeth at the x of `edges` into (H, W) lines, for digits in that box."""
    _, top, _, bottom = text
    pen, shade = _pen(rng)
    high = bottom - top
    upper, lower = top - int(rng.uniform(0.02, 0.4) * high), bottom + int(rng.uniform(0.02, 0.4) * high)
    comb = rng.random() < 0.3
    start = lower - int(rng.uniform(0.1, 0.6) * high) if comb else upper
    for x in edges:
        cv2.line(lines, (x, start), (x + int(rng.integers(-1, 2)), lower), (255 * shade,), pen, cv2.LINE_AA)
    if comb or rng.random() < 0.85:
        cv2.line(lines, (edges[0], lower), (edges[-1], lower), (255 * shade,), pen, cv2.LINE_AA)
    if not comb and rng.random() < 0.85:
        cv2.line(lines, (edges[0], upper), (edges[-1], upper), (255 * shade,), pen, cv2.LINE_AA)
    if rng.random() < GUIDES * 4:
        _guides(lines, edges, (top, bottom), rng)


def _pen(rng: Random) -> tuple[int, float]:
    """Return the width of a printed line and its darkness, 0 to 1; thin lines are most frequent."""
    return int(rng.choice([1, 1, 2, 2, 3, 4, 7])), float(rng.uniform(0.15, 1.0))


def _frame(lines: Pixels, text: tuple[int, int, int, int], rng: Random) -> None:
    """Print a box around the writing, which may touch it or reach out of the crop."""
    pen, shade = _pen(rng)
    left, top, right, bottom = text
    gap = rng.uniform(-0.05, 0.6, 4) * (bottom - top)
    corner, other = (int(left - gap[0]), int(top - gap[1])), (int(right + gap[2]), int(bottom + gap[3]))
    cv2.rectangle(lines, corner, other, (255 * shade,), pen, cv2.LINE_AA)


def _ring(lines: Pixels, text: tuple[int, int, int, int], rng: Random) -> None:
    """Draw a ring around the writing by hand, as markers do around a sum; its ends may cross."""
    left, top, right, bottom = text
    high = bottom - top
    axes = ((right - left) * rng.uniform(0.6, 0.8) + rng.uniform(0.1, 0.5) * high, high * rng.uniform(0.65, 1.1))
    turn = np.linspace(0, rng.uniform(5.6, 7.2), 60) + rng.uniform(0, 6.3)
    drift = 1 + rng.uniform(-0.08, 0.08) * np.linspace(0, 1, 60)
    x, y = (left + right) / 2 + axes[0] * drift * np.cos(turn), (top + bottom) / 2 + axes[1] * drift * np.sin(turn)
    if x.min() < 0 or x.max() >= lines.shape[1]:
        return  # of a ring that the crop cuts a stroke like a 1 would be left beside the writing
    pen, shade = _pen(rng)
    cv2.polylines(lines, [np.stack([x, y], 1).round().astype(np.int32)], False, (255 * shade,), pen, cv2.LINE_AA)


def _side(lines: Pixels, rng: Random) -> None:
    """Print the border of a cell along one or more sides of the crop, often cut by it."""
    height, width = lines.shape
    for side in rng.permutation(4)[: int(rng.integers(1, 5))]:
        pen, shade = int(rng.integers(1, 9)), float(rng.uniform(0.2, 1.0))
        at, tilt = int(rng.integers(0, 7)), int(rng.integers(-3, 4))
        ends = {
            0: ((at, 0), (at + tilt, height)),
            1: ((width - 1 - at, 0), (width - 1 - at + tilt, height)),
            2: ((0, at), (width, at + tilt)),
            3: ((0, height - 1 - at), (width, height - 1 - at + tilt)),
        }[int(side)]
        cv2.line(lines, *ends, (255 * shade,), pen, cv2.LINE_AA)


def _rules(lines: Pixels, text: tuple[int, int, int, int], rng: Random) -> None:
    """Print one rule or several below, above or through the writing."""
    pen, shade = int(rng.integers(1, 4)), float(rng.uniform(0.1, 0.9))
    height = text[3] - text[1]
    y, tilt = text[3] + rng.uniform(-0.2, 0.25) * height, rng.normal(0, 0.01) * lines.shape[1]
    step = height * rng.uniform(0.45, 1.6)
    for k in range(-3, 3) if rng.random() < 0.6 else (0,):
        start, end = (0, round(y + k * step)), (lines.shape[1], round(y + k * step + tilt))
        cv2.line(lines, start, end, (255 * shade,), pen, cv2.LINE_AA)


def _dotted(lines: Pixels, y: int, rng: Random) -> None:
    """Print a dotted or dashed line at row y."""
    step, pen, shade = int(rng.integers(4, 14)), int(rng.integers(1, 4)), float(rng.uniform(0.3, 1.0))
    for x in range(int(rng.integers(step)), lines.shape[1], step):
        cv2.line(lines, (x, y), (x + int(step * 0.3), y), (255 * shade,), pen, cv2.LINE_AA)


def _grid(lines: Pixels, rng: Random) -> None:
    """Print squared paper."""
    step, shade = int(rng.integers(10, 50)), float(rng.uniform(0.1, 0.6))
    pen = int(rng.integers(1, 3))
    for x in range(int(rng.integers(step)), lines.shape[1], step):
        cv2.line(lines, (x, 0), (x, lines.shape[0]), (255 * shade,), pen, cv2.LINE_AA)
    for y in range(int(rng.integers(step)), lines.shape[0], step):
        cv2.line(lines, (0, y), (lines.shape[1], y), (255 * shade,), pen, cv2.LINE_AA)


def _caption(lines: Pixels, text: tuple[int, int, int, int], rng: Random) -> None:
    """Print small letters above or below the writing; they are not part of its text."""
    word, scale = str(rng.choice(CAPTIONS.split())), float(rng.uniform(0.25, 0.45))
    y = text[1] - int(rng.integers(1, 8)) if rng.random() < 0.6 else text[3] + int(rng.integers(10, 20))
    where = (int(rng.integers(0, max(1, lines.shape[1] - 20))), y)
    cv2.putText(lines, word, where, int(rng.integers(0, 5)), scale, (float(rng.uniform(80, 255)),), 1, cv2.LINE_AA)


def _guides(lines: Pixels, edges: list[int], rows: tuple[int, int], rng: Random) -> None:
    """Print a pale figure of seven segments in each cell, as a writing guide."""
    shade, (top, bottom) = float(rng.uniform(0.1, 0.4)), rows
    for left, right in pairwise(edges):
        wide = right - left
        corner, other = (left + wide // 4, top), (right - wide // 4, bottom)
        cv2.rectangle(lines, corner, other, (255 * shade,), 1)
        cv2.line(lines, (corner[0], (top + bottom) // 2), (other[0], (top + bottom) // 2), (255 * shade,), 1)


def paper(shape: tuple[int, int], rng: Random) -> Floats:
    """Return (H, W) float32 grey levels of blank paper: shade, gradient, shadow, stains, pattern."""
    height, width = shape
    page = np.full(shape, rng.uniform(90, 252), np.float32)
    x, y = np.linspace(-1, 1, width, dtype=np.float32), np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    if rng.random() < GRADIENT:
        page += np.float32(rng.normal(0, 14)) * x + np.float32(rng.normal(0, 8)) * y
    if rng.random() < SHADOW:
        edge = (x - rng.uniform(-1, 1)) * np.cos(turn := rng.uniform(0, 6.3)) * 4 + y * np.sin(turn)
        page *= 1 - np.float32(rng.uniform(0.1, 0.5)) / (1 + np.exp(-edge * np.float32(rng.uniform(2, 20))))
    if rng.random() < STAIN:
        page -= np.float32(rng.uniform(8, 35)) * _cloud(shape, int(rng.integers(3, 12)), rng)
    if rng.random() < PATTERN:
        page -= _pattern(shape, rng)
    return page


def _cloud(shape: tuple[int, int], step: int, rng: Random) -> Floats:
    """Return (H, W) float32 smooth noise from 0 to 1, about `step` spots high."""
    height, width = shape
    small = rng.random((step, max(2, step * width // height))).astype(np.float32)
    return np.asarray(np.clip(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), 0, 1), np.float32)


def _pattern(shape: tuple[int, int], rng: Random) -> Floats:
    """Return (H, W) float32 grey levels of security print: waves, crossed lines, or fine text-like noise."""
    y, x = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    depth, period = np.float32(rng.uniform(6, 34)), rng.uniform(3, 24)
    turn, bow = rng.uniform(0, 3.2), rng.uniform(0, 6)
    phase = (x * np.cos(turn) + y * np.sin(turn) + bow * np.sin(x / rng.uniform(5, 30))) * (6.283 / period)
    wave = np.sin(phase)
    if rng.random() < 0.5:
        wave = np.maximum(wave, np.sin((x * np.sin(turn) - y * np.cos(turn)) * (6.283 / period)))
    if rng.random() < 0.4:
        wave = (wave > rng.uniform(0.3, 0.9)).astype(np.float32)
    return np.asarray(depth * np.maximum(wave, 0), np.float32)


def picture(ink: Pixels, lines: Pixels, rng: Random) -> Pixels:
    """Return (H, W) uint8 grey: ink (0 to 255) and print (0 to 255) on paper, as from a camera or scanner."""
    page = paper(ink.shape, rng)
    own = ink.astype(np.float32) / 255
    if rng.random() < DRY:
        own *= np.clip(0.35 + 1.3 * _cloud(ink.shape, int(rng.integers(6, 24)), rng), 0, 1)
    noise = rng.choice([0.5, 2, 5, 10], p=[0.38, 0.37, 0.18, 0.07])
    faintest = max(0.08, LEAST_CONTRAST * noise / 255)  # of ink that a person can read
    strength = np.float32(rng.choice([rng.uniform(faintest, faintest + 0.2), rng.uniform(0.3, 0.95)], p=[0.3, 0.7]))
    dark = np.float32(rng.uniform(0.1, 0.95))
    page *= (1 - strength * own) * (1 - dark / 255 * lines * (1 - np.float32(0.6) * own))
    if rng.random() < SOFT:
        page = cv2.GaussianBlur(page, (0, 0), float(rng.uniform(0.4, 2.2)))
    if rng.random() < SMALL:
        page = _coarse(page, rng)
    page += np.float32(noise) * rng.standard_normal(page.shape, np.float32)
    grey = np.clip(page, 0, 255).astype(np.uint8)
    if rng.random() < JPEG:
        quality = int(rng.integers(12, 85))
        coded = cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        grey = np.asarray(cv2.imdecode(coded, cv2.IMREAD_GRAYSCALE), np.uint8)
    return np.asarray(255 - grey if rng.random() < NEGATIVE else grey, np.uint8)


def _coarse(page: Floats, rng: Random) -> Floats:
    """Return the (H, W) page downscaled and enlarged again, as by a coarser scan."""
    height, width = page.shape
    share = float(rng.uniform(0.28, 0.75))
    size = (max(4, round(width * share)), max(4, round(height * share)))
    small = cv2.resize(page, size, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC), np.float32)
