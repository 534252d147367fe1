"""Synthetic non-digits: letters, scribbles, marks, fragments of digits and merged digits.

Shapes that a person could read as a digit are left out: O, l, S, Z, b, q, an upright line, a ring,
a caret (an Italian 1) or the right half of a 4.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitwatch.recognition.arrays import Pixels
from digitwatch.training.data.digits import Digits
from digitwatch.training.synthesis import augment, degrade, strokes

Random = np.random.Generator

LETTERS = "ACEFHKLMNPRVWXcdehkmnprvwx&%#@*αλπμωΔΓΞκξ"
WORDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
SYMBOLS = "$$$$€€€£££¥₹+++==≈~±?!§"  # as often as here
FONTS = (
    "DejaVuSans", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Italic", "DejaVuSans-Bold",
    "STIXGeneral", "STIXGeneralItalic",
)  # fmt: skip  # the fonts that matplotlib brings

# Halves of digits that do not look like another digit: a half of an 8 looks like a 0 or a 3, of a 4 like a 1.
HALVES = {"left": (2, 3, 4, 5, 8), "right": (2,), "top": (0, 4, 5), "bottom": (0, 3, 5)}
TURNS = {"mirrored": (3, 4, 7), "a quarter": (3, 4, 5), "three quarters": (3, 4, 5), "half": (3, 4, 7)}


def negative(digits: Digits, rng: Random) -> Pixels:
    """Return one (28, 28) picture of a non-digit, as the reader would segment it from a page.

    `digits` are the training digits; some non-digits are fragments or pairs of them.
    """
    kinds, shares = zip(*KINDS.items(), strict=True)
    kind = kinds[rng.choice(len(kinds), p=np.array(shares) / sum(shares))]
    made: Pixels = kind(digits, rng)
    if kind is _texture:
        return made
    return augment.finish(made, rng)


def letter(digits: Digits, rng: Random) -> Pixels:
    """Return a printed letter, deformed like handwriting, or a word of two to four letters."""
    text = LETTERS[int(rng.integers(len(LETTERS)))]
    if rng.random() < 0.25:
        text = "".join(rng.choice(list(WORDS), int(rng.integers(2, 5))))
    ink = _hershey(text, rng) if rng.random() < 0.35 and text.isascii() else _printed(text, rng)
    return augment.pen(_bend(ink, rng), rng)


def symbol(rng: Random) -> Pixels:
    """A sign of currency or of calculation, bent as by hand."""
    return augment.pen(_bend(_printed(SYMBOLS[int(rng.integers(len(SYMBOLS)))], rng), rng), rng)


def _hershey(text: str, rng: Random) -> Pixels:
    """Return ink of the text in one of OpenCV's single-stroke fonts."""
    ink = np.zeros((110, 40 + 50 * len(text)), np.uint8)
    font = int(rng.choice([0, 1, 2, 3, 4, 5, 6, 7])) + (16 if rng.random() < 0.3 else 0)
    cv2.putText(ink, text, (20, 75), font, 2.0, (255,), int(rng.integers(2, 8)), cv2.LINE_AA)
    return ink


@cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / f"{name}.ttf", 56)


def _printed(text: str, rng: Random) -> Pixels:
    """Return ink of the text in one of matplotlib's fonts."""
    font = _font(FONTS[int(rng.integers(len(FONTS)))])
    left, top, right, bottom = font.getbbox(text)
    sheet = Image.new("L", (int(right - left) + 16, int(bottom - top) + 16))
    ImageDraw.Draw(sheet).text((8 - left, 8 - top), text, fill=255, font=font)
    return np.asarray(sheet)


def _bend(ink: Pixels, rng: Random) -> Pixels:
    """Return (H, W) ink slanted, turned and shaken; the margins keep the ink inside."""
    height, _width = ink.shape
    ink = np.pad(ink, 12)
    shape = ink.shape
    amount = 2.0 * height / 64
    field = rng.normal(0, rng.uniform(0.3, 1.6) * amount, (4, 4, 2)).astype(np.float32)
    turn, slant = rng.normal(0, 0.15), rng.normal(0, 0.2)
    matrix = np.array([[np.cos(turn), slant - np.sin(turn)], [np.sin(turn), np.cos(turn)]])
    x, y = np.meshgrid(np.arange(shape[1]) - shape[1] / 2, np.arange(shape[0]) - shape[0] / 2)
    grid = np.stack([x, y], -1) @ matrix.T + [shape[1] / 2, shape[0] / 2]
    grid += cv2.resize(field, shape[::-1], interpolation=cv2.INTER_CUBIC)
    bent: Pixels = cv2.remap(ink, grid.astype(np.float32), None, cv2.INTER_LINEAR)
    bent[bent < augment.FAINT] = 0
    return bent


def scribble(digits: Digits, rng: Random) -> Pixels:
    """Return a scribble: one or two smooth or angular lines through random points."""
    drawn = []
    for _ in range(int(rng.choice([1, 1, 2, 3]))):
        points = rng.random((int(rng.integers(6, 13)), 2))
        drawn.append(strokes.smooth(points) if rng.random() < 0.75 else points)
    return strokes.draw(drawn, rng, broadest=5)


def _spiral(digits: Digits, rng: Random) -> Pixels:
    """Return a spiral of two turns or more, or a coil of loops."""
    t = np.linspace(0, 1, 60)
    angle = t * 2 * np.pi * rng.uniform(2, 4) * rng.choice([-1, 1]) + rng.uniform(0, 6)
    if rng.random() < 0.5:
        across, down = 0.5 + 0.5 * t * np.cos(angle), 0.5 + 0.5 * t * np.sin(angle)
    else:
        across, down = t + 0.15 * np.cos(angle), 0.5 + 0.3 * np.sin(angle)
    return strokes.draw([np.stack([across, down], -1)], rng)


SIGNS = (
    "~100,0 60,45 25,90 0,60 25,10 60,50 100,95",  # alpha
    "~95,5 75,60 40,95 5,70 10,20 45,5 75,45 100,100",
    "~0,5 20,0 40,40 95,100 | -45,50 5,100",  # lambda
    "-40,0 100,100 | -60,35 0,100",
    "~95,5 40,0 35,45 60,100 | -45,55 0,100",
    "-0,0 100,100 | -100,0 0,100",  # cross
    "-0,50 100,50 | -50,20 50,80",
    "-0,0 0,100 100,100",  # corners of boxes
    "-100,0 0,0 0,100",
    "-100,0 100,100 0,100",
    "-0,0 100,0 | -0,100 100,100",  # an equals sign
    "-0,0 100,5",
    "-0,50 25,0 50,50 75,0 100,50",  # zigzag
    "~0,50 25,20 50,50 75,80 100,50",
    "~0,0 50,95 100,0",  # bowl, tick
    "-0,60 30,100 100,0",
    "-0,0 50,100 100,0",
    "-0,100 50,0 100,100 | -20,62 80,62",  # A
    "-0,100 5,15 50,0 95,15 100,100 | -2,55 98,55",
    "-0,0 0,100 | -100,0 100,100 | -0,50 100,50",  # H
    "-0,100 0,0 100,100 100,0",  # N
    "-0,100 5,0 50,60 95,0 100,100",  # M
    "-0,0 25,100 50,30 75,100 100,0",  # W
    "-0,0 0,100 | -95,0 0,55 100,100",  # K
    "-0,0 0,100 | -0,0 100,0 | -0,50 80,50",  # F
    "-100,0 0,0 0,100 100,100 | -0,50 80,50",  # E
    "~95,15 50,0 5,30 5,75 50,100 98,85",  # C
    "-0,0 100,0 100,100 0,100 0,0 | -0,0 100,100 | -100,0 0,100",  # a crossed box
    "-0,0 100,0 100,100 0,100 0,0 | -0,50 100,50 | -50,0 50,100",
)


def sign(rng: Random) -> Pixels:
    """Return ink of a hand-drawn letter or mark."""
    return strokes.draw(strokes.strokes(SIGNS[int(rng.integers(len(SIGNS)))], rng), rng)


def _sign(digits: Digits, rng: Random) -> Pixels:
    """Return a hand-drawn letter or mark."""
    return sign(rng)


def _mark(digits: Digits, rng: Random) -> Pixels:
    """Return a dot, a comma, a smear or a horizontal line."""
    ink = np.zeros((80, 120), np.uint8)
    kind = rng.random()
    if kind < 0.4:
        axes = (int(rng.integers(10, 22)), int(rng.integers(4, 12)))
        cv2.ellipse(ink, (60, 40), axes, rng.uniform(-20, 20), 0, 360, (255,), -1, cv2.LINE_AA)
    elif kind < 0.55:
        cv2.circle(ink, (62, 30), int(rng.integers(5, 10)), (255,), -1, cv2.LINE_AA)
        cv2.line(ink, (66, 32), (int(rng.integers(50, 62)), 55), (255,), int(rng.integers(3, 7)), cv2.LINE_AA)
    elif kind < 0.75:
        tilt = rng.uniform(-25, 25)
        cv2.line(ink, (10, int(40 - tilt)), (110, int(40 + tilt)), (255,), int(rng.integers(2, 14)), cv2.LINE_AA)
    else:
        side = int(rng.integers(4, 10))
        cloud = cv2.resize(rng.random((side, side)), (80, 80), interpolation=cv2.INTER_CUBIC)
        made: Pixels = ((cloud > rng.uniform(0.5, 0.75)) * 255).astype(np.uint8)
        return made
    return _bend(ink, rng)


def _piece(digits: Digits, rng: Random) -> Pixels:
    """Return half of a digit, cut as by a segmentation error."""
    side = str(rng.choice(list(HALVES), p=[0.55, 0.1, 0.15, 0.2]))
    ink = _shape(digits, rng, HALVES[side])
    height, width = ink.shape
    at = rng.uniform(0.32, 0.46)
    row, column = round(at * height), round(at * width)
    parts = {
        "left": ink[:, :column],
        "right": ink[:, width - column :],
        "top": ink[:row],
        "bottom": ink[height - row :],
    }
    return parts[side]


def _turned(digits: Digits, rng: Random) -> Pixels:
    """Return a digit turned by 90 or 180 degrees, or mirrored."""
    how = str(rng.choice(list(TURNS)))
    ink = _shape(digits, rng, TURNS[how])
    if how == "mirrored":
        return ink[:, ::-1].copy()
    return np.rot90(ink, {"a quarter": 1, "half": 2, "three quarters": 3}[how]).copy()


def _merged(digits: Digits, rng: Random) -> Pixels:
    """Return two or three digits side by side, apart, touching or overlapping; or one and half of the next."""
    pieces = [_shape(digits, rng) for _ in range(2 if rng.random() < 0.85 else 3)]
    if rng.random() < 0.3:
        cut = max(4, round(pieces[1].shape[1] * rng.uniform(0.55, 0.9)))
        pieces[1] = pieces[1][:, :cut]
        pieces = pieces[:2][:: int(rng.choice([1, -1]))]
    ink = np.zeros((64, 220), np.uint8)
    x = 4
    for piece in pieces:
        height, width = piece.shape
        y = int(np.clip(32 - height / 2 + rng.normal(0, 3), 0, 64 - height))
        ink[y : y + height, x : x + width] = np.maximum(ink[y : y + height, x : x + width], piece)
        x = max(4, x + width + int(rng.integers(-9, 5)))
    return augment.pen(ink, rng)


def _shape(digits: Digits, rng: Random, labels: tuple[int, ...] | None = None) -> Pixels:
    """Return one training digit, bent and cropped to its ink, about 40 pixels high."""
    which = int(rng.integers(len(digits)))
    while labels is not None and digits.labels[which] not in labels:
        which = int(rng.integers(len(digits)))
    ink = _bend(cv2.resize(digits.pictures[which], (56, 56), interpolation=cv2.INTER_CUBIC), rng)
    left, top, width, height = cv2.boundingRect(ink)
    ink = ink[top : top + height, left : left + width]
    return ink if height <= 60 else cv2.resize(ink, (width, 60))


def _texture(digits: Digits, rng: Random) -> Pixels:
    """Return a patch of noise, paper or stripes without any digit."""
    blank = np.zeros((28, 28), np.uint8)
    return degrade.damage(degrade.damage(blank, rng), rng)


KINDS: dict[Callable[[Digits, Random], Pixels], float] = {
    letter: 3, _sign: 3, scribble: 1.5, _spiral: 0.5, _mark: 1, _piece: 3, _turned: 1, _merged: 4, _texture: 0.7,
}  # fmt: skip  # and how often each
