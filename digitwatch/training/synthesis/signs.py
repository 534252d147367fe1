"""Signs beside digits, drawn as strokes: point, comma, minus, slash, colon, parentheses, per cent and halves."""

from collections.abc import Callable

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.networks.crop_recognizer import SIGNS
from digitwatch.training.synthesis import strokes as pens

Random = np.random.Generator
Stroke = list[tuple[float, float]]  # x y in heights of a digit: x to the right, y upwards from the base line

ROOM = 0.6  # paper around a sign while it is drawn, in heights of a digit
UPRIGHT = 0.15  # heights by which a slash leans, below which only its length tells it from a 1
FULL = 1.8  # factor that keeps the strokes of a small digit as dark as those of the digits beside it
JOINED = 0.5  # probability that a half is written in few strokes, without a whole 1 or 2, as by markers of exams
# Such halves, in the notation of strokes.FORMS: a tick for the 1, the slash, what is left of the 2, and a long tail
JOINED_HALVES = (
    "-10,0 22,36 | -75,0 20,100 | ~50,62 72,55 70,75 50,98 | -50,98 112,88",
    "-14,4 18,40 64,0 24,100 | ~46,62 74,54 62,80 50,98 116,88",
    "~8,8 16,38 40,34 70,0 44,55 22,100 | -48,52 42,98 | ~42,80 58,62 68,94 112,90",
    "-12,0 12,46 | -70,0 10,100 | ~55,66 80,60 75,80 52,100 | -52,100 106,96",
    "-20,5 20,42 | -62,4 24,96 | ~58,60 82,62 70,82 55,98 96,95",
    "-60,0 18,100 | ~46,66 70,56 75,70 48,100 | -48,100 112,94",
    "~6,0 10,34 34,32 66,2 | -66,2 40,98 | -50,60 46,98 | ~46,84 66,66 74,98 116,84",
    "-0,12 14,0 12,46 | -60,0 16,100 | ~52,70 70,58 84,68 56,98 | -56,98 104,96",
    "-20,0 18,44 | -64,0 20,100 | ~52,60 62,52 68,66 54,98 70,92 110,94",
)


def sign(text: str, height: int, digit: Callable[[str], Pixels], rng: Random) -> tuple[Pixels, int]:
    """Return the ink of a sign, cropped, and by how many pixels it ends below (+) or above (-) the base line.

    Args:
        text: one of SIGNS.
        height: of the digits beside it, in pixels.
        digit: returns the cropped ink of a digit, for fractions.
        rng: decides on shape and pen.
    """
    if text not in SIGNS:
        raise ValueError(f"expected one of {SIGNS}, found {text!r}")
    if text == "½" and rng.random() < JOINED:
        return _joined_half(height, rng)
    side = round(height * (1.2 + 2 * ROOM))
    ink, base = np.zeros((side, side), np.uint8), round(height * (1.1 + ROOM))
    pen = max(1, round(height * rng.uniform(0.04, 0.13)))
    for stroke in _fraction_bar(rng) if text == "½" else _strokes(text, rng):
        points = np.array(stroke) * (height, -height) + (ROOM * height, base)
        points += rng.normal(0, 0.015 * height, points.shape)
        cv2.polylines(ink, [np.round(points * 8).astype(np.int32)], False, (255,), pen, cv2.LINE_AA, 3)
    if text == "½":
        _fraction_digits(ink, height, base, digit, rng)
    left, top, wide, high = cv2.boundingRect(ink)
    return ink[top : top + high, left : left + wide], top + high - base


def _joined_half(height: int, rng: Random) -> tuple[Pixels, int]:
    """Return the ink of a half in few strokes, and by how many pixels it ends below the base line."""
    ink = pens.draw(pens.strokes(JOINED_HALVES[int(rng.integers(len(JOINED_HALVES)))], rng), rng, broadest=6)
    left, top, wide, high = cv2.boundingRect(ink)
    scale = height * rng.uniform(0.85, 1.4) / high
    size = (max(2, round(wide * scale)), max(2, round(high * scale)))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    half = cv2.resize(ink[top : top + high, left : left + wide], size, interpolation=method)
    return np.asarray(half, np.uint8), round(height * rng.uniform(-0.1, 0.35))


def _strokes(text: str, rng: Random) -> list[Stroke]:
    """Return the strokes of one sign."""
    u = rng.uniform
    low, high, lean = u(-0.35, 0.0), u(0.9, 1.35), u(-0.1, 0.65)
    bow = u(0.18, 0.38)  # less bent strokes are ones
    middle, half = (high + low) / 2, (high - low) / 2
    arc = [(-bow * np.cos(t) + bow, middle + half * np.sin(t)) for t in np.linspace(-1.2, 1.2, 9)]
    dot = [(0.0, 0.02), (u(0.0, 0.04), u(0.0, 0.05))]
    if text == "/" and lean < UPRIGHT:
        low, high = u(-0.5, -0.12), u(1.1, 1.5)
    drawn: dict[str, list[Stroke]] = {
        ".": [dot],
        ",": [[(0.08, u(0.0, 0.12)), (0.07, -0.08), (u(-0.12, 0.05), -u(0.12, 0.45))]],
        "-": [[(0.0, u(0.35, 0.6)), (u(0.22, 0.75), u(0.38, 0.57))]],
        "/": [[(0.0, low), (lean, high)]],
        ":": [[(x, y + rise) for x, y in dot] for rise in (u(0.0, 0.15), u(0.45, 0.8))],
        "(": [arc],
        ")": [[(-x, y) for x, y in arc]],
        "%": [[(0.0, 0.0), (u(0.4, 0.7), 1.0)], _ring(0.05, 0.8, rng), _ring(u(0.5, 0.7), 0.2, rng)],
    }
    return drawn[text]


def _ring(x: float, y: float, rng: Random) -> Stroke:
    """Return a small ring around (x, y)."""
    wide, high = rng.uniform(0.08, 0.16), rng.uniform(0.1, 0.18)
    return [(x + wide * np.cos(t), y + high * np.sin(t)) for t in np.linspace(0.5, 6.6, 14)]


def _fraction_bar(rng: Random) -> list[Stroke]:
    """Return the bar of a fraction, horizontal or slanted."""
    if rng.random() < 0.5:
        return [[(0.0, rng.uniform(0.4, 0.6)), (rng.uniform(0.3, 0.6), rng.uniform(0.42, 0.65))]]
    return [[(0.05, rng.uniform(-0.2, 0.2)), (rng.uniform(0.35, 0.6), rng.uniform(0.8, 1.2))]]


def _fraction_digits(ink: Pixels, height: int, base: int, digit: Callable[[str], Pixels], rng: Random) -> None:
    """Draw the two small digits of a half above and below its bar, or left and right of a slanted one."""
    lying = rng.random() < 0.5
    for number, text in enumerate("12"):
        glyph, high = digit(text), max(4, round(height * rng.uniform(0.36, 0.65)))
        wide = max(2, round(glyph.shape[1] * high / glyph.shape[0]))
        small = cv2.resize(glyph, (wide, high), interpolation=cv2.INTER_AREA)
        glyph = np.clip(small * FULL, 0, 255).astype(np.uint8)
        x = (0.2 if lying else (-0.1, 0.42)[number]) * height + ROOM * height
        y = base - (0.55 * height if number == 0 else -0.1 * height if lying else 0.0)
        left, top = max(0, round(x)), max(0, round(y) - high)
        room = ink[top : top + high, left : left + wide]
        np.maximum(room, glyph[: room.shape[0], : room.shape[1]], out=room)
