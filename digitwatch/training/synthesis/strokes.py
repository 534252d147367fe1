"""Synthetic pen strokes, smooth or angular, and digits in written forms that are rare in MNIST."""

from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels

Points = NDArray[np.float64]  # (K, 2) x, y; the drawing lies within 0..1, y downwards
Random = np.random.Generator

CANVAS, MARGIN = 64, 20  # pixels: the drawing itself, and the margin around it

# Each form is one or more strokes, "~" smooth or "-" angular, as x y pairs in hundredths of the box.
# European and American forms: 0 slashed, 1 with a long upstroke or a foot, 4 open and closed, 7 with a bar,
# 9 like g, and the square ones that people draw with a mouse.
FORMS: dict[int, tuple[str, ...]] = {
    0: (
        "~50,0 8,30 12,78 50,100 90,75 92,25 50,0",
        "~55,3 10,25 8,75 48,100 90,78 92,30 60,2 35,8",
        "~50,0 8,30 12,78 50,100 90,75 92,25 50,0 | -88,8 14,94",
    ),
    1: (
        "-50,0 50,100",
        "-15,35 55,0 55,100",
        "-0,65 60,0 60,100",
        "-5,45 50,0 45,100",
        "-20,25 50,0 50,100 | -8,100 95,100",
        "~10,55 35,30 55,0 | -55,0 52,100",
        "~0,98 25,80 48,40 60,0 | -60,0 60,100",
        "~0,95 28,75 50,38 62,0 | ~62,0 60,78 66,98 92,94",
        "-0,92 62,0 60,100 | -36,100 90,98",
        "~0,92 42,68 64,18 54,0 46,20 50,70 60,100",
        "-0,80 70,0 68,100",
        "~0,100 35,62 65,5 | ~66,0 62,60 70,96",
        "-0,100 52,0 100,100",
        "-0,88 78,0 100,96",
        "~0,100 40,55 62,2 | -62,0 82,100",
        "-0,70 85,0 80,100",
    ),
    2: (
        "~5,25 30,0 80,8 85,40 45,75 5,100 | -5,100 98,98",
        "~10,20 45,0 85,20 70,50 30,80 8,96 25,80 50,92 98,96",
        "-0,5 95,0 5,100 100,98",
        "-0,0 100,0 100,50 0,50 0,100 100,100",
    ),
    3: (
        "~8,12 45,0 88,18 45,47 92,72 50,100 5,88",
        "-5,0 90,0 40,42 | ~40,42 92,60 60,100 2,90",
        "-0,0 100,0 100,100 0,100 | -5,50 100,50",
        "-0,2 95,0 45,45 100,55 95,95 0,100",
    ),
    4: (
        "-15,0 8,58 95,55 | -75,12 70,100",
        "-12,0 8,55 80,52 | -78,0 78,100",
        "-65,0 0,66 100,64 | -65,2 64,100",
        "-10,0 10,50 85,50 | -88,0 80,100",
        "~12,2 8,38 30,52 80,40 | -85,0 78,100",
        "-85,100 85,0 5,68 95,66",
        "-65,0 5,52 88,48 55,100",
        "-72,0 5,50 95,48 | -74,28 50,100",
        "~75,0 35,25 8,50 85,48 60,100",
        "-58,0 0,66 88,62 | -86,38 58,100",
        "~55,0 28,38 2,68 45,72 90,55 | ~92,40 80,75 52,100",
        "-60,0 5,68 80,62 78,66 45,100",
        "~40,0 2,52 25,66 100,60 | -78,12 78,100",
        "~20,10 2,48 30,58 95,38 | -82,8 60,100",
        "-55,5 0,62 100,62 | -82,0 82,100",
        "~70,5 20,5 2,45 30,62 100,58 | -80,0 72,100",
        "~60,0 5,55 92,60 | ~92,45 70,70 88,100",
        "~50,0 15,40 2,82 40,86 78,80 | -88,50 82,100",
        "~70,0 40,32 0,84 30,86 70,70 | ~98,50 80,70 74,100",
    ),
    5: (
        "-92,0 22,2 16,42 | ~16,42 60,34 95,62 62,98 4,92",
        "~90,2 35,4 15,30 70,50 85,80 45,100 5,88",
        "-100,0 0,0 0,50 100,50 100,100 0,100",
        "-20,0 15,45 | ~15,45 65,36 92,68 55,100 5,92 | -20,2 95,0",
        "-25,0 92,0 | ~12,34 60,30 95,62 60,98 5,90",
    ),
    6: (
        "~80,0 30,32 6,75 42,100 88,82 70,55 30,58 8,80",
        "~55,0 15,40 8,80 45,100 85,80 60,58 15,72",
        "-10,0 5,100 95,98 92,50 8,52",
        "-90,0 0,5 0,100 100,100 100,50 0,50",
    ),
    7: (
        "-0,2 95,0 40,100",
        "-0,2 95,0 40,100 | -20,50 88,46",
        "-2,20 4,0 95,2 45,100 | -25,52 90,50",
        "-5,0 90,4 88,100 | -40,55 125,52",
        "-0,12 80,0 40,100 | -25,62 105,50",
        "-0,0 100,0 35,100 | -8,50 95,48",
        "~0,18 18,0 55,8 98,0 | ~98,0 60,48 45,100 | -15,52 95,45",
        "~0,15 20,0 60,8 98,0 70,40 45,100",
        "-5,2 95,0 20,100 | -0,62 100,58",
        "-0,0 90,2 45,100 | -10,40 95,72",
        "~0,20 12,0 50,10 92,2 | -92,2 40,100 | -12,66 100,60",
        "~8,2 50,10 58,30 48,62 30,100 | -46,52 110,52",
        "-0,3 95,0 0,100 | -12,72 88,70",
        "~10,14 25,4 60,6 78,0 | ~78,0 60,45 48,100 | -18,52 110,44",
        "-30,18 34,2 75,4 | ~75,4 62,50 40,88 22,100 | -20,56 105,50",
        "~20,20 24,4 70,2 82,6 60,60 40,100 | ~25,58 60,48 110,52",
        "~5,10 35,12 80,0 62,55 55,100 | -30,60 120,50",
        "-12,20 16,2 92,4 50,100 | -5,54 98,44",
    ),
    8: (
        "~85,10 35,0 15,25 80,65 72,96 22,96 18,70 80,30 85,10",
        "~50,0 15,15 25,42 50,48 80,42 88,15 50,0 | ~50,48 5,65 18,96 50,100 88,92 92,62 50,48",
        "-0,0 100,0 100,100 0,100 0,0 | -2,50 100,50",
        "-8,0 92,2 10,100 90,98 8,0",
    ),
    9: (
        "~85,15 45,0 8,22 35,48 82,30 | -85,10 82,100",
        "~85,15 45,0 8,22 35,48 82,30 88,10 85,60 70,95 10,92",
        "~50,0 10,20 35,48 80,35 80,8 50,0 | ~82,10 75,55 40,100",
        "~80,12 40,0 15,22 45,44 80,25 86,8 90,60 60,98 10,90 2,74",
        "~60,2 20,12 25,40 75,42 80,10 60,2 | ~80,10 92,60 70,98 5,96",
        "~80,15 45,0 15,15 25,38 60,42 88,20 90,60 55,98 5,85",
        "~35,5 15,22 40,42 85,35 88,4 88,60 55,100 0,85",
        "~80,12 40,0 12,22 40,44 82,22 | ~84,20 70,70 0,98",
        "~75,10 35,0 10,20 30,46 78,30 80,8 72,55 95,84 60,100 0,94",
        "~60,5 20,0 5,25 35,46 70,25 60,5 | ~62,8 68,60 100,96",
        "~80,10 40,0 20,20 45,42 85,12 62,45 95,75 70,98 2,96",
        "~85,8 35,2 22,30 60,36 90,5 55,45 88,80 50,100 0,98",
        "~90,15 50,0 15,15 35,42 80,30 92,8 | ~52,42 88,66 78,96 0,100",
        "~75,12 40,0 5,16 22,42 62,42 82,14 | ~30,14 60,55 98,100",
        "~95,12 62,0 28,22 50,44 92,16 | ~64,40 42,66 5,100",
        "-100,50 0,50 0,0 100,0 100,100",
        "-100,50 0,50 0,0 100,0 100,100 0,98",
    ),
}


def digit(label: int, rng: Random) -> Pixels:
    """Return ink of the digit `label` drawn in one of its forms, with jitter and slant."""
    return draw(strokes(FORMS[label][int(rng.integers(len(FORMS[label])))], rng), rng)


def strokes(form: str, rng: Random) -> list[Points]:
    """Return the strokes of a form of FORMS, with jitter."""
    return [_shake(stroke, rng) for stroke in _parse(form)]


def draw(lines: list[Points], rng: Random, *, broadest: int = 8) -> Pixels:
    """Return ink of the lines, of random slant and proportion, drawn by one pen."""
    aspect, slant = rng.uniform(0.4, 1.0), rng.normal(0, 0.18)
    if rng.random() < 0.25:
        aspect = rng.uniform(1.0, 1.5)
    matrix = np.array([[aspect, 0], [slant, 1]]) * CANVAS
    stroke_width = int(rng.integers(2, broadest + 1))
    paper = np.zeros((CANVAS + 2 * MARGIN, 2 * CANVAS + 2 * MARGIN), np.uint8)
    for points in lines:
        pixels = (points - 0.5) @ matrix + [paper.shape[1] / 2, paper.shape[0] / 2]
        # two bits of sub-pixel position, as polylines' `shift` wants them
        cv2.polylines(paper, [np.round(pixels * 4).astype(np.int32)], False, (255,), stroke_width, cv2.LINE_AA, 2)
    return paper


def smooth(points: Points) -> Points:
    """Return the (8 (K - 1) + 1, 2) curve through (K, 2) points (Catmull and Rom, 1974)."""
    padded = np.vstack([2 * points[0] - points[1], points, 2 * points[-1] - points[-2]])
    a, b, c, d = padded[:-3, None], padded[1:-2, None], padded[2:-1, None], padded[3:, None]  # (K-1, 1, 2)
    t = np.linspace(0, 1, 8, endpoint=False)[None, :, None]  # (1, 8, 1)
    curve = b + (c - a) * t / 2 + (a - 2.5 * b + 2 * c - d / 2) * t**2 + (1.5 * (b - c) + (d - a) / 2) * t**3
    return np.vstack([curve.reshape(-1, 2), points[-1:]])


@cache
def _parse(form: str) -> list[tuple[bool, Points]]:
    """Return (smooth or not, points) of each stroke of a form of FORMS."""
    parsed = []
    for text in form.split(" | "):
        points = [[float(number) / 100 for number in pair.split(",")] for pair in text[1:].split()]
        parsed.append((text[0] == "~", np.array(points)))
    return parsed


def _shake(stroke: tuple[bool, Points], rng: Random) -> Points:
    """Return the stroke's points with jitter."""
    is_smooth, points = stroke
    shaken = points + rng.normal(0, 0.035, points.shape)
    return smooth(shaken) if is_smooth or rng.random() < 0.15 else shaken
