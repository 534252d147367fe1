"""One line of handwriting: training digits, drawn signs, letters, struck-out and overwritten digits, of one writer."""

from dataclasses import dataclass, field

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.networks.crop_recognizer import LABELS, OTHER, SIGNS
from digitwatch.training.data.digits import Digits
from digitwatch.training.synthesis import augment, negatives, signs
from digitwatch.training.synthesis import strokes as pens

Random = np.random.Generator

TALL = 80  # pixels of a crop while it is composed
LONGEST = 14  # symbols in a crop

EMPTY, LONE = 0.06, 0.17  # probabilities of a crop without writing, and of a single digit
# Probabilities of signs, of a half, of other ink, and of crossed-out cells before the number, in a crop of a number
SIGNED, HALVED, LETTERED, CROSSED = 0.27, 0.11, 0.11, 0.03
STRUCK, OVERWRITTEN, DISPLACED = 0.02, 0.02, 0.006  # of a digit
CANCELLED = 0.05  # probability that a line strikes out a number, or its first digits
LONE_STRUCK, LONE_OVERWRITTEN = 0.05, 0.05  # of a single digit
# Probability that a digit is drawn as strokes, in a form that MNIST hardly has (1 with an upstroke, open 4, barred 7).
DRAWN = (0.12, 0.22, 0.12, 0.12, 0.22, 0.12, 0.12, 0.55, 0.12, 0.16)
TRIES = 300  # digits among which one with a label is looked for
CELLS = 0.30  # probability that digits stand in cells
BENT = 0.7  # how much single digits vary, relative to the augmentation of the digit model
# d: one digit or several; D: two; Y: four
FORMS = (
    "d.d d,d d,dd d/d d/d/d -d (d) d:d d% d-d d. d) d.d.d d,- d.d% "
    "D/D/Y D/D/D D/D/Y D/D/D D/D/Y D/D/D D.D.Y D.D.D D-D-Y D:D"
)
LIKE_STRUCK = (0, 1, 4, 7)  # digits that one more stroke makes another form of, not a struck-out one
HALVES = "d½ d½ d½ 1½ ½"
LENGTHS = {"D": 2, "Y": 4}
DATED = 0.7  # probability that a form with parts of two digits is a date or a time that may exist
TEXTS, HALF_TEXTS = tuple(FORMS.split()), tuple(HALVES.split())
LINES = ("-0,0 100,5", "-0,0 0,100 100,100", "-100,0 0,0 0,100", "-100,0 100,100 0,100")  # a minus, corners of boxes
CROSS = "-0,0 100,100 | -100,0 0,100"
MARKS = tuple(mark for mark in negatives.SIGNS if mark not in LINES)
DIGITS = 10  # the first of LABELS
INDEX = {label: number for number, label in enumerate(LABELS)}


@dataclass
class Row:
    """A line while it is composed: (H, W) ink, its base line, last column and text."""

    ink: Pixels
    height: int
    base: int
    right: int
    symbols: list[int] = field(default_factory=list)
    edges: list[int] = field(default_factory=list)


def _text(rng: Random) -> str:
    """Return what a crop says: # for any digit, 0 to 9, SIGNS, x for other ink, c for a cross in a cell, s and o for a
    struck-out or overwritten digit.
    """
    chance = rng.random()
    if chance < EMPTY:
        return ""
    if chance < EMPTY + LONE:
        return str(rng.choice(["#", "s", "o"], p=[1 - LONE_STRUCK - LONE_OVERWRITTEN, LONE_STRUCK, LONE_OVERWRITTEN]))
    length = int(rng.choice([2, 3, 4, 5, 6, 7, 8, 9, 10], p=[0.24, 0.2, 0.14, 0.1, 0.08, 0.07, 0.07, 0.05, 0.05]))
    text = "#" * length
    kind = rng.random()
    if kind < SIGNED + HALVED:
        form = rng.choice(TEXTS if kind < SIGNED else HALF_TEXTS)
        text = _date(str(form), rng) if "D" in form and rng.random() < DATED else _any_digits(str(form), rng)
    elif kind < SIGNED + HALVED + CROSSED:
        text = "c" * int(rng.integers(1, 4)) + text[:3]
    if rng.random() < LETTERED:
        at = int(rng.choice([0, len(text), int(rng.integers(len(text) + 1))]))
        text = text[:at] + "x" + text[at:] if rng.random() < 0.6 else "x"
    return text[:LONGEST]


def _any_digits(form: str, rng: Random) -> str:
    """Return a form of FORMS with any digits in place of its letters."""
    few = int(rng.choice([1, 2, 3, 4], p=[0.4, 0.35, 0.15, 0.1]))
    return "".join("#" * LENGTHS.get(symbol, few) if symbol in LENGTHS or symbol == "d" else symbol for symbol in form)


def _date(form: str, rng: Random) -> str:
    """Return a form of FORMS with a day, a month and the last digits of a year as its parts."""
    parts = iter((f"{rng.integers(1, 32):02}", f"{rng.integers(1, 13):02}", f"{rng.integers(0, 100):02}"))
    century = str(rng.choice(["19", "20", "20"]))
    filled = (next(parts) if symbol == "D" else century + next(parts) if symbol == "Y" else symbol for symbol in form)
    return "".join(filled)


def written(digits: Digits, rng: Random) -> Row:
    """Return one line of writing with its own slant, pen and spacing."""
    text = _text(rng)
    height = round(TALL * rng.uniform(0.3, 1.0) ** (1.0 if len(text) < 6 else 1.3))
    height = max(22, height)
    row = Row(np.zeros((3 * height, (len(text) + 3) * 3 * height), np.uint8), height, 2 * height, height)
    gap, spread = ((0.22, 0.12), (-0.06, 0.07), (0.1, 0.12), (0.6, 0.3))[int(rng.choice(4, p=[0.4, 0.22, 0.3, 0.08]))]
    pitch = height * rng.uniform(0.85, 1.7) if rng.random() < CELLS else 0.0
    start = row.right
    stretch = float(np.exp(rng.normal(0, 0.13)))
    struck = int(rng.integers(1, len(text) + 1)) if len(text) > 1 and rng.random() < CANCELLED else 0
    for number, each in enumerate(text):
        symbol, glyph, below = _glyph(each, digits, height, rng)
        if symbol < DIGITS and len(text) > 1 and rng.random() < DISPLACED:  # an exponent, or a wheel between two digits
            symbol, below = INDEX[OTHER], round(height * rng.uniform(0.35, 0.7) * rng.choice((-1, -1, 1)))
        if each == "#" or each.isdigit():
            glyph = np.asarray(cv2.resize(glyph, (max(2, round(glyph.shape[1] * stretch)), glyph.shape[0])), np.uint8)
        if pitch:
            left = round(
                start + number * pitch + (pitch - glyph.shape[1]) * float(np.clip(rng.normal(0.5, 0.13), 0, 1))
            )
            left = max(left, row.right - round(0.1 * height))
        else:
            left = row.right + round(height * max(-0.3, rng.normal(gap, spread)))
        _put(row, glyph, left, below + round(rng.normal(0, 0.04) * height))
        if not (symbol == INDEX[OTHER] and row.symbols[-1:] == [symbol]):
            row.symbols.append(symbol)
        if number + 1 == struck:
            _cancel(row, start, rng)
    if pitch and text:
        extra = int(rng.choice([0, 0, 1, 3]))
        row.edges = [round(start + k * pitch) for k in range(len(text) + 1 + extra)]
    return row


def _cancel(row: Row, start: int, rng: Random) -> None:
    """Strike out all that stands in the row by one or two lines, which reach beyond it on both sides."""
    beyond = rng.uniform(0.05, 0.5, 2) * row.height
    x = max(0, int(start - beyond[0])), int(row.right + beyond[1])
    pen = max(1, round(row.height * rng.uniform(0.04, 0.12)))
    for _ in range(int(rng.choice([1, 1, 2]))):
        y = row.base - rng.uniform(0.25, 0.75, 2) * row.height
        cv2.line(row.ink, (x[0], int(y[0])), (x[1], int(y[1])), (255,), pen, cv2.LINE_AA)
    row.right, row.symbols = x[1], [INDEX[OTHER]]


def _glyph(text: str, digits: Digits, height: int, rng: Random) -> tuple[int, Pixels, int]:
    """Return a symbol, its cropped ink, and how many pixels it ends below the base line."""
    if text in SIGNS:
        ink, below = signs.sign(text, height, lambda label: digit(digits, int(label), rng)[1], rng)
        return INDEX[text], ink, below
    if text in "xc":
        ink = _other(digits, rng) if text == "x" else _cropped(pens.draw(pens.strokes(CROSS, rng), rng))
        return INDEX[OTHER], sized(ink, height * rng.uniform(0.7, 1.25)), round(rng.normal(0, 0.1) * height)
    label, ink = digit(digits, int(text) if text.isdigit() else None, rng)
    ink = sized(ink, height * float(np.exp(rng.normal(0, 0.07))))
    if text == "s" or rng.random() < STRUCK:
        return INDEX[OTHER], _struck(ink, 2 if label in LIKE_STRUCK else 1, rng), 0
    if text == "o" or rng.random() < OVERWRITTEN:
        other, second = digit(digits, (label + int(rng.integers(1, 10))) % 10, rng)
        over = cv2.resize(sized(second, height), ink.shape[::-1])
        return (INDEX[OTHER] if {label, other} != {1, 7} else 7), np.maximum(ink, over), 0
    low = ink.shape[0] < 0.6 * height
    return label, ink, -(height - ink.shape[0]) // 2 if low else 0


def digit(digits: Digits, label: int | None, rng: Random) -> tuple[int, Pixels]:
    """Return a label, the given one or any, and its ink, cropped; a label that hardly occurs is drawn as strokes."""
    which = _index(digits, label, rng)
    found = int(digits.labels[which]) if label is None else label
    if digits.labels[which] != found or rng.random() < DRAWN[found]:
        ink = pens.digit(found, rng)
    else:
        ink = augment.bar_or_slash(digits.pictures[which], found, rng)
        ink = augment.bend(ink, rng, side=augment.FINE, amount=BENT, zoom=1.0, shift=np.zeros(2))
    return found, _cropped(ink) if ink.any() else np.full((40, 6), 255, np.uint8)


def _index(digits: Digits, label: int | None, rng: Random) -> int:
    """Return the index of a digit, with this label if one is given and among TRIES digits one has it."""
    which = int(rng.integers(len(digits)))
    for _ in range(TRIES):
        if label is None or digits.labels[which] == label:
            break
        which = int(rng.integers(len(digits)))
    return which


def sized(ink: Pixels, height: float) -> Pixels:
    """Return the ink about `height` pixels high; a horizontal stroke becomes that wide."""
    scale = height / max(ink.shape[0], 0.75 * ink.shape[1])
    size = (max(2, round(ink.shape[1] * scale)), max(2, round(ink.shape[0] * scale)))
    return np.asarray(cv2.resize(ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8)


def _other(digits: Digits, rng: Random) -> Pixels:
    """Return the ink of a letter, a word, a mark or a scribble."""
    kind = rng.random()
    if kind < 0.36:
        ink = negatives.letter(digits, rng)
    elif kind < 0.58:
        ink = pens.draw(pens.strokes(MARKS[int(rng.integers(len(MARKS)))], rng), rng)
    elif kind < 0.78:
        ink = negatives.symbol(rng)
    elif kind < 0.83:
        ink = _disc(rng)
    else:
        ink = negatives.scribble(digits, rng)
    return _cropped(ink) if ink.any() else _other(digits, rng)  # a fine pen may leave nothing of it


def _cropped(ink: Pixels) -> Pixels:
    """Return the part of the picture that has ink."""
    left, top, width, height = cv2.boundingRect(ink)
    return ink[top : top + height, left : left + width]


def _disc(rng: Random) -> Pixels:
    """Return a punched hole or a blot: a filled ellipse."""
    ink, axes = np.zeros((60, 60), np.uint8), (int(rng.integers(12, 26)), int(rng.integers(12, 26)))
    cv2.ellipse(ink, (30, 30), axes, float(rng.uniform(0, 180)), 0, 360, (255,), -1, cv2.LINE_AA)
    return ink


def _struck(ink: Pixels, fewest: int, rng: Random) -> Pixels:
    """Return the digit crossed out by strokes that reach beyond it, `fewest` at least, or scribbled over."""
    height, width = ink.shape
    margin = max(3, round(0.25 * height))
    ink, pen = np.pad(ink, ((0, 0), (margin, margin))), max(1, round(height * rng.uniform(0.05, 0.12)))
    across = width + 2 * margin
    if rng.random() < 0.35:
        points = [(rng.uniform(0, across), rng.uniform(0.05, 0.95) * height) for _ in range(int(rng.integers(6, 14)))]
        cv2.polylines(ink, [np.array(points, np.int32)], False, (255,), pen, cv2.LINE_AA)
        return ink
    for _ in range(int(rng.integers(fewest, 5))):
        y = rng.uniform(0.25, 0.75, 2) * height + np.array([1, -1]) * rng.uniform(-0.3, 0.3) * height
        cv2.line(ink, (1, int(y[0])), (across - 2, int(y[1])), (255,), pen, cv2.LINE_AA)
    return ink


def _put(row: Row, glyph: Pixels, left: int, below: int) -> None:
    """Write the glyph into the row, its lowest pixel `below` the base line."""
    high = glyph.shape[0]
    left, top = max(0, left), int(np.clip(row.base + below - high, 0, row.ink.shape[0] - high))
    region = row.ink[top : top + high, left : left + glyph.shape[1]]
    np.maximum(region, glyph[:, : region.shape[1]], out=region)
    row.right = max(row.right, left + int(region.shape[1]))
