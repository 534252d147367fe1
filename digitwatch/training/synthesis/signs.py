"""Signs beside digits, drawn as strokes: point, comma, minus, slash, colon, parentheses, per cent and halves."""

from collections.abc import Callable

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.networks.crop_recognizer import SIGNS

Random = np.random.Generator
Stroke = list[tuple[float, float]]  # x y in heights of a digit: x to the right, y upwards from the base line

ROOM = 0.6  # paper around a sign while it is drawn, in heights of a digit
HALVES = ("12", "12", "12", "12", "14", "34")  # numerator and denominator of the small fractions


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


def _strokes(text: str, rng: Random) -> list[Stroke]:
    """Return the strokes of one sign."""
    u = rng.uniform
    low, high, lean = u(-0.35, 0.0), u(0.9, 1.35), u(0.0, 0.65)
    bow = u(0.1, 0.3)
    middle, half = (high + low) / 2, (high - low) / 2
    arc = [(-bow * np.cos(t) + bow, middle + half * np.sin(t)) for t in np.linspace(-1.2, 1.2, 9)]
    dot = [(0.0, 0.02), (u(0.0, 0.04), u(0.0, 0.05))]
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
    """Draw the two small digits of a half or quarter above and below its bar, or left and right of a slanted one."""
    texts = str(rng.choice(HALVES))
    lying = rng.random() < 0.5
    for number, text in enumerate(texts):
        glyph, high = digit(text), max(4, round(height * rng.uniform(0.36, 0.6)))
        wide = max(2, round(glyph.shape[1] * high / glyph.shape[0]))
        glyph = np.asarray(cv2.resize(glyph, (wide, high), interpolation=cv2.INTER_AREA), np.uint8)
        x = (0.2 if lying else (-0.1, 0.42)[number]) * height + ROOM * height
        y = base - (0.55 * height if number == 0 else -0.1 * height if lying else 0.0)
        left, top = max(0, round(x)), max(0, round(y) - high)
        room = ink[top : top + high, left : left + wide]
        np.maximum(room, glyph[: room.shape[0], : room.shape[1]], out=room)
