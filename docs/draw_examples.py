"""Draws the scans in `examples/scans/`: pen strokes on paper, as different people write, always the same.

    python docs/draw_examples.py [FOLDER]

A digit is a few smooth curves through points that a hand would pass. A `Hand` bends and slants them, presses harder
on the way down, and lets the pen run dry; the paper has grain, rulings and uneven light.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np

Curve = list[tuple[float, float]]
FINER = 4  # strokes are drawn this many times larger, then reduced

# Curves of each character in a box of height 1, y downwards; a curve that begins where the last one ended goes on.
STROKES: dict[str, list[Curve]] = {
    "0": [[(0.34, 0.04), (0.14, 0.12), (0.02, 0.45), (0.06, 0.82), (0.26, 0.99), (0.48, 0.82), (0.54, 0.45),
           (0.46, 0.12), (0.28, 0.03), (0.2, 0.08)]],
    "1": [[(0.12, 0.02), (0.11, 0.5), (0.09, 1.0)]],
    "2": [[(0.04, 0.22), (0.16, 0.04), (0.38, 0.04), (0.48, 0.22), (0.38, 0.5), (0.18, 0.78), (0.02, 0.97)],
          [(0.02, 0.97), (0.28, 0.95), (0.55, 0.97)]],
    "3": [[(0.06, 0.1), (0.24, 0.01), (0.44, 0.14), (0.38, 0.38), (0.2, 0.46)],
          [(0.2, 0.46), (0.44, 0.54), (0.5, 0.78), (0.28, 1.0), (0.02, 0.9)]],
    "4": [[(0.12, 0.04), (0.08, 0.3), (0.03, 0.58)], [(0.03, 0.58), (0.3, 0.58), (0.56, 0.56)],
          [(0.42, 0.08), (0.4, 0.55), (0.37, 1.0)]],
    "5": [[(0.1, 0.05), (0.08, 0.25), (0.05, 0.45)],
          [(0.05, 0.45), (0.26, 0.38), (0.46, 0.54), (0.44, 0.84), (0.22, 1.0), (0.0, 0.9)],
          [(0.1, 0.05), (0.28, 0.05), (0.5, 0.02)]],
    "6": [[(0.42, 0.02), (0.2, 0.2), (0.04, 0.58), (0.1, 0.9), (0.3, 1.0), (0.48, 0.82), (0.42, 0.58), (0.24, 0.54),
           (0.07, 0.7)]],
    "7": [[(0.02, 0.06), (0.26, 0.06), (0.52, 0.04)], [(0.52, 0.04), (0.34, 0.45), (0.2, 1.0)]],
    "8": [[(0.44, 0.14), (0.26, 0.02), (0.08, 0.16), (0.16, 0.38), (0.38, 0.58), (0.46, 0.82), (0.26, 1.0),
           (0.05, 0.84), (0.14, 0.6), (0.36, 0.4), (0.46, 0.2), (0.41, 0.1)]],
    "9": [[(0.46, 0.2), (0.28, 0.03), (0.07, 0.14), (0.06, 0.38), (0.24, 0.46), (0.44, 0.3), (0.47, 0.16)],
          [(0.47, 0.16), (0.45, 0.55), (0.38, 1.0)]],
    "h": [[(0.1, -0.05), (0.08, 0.5), (0.06, 1.0)],
          [(0.06, 1.0), (0.1, 0.62), (0.26, 0.48), (0.38, 0.6), (0.39, 0.98)]],
    "e": [[(0.02, 0.76), (0.3, 0.72), (0.34, 0.56), (0.2, 0.47), (0.05, 0.6), (0.04, 0.86), (0.18, 1.0), (0.38, 0.9)]],
    "l": [[(0.02, 0.9), (0.2, 0.4), (0.24, 0.02), (0.13, -0.04), (0.08, 0.2), (0.08, 0.8), (0.16, 1.0), (0.28, 0.9)]],
    "o": [[(0.2, 0.48), (0.04, 0.6), (0.04, 0.86), (0.18, 1.0), (0.34, 0.86), (0.33, 0.6), (0.2, 0.48), (0.38, 0.52)]],
}  # fmt: skip

# How much of the continent writes: a flag on the one, a bar through the seven, a closed four, a tail on the nine.
EUROPEAN = {
    "1": [[(0.0, 0.38), (0.14, 0.2), (0.27, 0.02)], [(0.27, 0.02), (0.26, 0.5), (0.24, 1.0)]],
    "4": [[(0.34, 0.0), (0.18, 0.3), (0.0, 0.62)], [(0.0, 0.62), (0.3, 0.63), (0.58, 0.61)],
          [(0.38, 0.38), (0.36, 0.7), (0.33, 1.02)]],
    "7": [[(0.02, 0.12), (0.06, 0.05), (0.26, 0.06), (0.52, 0.04)], [(0.52, 0.04), (0.36, 0.45), (0.24, 1.0)],
          [(0.16, 0.52), (0.32, 0.5), (0.5, 0.48)]],
    "9": [[(0.46, 0.2), (0.28, 0.03), (0.07, 0.14), (0.06, 0.38), (0.24, 0.46), (0.44, 0.3), (0.47, 0.16)],
          [(0.47, 0.16), (0.46, 0.6), (0.38, 0.9), (0.2, 1.0), (0.06, 0.94)]],
}  # fmt: skip
# Another person's habits: a looped two, a three with a flat top.
LOOPED = {
    "2": [[(0.05, 0.2), (0.2, 0.03), (0.42, 0.1), (0.42, 0.36), (0.26, 0.68), (0.08, 0.95), (0.0, 0.87), (0.1, 0.81),
           (0.28, 0.94), (0.54, 0.96)]],
    "3": [[(0.04, 0.04), (0.22, 0.05), (0.44, 0.03)], [(0.44, 0.03), (0.33, 0.2), (0.2, 0.4)],
          [(0.2, 0.4), (0.44, 0.5), (0.48, 0.8), (0.24, 1.0), (0.0, 0.92)]],
}  # fmt: skip


@dataclass(frozen=True)
class Hand:
    """How somebody writes: sizes in pixels, colour in blue, green, red."""

    height: float = 120
    pen: float = 5.0
    slant: float = 0.12
    wide: float = 1.0
    spacing: float = 0.28
    unsteady: float = 0.022
    colour: tuple[int, int, int] = (120, 50, 25)
    dry: float = 0.25  # 0 a felt pen, 1 a pencil on rough paper
    habits: tuple[dict[str, list[Curve]], ...] = ()


def through(curve: np.ndarray, steps: int = 24) -> np.ndarray:
    """Return points along the Catmull-Rom spline through (N, 2) points."""
    ends = np.vstack([2 * curve[0] - curve[1], curve, 2 * curve[-1] - curve[-2]])
    t = np.linspace(0, 1, steps, endpoint=False)[:, None]
    pieces = [
        0.5 * (2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * b - a - 3 * c + d) * t**3)
        for a, b, c, d in zip(ends, ends[1:], ends[2:], ends[3:], strict=False)
    ]
    return np.vstack([*pieces, curve[-1:]])


def drift(rng: np.random.Generator, length: int, reach: int) -> np.ndarray:
    """Return noise of unit size that changes slowly, over `reach` steps."""
    noise = np.convolve(rng.normal(size=length + 4 * reach), np.hanning(2 * reach + 1), "same")[2 * reach : -2 * reach]
    return noise / max(1e-6, float(noise.std()))


def write(ink: np.ndarray, text: str, place: tuple[float, float], hand: Hand, rng: np.random.Generator) -> None:
    """Write a line into an ink map (H * FINER, W * FINER) uint8, its upper left corner at `place` (x, y)."""
    x, y = place
    for character in text:
        curves = STROKES[character]
        for habit in hand.habits:
            curves = habit.get(character, curves)
        height = hand.height * rng.normal(1, 0.035)
        tilt = hand.slant + rng.normal(0, 0.03)
        wide = hand.wide * rng.normal(1, 0.05)
        spot = np.array([x, y + rng.normal(0, 0.025) * hand.height + (hand.height - height)])
        right = x
        for path in joined(curves, hand.unsteady, rng):
            shaped = np.column_stack([path[:, 0] * wide + tilt * (1 - path[:, 1]), path[:, 1]]) * height + spot
            stroke(ink, shaped, hand, rng)
            right = max(right, float(shaped[:, 0].max()) - 0.5 * tilt * height)
        x = right + hand.height * hand.spacing * rng.normal(1, 0.18)


def joined(curves: list[Curve], unsteady: float, rng: np.random.Generator) -> list[np.ndarray]:
    """Turn the curves of a character into one path for each time that the pen is set down."""
    paths: list[np.ndarray] = []
    end = None
    for curve in curves:
        points = np.array(curve) + rng.normal(0, unsteady, (len(curve), 2))
        if end == curve[0]:
            points[0] = paths[-1][-1]
            paths[-1] = np.vstack([paths[-1], through(points)])
        else:
            paths.append(through(points))
        end = curve[-1]
    return paths


def stroke(ink: np.ndarray, path: np.ndarray, hand: Hand, rng: np.random.Generator) -> None:
    """Draw one path: the pen presses harder on the way down, and lifts at the end."""
    length = np.r_[0, np.cumsum(np.hypot(*np.diff(path, axis=0).T))]
    steps = max(8, int(length[-1] / (0.15 * hand.pen)))
    along = np.linspace(0, length[-1], steps)
    points = np.column_stack([np.interp(along, length, path[:, k]) for k in (0, 1)])
    # no hand is quite steady
    points += np.column_stack([drift(rng, steps, 45) for _ in (0, 1)]) * 0.0045 * hand.height
    down = np.gradient(points[:, 1], along + np.arange(steps) * 1e-6)
    lift = np.clip((length[-1] - along) / (0.8 * hand.pen), 0.65, 1) * np.clip(along / hand.pen + 0.7, 0, 1)
    radius = 0.5 * hand.pen * (0.92 + 0.16 * down + 0.07 * drift(rng, steps, 20)) * lift
    for (x, y), r in zip(points * FINER * 16, radius * FINER * 16, strict=True):
        cv2.circle(ink, (round(x), round(y)), max(8, round(r)), 255, -1, cv2.LINE_AA, 4)


def paper(size: tuple[int, int], rng: np.random.Generator, *, tone: tuple[int, int, int], shade: float) -> np.ndarray:
    """Return (H, W, 3) float32 paper with grain, under light that falls off by `shade` (0 to 1) to one side."""
    width, height = size
    grain = sum(
        cv2.resize(rng.normal(0, s, (height // k + 2, width // k + 2)).astype(np.float32), (width, height))
        for k, s in ((1, 1.3), (3, 1.2), (24, 1.6))
    )
    across, down = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    turn = rng.uniform(0, 2 * np.pi)
    light = 1 - shade * (0.5 + 0.35 * (across * np.cos(turn) + down * np.sin(turn)) + 0.15 * (across**2 + down**2))
    return ((np.array(tone, np.float32) + grain[..., None]) * light[..., None]).astype(np.float32)


def lay(sheet: np.ndarray, ink: np.ndarray, hand: Hand, rng: np.random.Generator) -> np.ndarray:
    """Lay ink on paper; a dry pen leaves out the valleys of the grain."""
    height, width = sheet.shape[:2]
    cover = cv2.resize(cv2.GaussianBlur(ink, (0, 0), 0.35 * FINER), (width, height), interpolation=cv2.INTER_AREA)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (height, width)).astype(np.float32), (0, 0), 0.8) * 2
    depth = cover / 255 * np.clip(0.95 - hand.dry * (0.22 + 0.3 * grain), 0, 1)
    return sheet * (1 - depth[..., None] * (1 - np.array(hand.colour, np.float32) / 255))


def scan(
    size: tuple[int, int], lines: list[tuple[str, float, float]], hand: Hand, rng: np.random.Generator, **look: object
) -> np.ndarray:
    """Write lines (text, x, y) on a sheet and return the scan of it, (H, W, 3) uint8.

    `look` is of `paper`, and `printed`: a function that draws on the sheet before anybody writes.
    """
    printed = look.pop("printed", None)
    sheet = paper(size, rng, **{"tone": (243, 247, 248), "shade": 0.08} | look)  # type: ignore[arg-type]
    if callable(printed):
        printed(sheet)
    ink = np.zeros((size[1] * FINER, size[0] * FINER), np.uint8)
    for text, x, y in lines:
        write(ink, text, (x, y), hand, rng)
    sheet = lay(sheet, ink, hand, rng) + rng.normal(0, 0.8, (*sheet.shape[:2], 1))
    return np.clip(sheet, 0, 255).astype(np.uint8)


def ruled(sheet: np.ndarray, pitch: int = 64, first: int = 96) -> None:
    """Print pale blue lines and a red margin, as in an exercise book."""
    for y in range(first, sheet.shape[0], pitch):
        cv2.line(sheet, (0, y), (sheet.shape[1], y + 2), (214, 190, 165), 1, cv2.LINE_AA)
    cv2.line(sheet, (58, 0), (56, sheet.shape[0]), (165, 160, 225), 1, cv2.LINE_AA)


def boxes(sheet: np.ndarray, count: int, at: tuple[int, int], box: tuple[int, int], thick: int = 2) -> None:
    """Print a row of boxes (width, height) that share their sides, its upper left corner at `at`."""
    (x, y), (w, h) = at, box
    for k in range(count + 1):
        cv2.line(sheet, (x + k * w, y), (x + k * w, y + h), (70, 70, 70), thick, cv2.LINE_AA)
    for edge in (y, y + h):
        cv2.line(sheet, (x, edge), (x + count * w, edge), (70, 70, 70), thick, cv2.LINE_AA)


def guilloche(sheet: np.ndarray) -> None:
    """Print the fine waves of a cheque."""
    x = np.arange(sheet.shape[1])
    for k in range(-2, sheet.shape[0] // 9 + 2):
        y = 9 * k + 7 * np.sin(x / 23 + 0.6 * k)
        cv2.polylines(sheet, [np.column_stack([x, y]).round().astype(np.int32)], False, (222, 226, 200), 1, cv2.LINE_AA)


def photographed(picture: np.ndarray) -> np.ndarray:
    """Turn a scan into a snapshot: a little askew, with the shadow of a hand and a table's edge out of focus."""
    height, width = picture.shape[:2]
    corners = np.array([(0, 0), (width, 0), (width, height), (0, height)], np.float32)
    seen = np.array([(26, 14), (width - 12, 30), (width - 34, height - 10), (8, height - 26)], np.float32)
    matrix = cv2.getPerspectiveTransform(corners, seen)
    picture = cv2.warpPerspective(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    shadow = np.ones((height, width), np.float32)
    cv2.ellipse(shadow, (width, height), (int(0.66 * width), int(0.56 * height)), -28, 0, 360, 0.5, -1)
    return (cv2.GaussianBlur(picture, (0, 0), 0.7) * cv2.GaussianBlur(shadow, (0, 0), 22)[..., None]).astype(np.uint8)


def in_boxes(
    text: str, at: tuple[int, int], box: tuple[int, int], hand: Hand, rng: np.random.Generator
) -> list[tuple[str, float, float]]:
    """Place each character somewhere near the middle of its box."""
    wide = [max(p[0] for curve in STROKES[c] for p in curve) * hand.height * hand.wide for c in text]
    y = at[1] + (box[1] - hand.height) / 2
    return [
        (
            c,
            at[0] + (k + 0.5) * box[0] - wide[k] / 2 - hand.slant * hand.height / 2 + rng.normal(0, 2),
            y + rng.normal(0, 2),
        )
        for k, c in enumerate(text)
    ]


AMERICAN = Hand()
CONTINENTAL = Hand(habits=(EUROPEAN,), slant=0.03, pen=5.5, colour=(55, 40, 35), unsteady=0.02)
PENCIL = Hand(habits=(LOOPED,), slant=0.2, pen=4.5, colour=(75, 72, 70), dry=0.7, unsteady=0.022)
FELT = Hand(habits=(EUROPEAN, LOOPED), slant=0.0, pen=9, wide=1.12, colour=(35, 30, 30), dry=0.1, unsteady=0.018)
RED = Hand(habits=(EUROPEAN,), slant=0.1, pen=6.5, colour=(45, 35, 190), dry=0.15)


def one(character: str, hand: Hand, rng: np.random.Generator) -> list[np.ndarray]:
    """A single digit on a slip of paper."""
    return [scan((300, 300), [(character, 100 + rng.uniform(-12, 12), 70)], replace(hand, height=150), rng)]


def number(text: str, hand: Hand, size: tuple[int, int], rng: np.random.Generator, **look: object) -> list[np.ndarray]:
    """A number in one line."""
    return [scan(size, [(text, 45, (size[1] - hand.height) / 2)], hand, rng, **look)]


def postcode(rng: np.random.Generator) -> list[np.ndarray]:
    """A postal code in the boxes of a form."""
    hand = replace(AMERICAN, height=66, pen=4.5, slant=0.06)
    lines = in_boxes("90210", (40, 35), (78, 96), hand, rng)
    return [scan((470, 166), lines, hand, rng, printed=partial(boxes, count=5, at=(40, 35), box=(78, 96)))]


def meter(rng: np.random.Generator) -> list[np.ndarray]:
    """A meter reading, leading zeros included, on a grey card."""
    hand = replace(CONTINENTAL, height=62, pen=5)
    lines = in_boxes("004821", (36, 40), (72, 92), hand, rng)
    frame = partial(boxes, count=6, at=(36, 40), box=(72, 92), thick=1)
    return [scan((504, 172), lines, hand, rng, printed=frame, tone=(216, 226, 224), shade=0.2)]


def rows(rng: np.random.Generator) -> list[np.ndarray]:
    """Two rows of four digits."""
    return [scan((560, 420), [("4711", 70, 55), ("0815", 78, 235)], replace(CONTINENTAL, height=112), rng)]


def sheet(rng: np.random.Generator) -> list[np.ndarray]:
    """Four numbers on the lines of an exercise book."""
    lines = [(text, 90 + rng.uniform(0, 14), 98 + 128 * k) for k, text in enumerate(("1968", "2024", "365", "42"))]
    return [scan((480, 600), lines, replace(AMERICAN, height=60, pen=3.6), rng, printed=ruled)]


def snapshot(rng: np.random.Generator) -> list[np.ndarray]:
    """A number photographed under a lamp, with the shadow of a hand."""
    (picture,) = number("2751", replace(FELT, height=190, pen=13), (900, 600), rng, tone=(196, 214, 222), shade=0.35)
    return [photographed(picture)]


def pages(rng: np.random.Generator) -> list[np.ndarray]:
    """Two pages of one scan in black and white, as from an office copier."""
    drawn = [number(text, FELT, (420, 260), rng)[0] for text in ("86", "93")]
    return [np.where(cv2.cvtColor(page, cv2.COLOR_BGR2GRAY) > 150, 255, 0).astype(np.uint8) for page in drawn]


# name of the file, which tells what is on it -> what draws it
EXAMPLES: dict[str, Callable[[np.random.Generator], list[np.ndarray]]] = {
    "amount-1250.jpg": partial(number, "1250", CONTINENTAL, (520, 200), printed=guilloche, tone=(238, 244, 232)),
    "blank.png": lambda rng: number("", AMERICAN, (320, 240), rng, shade=0.15),
    "digit-1-flag.png": partial(one, "1", CONTINENTAL),
    "digit-3.png": partial(one, "3", AMERICAN),
    "digit-4-pencil.jpg": partial(one, "4", PENCIL),
    "digit-7-bar.png": partial(one, "7", CONTINENTAL),
    "digit-8.png": partial(one, "8", FELT),
    "mark-17.png": partial(number, "17", RED, (300, 210), tone=(225, 243, 250)),
    "meter-004821.jpg": meter,
    "number-60354.jpg": partial(number, "60354", replace(PENCIL, spacing=0.16), (520, 210), shade=0.2),
    "pages-86-93.tif": pages,
    "photo-2751.jpg": snapshot,
    "postcode-90210.jpg": postcode,
    "rows-4711-0815.jpg": rows,
    "sheet-1968-2024-365-42.jpg": sheet,
    "word-hello.png": partial(number, "hello", replace(AMERICAN, spacing=0.04), (420, 220)),
}


def draw(name: str) -> list[np.ndarray]:
    """Draw one example: its pages, each (H, W, 3) or (H, W) uint8, the same every time."""
    return EXAMPLES[name](np.random.default_rng(crc32(name.encode())))


def save(folder: Path) -> None:
    """Draw all examples into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    options = {
        ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 85],
        ".png": [cv2.IMWRITE_PNG_COMPRESSION, 9],
        ".tif": [cv2.IMWRITE_TIFF_COMPRESSION, 5],
    }
    for name in EXAMPLES:
        drawn = draw(name)
        if name.endswith(".tif"):
            done, data = cv2.imencodemulti(".tif", drawn, options[".tif"])
        else:
            done, data = cv2.imencode(Path(name).suffix, drawn[0], options[Path(name).suffix])
        assert done, name
        (folder / name).write_bytes(data)


if __name__ == "__main__":
    save(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parents[1] / "examples" / "scans")
