"""Kinds of paper, pens, cameras and backgrounds: each renders a row of MNIST digits as a scanned page.

The digits are redrawn at the size of a scan. Nothing here shares code with the augmentation of the training.
"""

from collections.abc import Callable

import cv2
import numpy as np

Picture = np.ndarray  # (H, W) or (H, W, 3), uint8
Ink = np.ndarray  # (H, W) float32, 0 = paper to 1 = ink
Random = np.random.Generator
FONT = cv2.FONT_HERSHEY_SIMPLEX
MARGIN = 0.6  # margin around a digit, at most, relative to its height


def row(digits: Picture, rng: Random) -> Picture:
    """Return (n, 28, 28) digits side by side, apart, slightly shifted up and down; a single one is unchanged."""
    if len(digits) == 1:
        return digits[0]
    cropped = [digit[:, digit.any(axis=0)] for digit in digits]
    shifted = [np.roll(digit, int(rng.integers(-1, 2)), axis=0) for digit in cropped]
    gaps = [np.zeros((28, int(rng.integers(3, 9))), np.uint8) for _ in digits]
    return np.hstack([part for pair in zip(gaps, shifted, strict=True) for part in pair])


def drawn(digit: Picture, height: int) -> Ink:
    """Return a (28, w) digit or row redrawn with smooth outlines, `height` pixels high, or wide if it is wider."""
    left, top, wide, high = cv2.boundingRect(digit)
    digit = cv2.copyMakeBorder(digit[top : top + high, left : left + wide], 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    scale = height / (max(high, wide) if len(digit[0]) <= 30 else high)
    large = cv2.resize(digit.astype(np.float32) / 255, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
    large = cv2.GaussianBlur(large, (0, 0), max(0.3, 0.4 * scale))
    return np.clip((large - 0.5) * max(1.0, scale / 2) + 0.5, 0, 1)


def framed(ink: Ink, rng: Random, least: float = 0.15, most: float = MARGIN) -> Ink:
    """Return the ink with margins between these shares of its height on each side."""
    around = np.rint(rng.uniform(least, most, 4) * min(ink.shape[0], 3 * ink.shape[1])).astype(int).tolist()
    return cv2.copyMakeBorder(ink, *around, cv2.BORDER_CONSTANT, value=0)


def on_paper(ink: Ink, rng: Random, *, paper: float = 235, dark: float = 0.75, rough: float = 2.0) -> Picture:
    """Return ink on grainy grey paper, darker than it by `dark`."""
    page = paper * (1 - dark * ink) + rng.normal(0, rough, ink.shape)
    return np.clip(page, 0, 255).astype(np.uint8)


def usual(digit: Picture, rng: Random) -> Ink:
    """A digit of usual size with paper around it."""
    return framed(drawn(digit, int(rng.integers(50, 160))), rng)


def clouds(shape: tuple[int, ...], cells: int, rng: Random) -> Ink:
    """Return smooth noise from 0 to 1."""
    spots = rng.random((cells, cells)).astype(np.float32)
    return np.clip(cv2.resize(spots, shape[1::-1], interpolation=cv2.INTER_CUBIC), 0, 1)


def plain(digit: Picture, rng: Random) -> Picture:
    return on_paper(usual(digit, rng), rng)


def small(digit: Picture, rng: Random) -> Picture:
    ink = drawn(digit, int(rng.integers(13, 20)))
    return on_paper(framed(ink, rng, 3, 12), rng)


def large(digit: Picture, rng: Random) -> Picture:
    return on_paper(framed(drawn(digit, int(rng.integers(500, 900))), rng), rng)


def tight(digit: Picture, rng: Random) -> Picture:
    return on_paper(drawn(digit, int(rng.integers(24, 120))), rng)


def felt_pen(digit: Picture, rng: Random) -> Picture:
    """A felt pen, cropped tightly: almost no margin around the strokes."""
    height = int(rng.integers(36, 200))
    side = int(height * rng.uniform(0.04, 0.12)) | 1
    ink = cv2.dilate(framed(drawn(digit, height), rng, 0.2), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    ink = ink[(ink > 0.5).any(axis=1)][:, (ink > 0.5).any(axis=0)]
    return on_paper(ink, rng, paper=rng.uniform(170, 245), dark=rng.uniform(0.5, 0.85))


def sixteen(digit: Picture, rng: Random) -> Picture:
    """16 x 16 pixels, filled in one direction, as in the postal codes of the USPS collection."""
    left, top, wide, high = cv2.boundingRect(digit)
    scale = 16 / max(high, wide)
    size = (max(3, round(wide * scale)), max(3, round(high * scale)))
    page = np.zeros((16, 16), np.uint8)
    x, y = (16 - size[0]) // 2, (16 - size[1]) // 2
    page[y : y + size[1], x : x + size[0]] = cv2.resize(
        digit[top : top + high, left : left + wide], size, interpolation=cv2.INTER_AREA
    )
    return 255 - page


def mnist(digit: Picture, rng: Random) -> Picture:
    return digit


def pencil(digit: Picture, rng: Random) -> Picture:
    return on_paper(usual(digit, rng), rng, paper=rng.uniform(200, 245), dark=rng.uniform(0.13, 0.22), rough=2.5)


def coloured(digit: Picture, rng: Random) -> Picture:
    ink = usual(digit, rng)
    pen = np.array([(190, 60, 20), (40, 40, 210), (60, 130, 30), (130, 90, 60)])[int(rng.integers(4))]
    paper = np.array([(235, 240, 240), (150, 235, 250), (215, 205, 250), (205, 235, 210)])[int(rng.integers(4))]
    page = paper + (pen - paper) * ink[..., None] + rng.normal(0, 3, (*ink.shape, 3))
    return np.clip(page, 0, 255).astype(np.uint8)


def chalk(digit: Picture, rng: Random) -> Picture:
    ink = usual(digit, rng)
    ink = ink * np.clip(rng.normal(0.85, 0.25, ink.shape), 0, 1)
    return np.clip(50 + 30 * clouds(ink.shape, 5, rng) + 150 * ink + rng.normal(0, 4, ink.shape), 0, 255).astype(
        np.uint8
    )


def negative(digit: Picture, rng: Random) -> Picture:
    """White on black, drawn with a thin or a very thick brush."""
    height = int(rng.integers(60, 300))
    ink = framed(drawn(digit, height), rng)
    side = 2 * int(height * rng.uniform(0, 0.07)) + 1
    ink = cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    return np.clip(8 + 240 * ink + rng.normal(0, 2, ink.shape), 0, 255).astype(np.uint8)


def shadow(digit: Picture, rng: Random) -> Picture:
    ink = usual(digit, rng)
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    along = (x - ink.shape[1] * rng.uniform(0.3, 0.7)) * np.cos(angle) + (
        y - ink.shape[0] * rng.uniform(0.3, 0.7)
    ) * np.sin(angle)
    shade = 1 / (1 + np.exp(-along / rng.uniform(1, 15)))
    page = 230 * (1 - 0.75 * ink) * (1 - rng.uniform(0.3, 0.55) * shade) + rng.normal(0, 2, ink.shape)
    return np.clip(page, 0, 255).astype(np.uint8)


def squared(digit: Picture, rng: Random) -> Picture:
    ink = usual(digit, rng)
    step, thick = max(ink.shape) * rng.uniform(0.12, 0.3), int(rng.integers(1, 3))
    lines = np.zeros_like(ink)
    for start in np.arange(rng.uniform(0, step), max(ink.shape), step).astype(int).tolist():
        cv2.line(lines, (start, 0), (start, ink.shape[0]), (1.0,), thick, cv2.LINE_AA)
        cv2.line(lines, (0, start), (ink.shape[1], start), (1.0,), thick, cv2.LINE_AA)
    return on_paper(np.maximum(ink, lines * rng.uniform(0.15, 0.5)), rng)


def ruled(digit: Picture, rng: Random) -> Picture:
    ink = usual(digit, rng)
    lines, thick = np.zeros_like(ink), int(rng.integers(1, 4))
    y, tilt = rng.uniform(0.5, 0.95) * ink.shape[0], rng.normal(0, 0.02) * ink.shape[1]
    for row in (y, y - ink.shape[0] * rng.uniform(0.6, 1)):
        cv2.line(lines, (0, int(row)), (ink.shape[1], int(row + tilt)), (1.0,), thick, cv2.LINE_AA)
    return on_paper(np.maximum(ink, lines * rng.uniform(0.3, 1)), rng)


def table(digit: Picture, rng: Random) -> Picture:
    """A sheet on a dark table, turned a little."""
    ink = framed(drawn(digit, int(rng.integers(50, 160))), rng, 0.4, 1.0)
    around = np.rint(rng.uniform(0, 0.6, 4) * min(ink.shape)).astype(int).tolist()
    page = cv2.copyMakeBorder(on_paper(ink, rng), *around, cv2.BORDER_CONSTANT, value=-1)
    sheet = cv2.copyMakeBorder(np.ones_like(ink), *around, cv2.BORDER_CONSTANT, value=0)
    turn = cv2.getRotationMatrix2D((page.shape[1] / 2, page.shape[0] / 2), rng.uniform(-12, 12), 1)
    page = cv2.warpAffine(page, turn, page.shape[::-1], flags=cv2.INTER_LINEAR)
    sheet = cv2.warpAffine(sheet, turn, page.shape[::-1], flags=cv2.INTER_LINEAR)
    desk = rng.uniform(30, 110) + 40 * clouds(page.shape, 12, rng)
    return np.clip(sheet * page + (1 - sheet) * desk + rng.normal(0, 2, page.shape), 0, 255).astype(np.uint8)


def boxed(digit: Picture, rng: Random) -> Picture:
    """A cell cut from a form, with one to four of its sides, none of them exactly at the edge."""
    ink = framed(drawn(digit, int(rng.integers(40, 120))), rng, 0.08, 0.4)
    lines, thick = np.zeros_like(ink), int(rng.integers(1, 4))
    high, wide = ink.shape
    at = np.rint(rng.uniform(0, 0.06, 4) * max(ink.shape)).astype(int).tolist()
    sides = [
        ((at[0], 0), (at[0], high)),
        ((wide - 1 - at[1], 0), (wide - 1 - at[1], high)),
        ((0, at[2]), (wide, at[2])),
        ((0, high - 1 - at[3]), (wide, high - 1 - at[3])),
    ]
    for side in rng.choice(4, int(rng.integers(1, 5)), replace=False):
        cv2.line(lines, *sides[side], (1.0,), thick)
    return on_paper(np.maximum(ink, lines * rng.uniform(0.4, 1)), rng)


def jpeg(digit: Picture, rng: Random) -> Picture:
    data = cv2.imencode(".jpg", plain(digit, rng), [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(5, 16))])[1]
    return cv2.imdecode(data, cv2.IMREAD_GRAYSCALE)


def noisy(digit: Picture, rng: Random) -> Picture:
    return on_paper(usual(digit, rng), rng, rough=rng.uniform(18, 35))


def blurred(digit: Picture, rng: Random) -> Picture:
    ink = usual(digit, rng)
    return on_paper(
        cv2.GaussianBlur(ink, (0, 0), 0.03 * min(ink.shape[0], 2 * ink.shape[1]) * rng.uniform(0.5, 1)), rng
    )


def fax(digit: Picture, rng: Random) -> Picture:
    page = on_paper(framed(drawn(digit, int(rng.integers(24, 80))), rng), rng, rough=20)
    page = np.where(page > 128, 255, 0).astype(np.uint8)
    page[rng.random(page.shape) < rng.uniform(0.002, 0.02)] = 0
    return page


def dithered(digit: Picture, rng: Random) -> Picture:
    page = on_paper(usual(digit, rng), rng, paper=rng.uniform(200, 240), dark=rng.uniform(0.6, 0.9))
    bayer = np.array([[0, 8, 2, 10], [12, 4, 14, 6], [3, 11, 1, 9], [15, 7, 13, 5]]) * 16 + 8
    return np.where(
        page > np.tile(bayer, np.array(page.shape) // 4 + 1)[: page.shape[0], : page.shape[1]], 255, 0
    ).astype(np.uint8)


def marker(digit: Picture, rng: Random) -> Picture:
    height = int(rng.integers(60, 160))
    ink = framed(drawn(digit, height), rng, 0.3)
    side = int(height * rng.uniform(0.06, 0.12)) | 1
    return on_paper(cv2.dilate(ink, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))), rng)


def parchment(digit: Picture, rng: Random) -> Picture:
    """An old book: stains, uneven ink, show-through, fragments of neighbours at the sides."""
    ink = usual(digit, rng)
    ink = ink * np.clip(0.6 + 0.7 * clouds(ink.shape, 9, rng), 0, 1)
    high, wide = ink.shape
    back = cv2.GaussianBlur(
        np.roll(ink[:, ::-1], (int(rng.integers(high)), int(rng.integers(wide))), (0, 1)), (0, 0), 2
    )
    paper = 165 + 45 * clouds(ink.shape, 4, rng) + 15 * clouds(ink.shape, 25, rng)
    for side in (0, wide - 1):
        if rng.random() < 0.4:
            y = int(rng.integers(high))
            cv2.ellipse(
                ink,
                (side, y),
                (max(2, wide // 16), high // 4),
                rng.uniform(-20, 20),
                0,
                360,
                (0.9,),
                max(2, high // 30),
            )
    page = paper * (1 - 0.62 * ink) * (1 - 0.15 * back) + rng.normal(0, 4, ink.shape)
    tint = np.array([0.75, 0.9, 1.0])
    return np.clip(page[..., None] * tint, 0, 255).astype(np.uint8)


def broken(digit: Picture, rng: Random) -> Picture:
    """A pen that skips: two to four gaps across the strokes."""
    ink = usual(digit, rng)
    y, x = np.nonzero(ink > 0.5)
    for _ in range(int(rng.integers(2, 5))):
        where = int(rng.integers(len(y)))
        cv2.circle(ink, (int(x[where]), int(y[where])), max(1, round(0.035 * max(ink.shape))), (0.0,), -1)
    return on_paper(ink, rng)


def captioned(digit: Picture, rng: Random) -> Picture:
    """A small printed word above or below."""
    height = int(rng.integers(60, 160))
    ink = framed(drawn(digit, height), rng, 0.5, 0.8)
    word = ("Total", "No.", "Date", "Name:", "kWh", "Class")[int(rng.integers(6))]
    y = int(rng.choice([0.18 * height, ink.shape[0] - 0.1 * height]))
    print_ = np.zeros(ink.shape, np.uint8)
    cv2.putText(print_, word, (int(0.05 * height), y), FONT, height / 160, (230,), max(1, height // 70), cv2.LINE_AA)
    return on_paper(np.maximum(ink, print_ / np.float32(255)), rng)


def tilted(digit: Picture, rng: Random) -> Picture:
    ink = framed(drawn(digit, int(rng.integers(50, 160))), rng, 0.5)
    turn = cv2.getRotationMatrix2D((ink.shape[1] / 2, ink.shape[0] / 2), rng.uniform(-18, 18), 1)
    return on_paper(cv2.warpAffine(ink, turn, ink.shape[::-1]), rng)


def glare(digit: Picture, rng: Random) -> Picture:
    ink = usual(digit, rng)
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]].astype(np.float32)
    far = ((x / ink.shape[1] - rng.uniform()) ** 2 + (y / ink.shape[0] - rng.uniform()) ** 2) / rng.uniform(0.02, 0.1)
    page = 170 * (1 - 0.7 * ink) + 120 * np.exp(-far) + rng.normal(0, 3, ink.shape)
    return np.clip(page, 0, 255).astype(np.uint8)


def squashed(digit: Picture, rng: Random) -> Picture:
    """Stretched to twice the width, or compressed to half."""
    ink = drawn(digit, int(rng.integers(50, 160)))
    by = float(rng.choice([rng.uniform(1.5, 2.2), rng.uniform(0.5, 0.65)]))
    return on_paper(framed(np.clip(cv2.resize(ink, None, fx=by, fy=1, interpolation=cv2.INTER_LINEAR), 0, 1), rng), rng)


def patterned(digit: Picture, rng: Random) -> Picture:
    """Cheque paper: fine waves under the ink."""
    ink = usual(digit, rng)
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]].astype(np.float32)
    period = max(ink.shape) * rng.uniform(0.04, 0.12)
    wave = np.sin(2 * np.pi * (x * rng.normal() + y * rng.normal()) / period + 2 * np.sin(2 * np.pi * y / period / 5))
    page = (205 + 22 * wave) * (1 - 0.65 * ink) + rng.normal(0, 4, ink.shape)
    return np.clip(page, 0, 255).astype(np.uint8)


def vignette(digit: Picture, rng: Random) -> Picture:
    """An old photograph: brown, and dark towards its corners."""
    ink = usual(digit, rng)
    y, x = np.mgrid[: ink.shape[0], : ink.shape[1]].astype(np.float32)
    far = (x / ink.shape[1] - 0.5) ** 2 + (y / ink.shape[0] - 0.5) ** 2
    page = 215 * (1 - 0.7 * ink) * (1 - rng.uniform(0.6, 1.2) * far) + rng.normal(0, 3, ink.shape)
    return np.clip(page[..., None] * np.array([0.6, 0.82, 1.0]), 0, 255).astype(np.uint8)


def perspective(digit: Picture, rng: Random) -> Picture:
    """A sheet on a table, photographed at an angle."""
    page = on_paper(framed(drawn(digit, int(rng.integers(60, 140))), rng, 0.5, 0.9), rng)
    high, wide = page.shape
    flat = np.array([[0, 0], [wide, 0], [wide, high], [0, high]], np.float32)
    seen = flat + rng.uniform(0, 0.14, (4, 2)).astype(np.float32) * [wide, high] * [[1, 1], [-1, 1], [-1, -1], [1, -1]]
    room = np.float32(0.15 * min(high, wide))
    matrix = cv2.getPerspectiveTransform(flat, (seen + room).astype(np.float32))
    size = (round(wide + 2 * room), round(high + 2 * room))
    sheet = cv2.warpPerspective(np.ones_like(page), matrix, size)
    desk = rng.uniform(40, 120) + 20 * clouds(size[::-1], 9, rng)
    photo = np.where(sheet > 0, cv2.warpPerspective(page, matrix, size).astype(np.float32), desk)
    return np.clip(cv2.GaussianBlur(photo, (0, 0), 0.8) + rng.normal(0, 3, photo.shape), 0, 255).astype(np.uint8)


def dotted(digit: Picture, rng: Random) -> Picture:
    """A form's dotted line under the digits, or through their lower ends."""
    ink = usual(digit, rng)
    bottom = int(np.flatnonzero(ink.max(axis=1) > 0.5)[-1])
    y, step = min(ink.shape[0] - 2, bottom + int(rng.integers(-4, 6))), int(rng.integers(5, 12))
    dots = np.zeros_like(ink)
    for x in range(int(rng.integers(step)), ink.shape[1], step):
        cv2.circle(dots, (x, y), int(rng.integers(1, 3)), (0.8,), -1)
    return on_paper(np.maximum(ink, dots), rng)


def circled(digit: Picture, rng: Random) -> Picture:
    """A number with a ring drawn around it."""
    ink = framed(drawn(digit, int(rng.integers(50, 160))), rng, 0.5, 0.7)
    y, x = (int(np.flatnonzero((ink > 0.5).any(axis=axis)).mean()) for axis in (1, 0))
    high, wide = ((ink > 0.5).any(axis=axis).sum() for axis in (1, 0))
    axes = (int(0.72 * wide + 0.15 * high), int(0.8 * high))
    begin = int(rng.integers(0, 360))
    ring = np.zeros_like(ink)
    end = begin + int(rng.integers(340, 375))
    cv2.ellipse(ring, (x, y), axes, float(rng.normal(0, 5)), begin, end, (0.9,), max(1, high // 25), cv2.LINE_AA)
    return on_paper(np.maximum(ink, ring), rng)


PAPERS: tuple[Callable[[Picture, Random], Picture], ...] = (
    plain, small, large, tight, sixteen, mnist, pencil, coloured, chalk, shadow, squared, ruled, table, boxed, jpeg,
    noisy, blurred, fax, dithered, marker, parchment, broken, captioned, tilted, glare, squashed, patterned, negative,
    vignette, perspective, dotted, circled, felt_pen,
)  # fmt: skip
OF_ONE_DIGIT = (sixteen, mnist, squashed, broken)
