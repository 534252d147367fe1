"""Numbers composed of MNIST digits, apart, ruled, boxed and touching: the share read exactly."""

import argparse
from pathlib import Path

import cv2
import numpy as np

from digitwatch.recognition.reader import Reader

KINDS = ("apart", "ruled", "boxed", "touching")
CELL = 1.35  # width of a box, in heights of a digit
NEST = 0.15  # touching digits overlap sideways by at most this share of their height
Picture = np.ndarray


def resized(digit: Picture, height: int, rng: np.random.Generator) -> Picture:
    """Return the (28, 28) digit cropped and scaled to about `height`; a horizontal one to that width."""
    left, top, width, high = cv2.boundingRect(digit)
    scale = height * rng.uniform(0.88, 1.12) / max(high, 0.9 * width) if high >= 0.6 * width else 0.9 * height / width
    size = (max(2, round(width * scale)), max(2, round(high * scale)))
    return cv2.resize(digit[top : top + high, left : left + width], size, interpolation=cv2.INTER_CUBIC)


def touching(ink: Picture, digit: Picture, at: tuple[int, int], height: int, rng: np.random.Generator) -> int:
    """Return the place where the digit at (left, top) touches its left neighbour, overlapping by at most a third."""
    (left, top), (high, wide) = at, digit.shape
    deeper = int(rng.integers(0, max(1, height // 25) + 1))
    for x in range(left + 2, left - round(NEST * height), -1):
        if np.count_nonzero(np.minimum(ink[top : top + high, x : x + wide], digit) > 100) >= 2:
            return x - deeper
    return left - round(NEST * height)


def written(digits: list[Picture], kind: str, height: int, rng: np.random.Generator) -> tuple[Picture, float, float]:
    """Return the ink of a row, (3 height, width) 0 to 255, its base line at the left, and its slope."""
    ink = np.zeros((3 * height, len(digits) * 3 * height + 200), np.uint8)
    slope = 0.0 if kind == "boxed" else float(rng.normal(0, 0.04))
    base, cell, right = 1.9 * height, CELL * height, round(0.6 * height)
    for number, digit in enumerate(digits):
        high, wide = digit.shape
        floor = base + slope * right + rng.normal(0, 0.04) * height
        top = int(np.clip(floor - (high if high > height / 2 else (height + high) / 2), 0, 3 * height - high - 1))
        left = right
        if kind == "boxed":
            start = round(0.6 * height + number * cell)
            free = cell - wide
            left = round(start + free / 2 + rng.normal(0, 0.04) * height)
            left = min(max(left, start + 1), max(start + 1, round(start + free - 1)))
        elif kind != "touching":
            left += round(height * rng.uniform(0.08, 0.5))
        elif number:
            left = touching(ink, digit, (right, top), height, rng)
        place = ink[top : top + high, left : left + wide]
        np.maximum(place, digit, out=place)
        right = left + wide
    end = max(right, round(0.6 * height + len(digits) * cell) if kind == "boxed" else 0)
    return ink[:, : end + round(0.6 * height)], base, slope


def printed(page: Picture, kind: str, count: int, height: int, rng: np.random.Generator) -> Picture:
    """Return the darkness of the printed lines at each pixel, 0 to 1; `page` has the size, base line and slope."""
    lines = np.zeros(page.shape[:2], np.float32)
    thick, shade = int(rng.integers(1, 4 if kind == "boxed" else 3)), float(rng.uniform(0.4, 1))
    top, left = round(1.9 * height - 1.22 * height), round(0.6 * height)
    starts = range(count) if rng.random() < 0.5 else [0]
    for number in starts if kind == "boxed" else ():
        across = CELL * height * (1 if len(starts) > 1 else count)
        corner = (round(left + number * CELL * height), top)
        cv2.rectangle(lines, corner, (round(corner[0] + across), round(top + 1.45 * height)), (shade,), thick)
    return lines


def composed(kind: str, digits: Picture, rng: np.random.Generator) -> Picture:
    """Return a grey picture, uint8, of the (n, 28, 28) digits written side by side on shaded, grainy paper."""
    height = int(rng.integers(32, 90))
    ink, base, slope = written([resized(digit, height, rng) for digit in digits], kind, height, rng)
    high, wide = ink.shape
    paper = float(rng.uniform(190, 250))
    strength = float(rng.uniform(0.5, 0.9)) * paper
    page = np.full(ink.shape, paper, np.float32)
    page += rng.normal(0, 8) * np.linspace(-1, 1, wide) + rng.normal(0, 8) * np.linspace(-1, 1, high)[:, None]
    lines = printed(ink, kind, len(digits), height, rng)
    if kind == "ruled":
        shade, thick = float(rng.uniform(0.3, 0.8)), int(rng.integers(1, 3))
        for row in (base + 2, base + 2 - 1.5 * height):
            cv2.line(lines, (0, round(row)), (wide, round(row + slope * wide)), (shade,), thick, cv2.LINE_AA)
    page -= strength * np.maximum(lines, ink / np.float32(255))
    page = cv2.GaussianBlur(page, (3, 3), float(rng.uniform(0.2, 0.9)))
    return np.clip(page + rng.normal(0, rng.uniform(1, 6), page.shape), 0, 255).astype(np.uint8)


def main() -> None:
    """Read composed numbers and print how many are right, `ok`, and `ok` but wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="MNIST as .npz; its test digits are used")
    parser.add_argument("--count", type=int, default=500, help="numbers of each kind")
    parser.add_argument("--model", default="cnn")
    args = parser.parse_args()
    with np.load(args.data) as data:
        pictures, labels = data["x_test"], data["y_test"]
    reader = Reader(args.model)
    print(f"{'':10}{'exact':>8}{'ok':>8}{'ok-wrong':>10}")
    for kind in KINDS:
        rng = np.random.default_rng(KINDS.index(kind))
        right = sure = wrong = 0
        for _ in range(args.count):
            chosen = rng.integers(0, len(labels), int(rng.integers(2, 9)))
            reading = reader.read(composed(kind, pictures[chosen], rng))
            good = reading.text == "".join(map(str, labels[chosen]))
            right, sure = right + good, sure + (reading.status == "ok")
            wrong += reading.status == "ok" and not good
        print(f"{kind:10}{right / args.count:8.1%}{sure / args.count:8.1%}{wrong / max(1, sure):10.1%}", flush=True)


if __name__ == "__main__":
    main()
