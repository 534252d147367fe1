"""Text, colours and rectangles in pixels; words are set once, in the font that comes with matplotlib, and kept.

Pictures are (H, W) uint8, each pixel a place in the palette. On a colour picture, (H, W, 3) uint8 in the order blue,
green, red, the same functions draw with the colours themselves.
"""

import importlib.util
import unicodedata
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from digitwatch.recognition.annotation.palette import PALETTE, WHITE, Colour

_FONTS = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
_MISSING = "□"
_LARGE = 200  # pixels: a size in which rounding does not show
_NO_LETTER = "\U0010ffff"  # is in no font


@cache
def _font(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    # Found without importing matplotlib, which would double a worker's import time.
    package = importlib.util.find_spec("matplotlib")
    assert package is not None and package.submodule_search_locations
    path = Path(package.submodule_search_locations[0], "mpl-data", "fonts", "ttf", _FONTS[bold])
    return ImageFont.truetype(str(path), size, layout_engine=ImageFont.Layout.BASIC)


@cache
def _no_letter(bold: bool) -> bytes:
    return bytes(_font(20, bold).getmask(_NO_LETTER))


@lru_cache(4096)
def _drawable(character: str, bold: bool) -> bool:
    """Return whether a character can be drawn alone, from left to right, as these pictures are."""
    if not character.isprintable() or unicodedata.bidirectional(character) in ("R", "AL"):
        return False
    return bytes(_font(20, bold).getmask(character)) != _no_letter(bold)


def printable(text: str, bold: bool = False) -> str:
    """Return the text in letters that the font has.

    Other scripts, and those written from right to left, are transliterated. What has no letters, such as a line end,
    becomes a box.
    """
    return "".join(c if _drawable(c, bold) else _transliterated(c) for c in unicodedata.normalize("NFC", text))


@lru_cache(4096)
def _transliterated(character: str) -> str:
    """Return an approximation in Latin letters: `Sao` for 扫, `:camera:` for a picture of one."""
    if not character.isprintable():
        return _MISSING
    try:
        from anyascii import anyascii  # noqa: PLC0415 (opens a table that few names need)
    except ImportError:  # left out by a distribution
        return _MISSING
    latin: str = anyascii(character)
    return latin or ("" if unicodedata.category(character)[0] in "LM" else _MISSING)  # some letters are silent


@lru_cache(2048)
def _letter(character: str, size: int, bold: bool) -> tuple[float, int, np.ndarray]:
    """Return a letter's advance, its offset to the right, and its cover, (1.25 size, W) uint8, 255 = ink."""
    font = _font(size, bold)
    left, _, right, _ = (round(side) for side in font.getbbox(character, anchor="ls"))
    line = Image.new("L", (max(1, right - left), size * 5 // 4))
    ImageDraw.Draw(line).text((-left, size - 1), character, 255, font, anchor="ls")
    # In small sizes advances are rounded to pixels, which would make words wider.
    return _font(_LARGE, bold).getlength(character) * size / _LARGE, max(0, left), np.asarray(line)


@lru_cache(512)
def lettering(text: str, size: int, *, bold: bool = False, ink: Colour, ground: Colour) -> np.ndarray:
    """Return a line of text as a picture.

    `size` is the height of the font in pixels. Returns (1.25 size, W, 3) uint8, read-only, with the baseline always
    at the same height, so that lines of one size can be laid side by side.
    """
    letters = [_letter(c, size, bold) for c in printable(text, bold) or " "]
    line = np.zeros((size * 5 // 4, round(sum(letter[0] for letter in letters))), np.uint8)
    start = 0.0
    for advance, offset, cover in letters:
        room = line[:, round(start) + offset :][:, : cover.shape[1]]
        np.maximum(room, cover[:, : room.shape[1]], out=room)
        start += advance
    picture: np.ndarray = _shades(ink, ground)[line]
    picture.flags.writeable = False
    return picture


@cache
def _shades(ink: Colour, ground: Colour) -> np.ndarray:
    """Return the nearest colour of the palette for each degree of cover: (256,) uint8."""
    wanted = np.linspace(PALETTE[ground], PALETTE[ink], 256)
    apart = ((wanted[:, None] - PALETTE[None].astype(float)) ** 2).sum(axis=2)
    return np.asarray(apart.argmin(axis=1), np.uint8)


def fitted(text: str, size: int, width: int, *, bold: bool = False) -> str:
    """Return a line shortened in its middle until it is at most `width` pixels wide."""
    text = printable(text[:1000] + text[-1000:] if len(text) > 2000 else text, bold)
    widths = [_letter(c, size, bold)[0] for c in text]
    if sum(widths) <= width:
        return text
    room = width - _letter("…", size, bold)[0]
    front = int(np.searchsorted(np.cumsum(widths), room / 2))
    back = int(np.searchsorted(np.cumsum(widths[::-1]), room / 2))
    return text[:front] + "…" + text[len(text) - back :]


def text_width(text: str, size: int, *, bold: bool = False) -> float:
    """Return the width of a line in pixels."""
    return sum(_letter(c, size, bold)[0] for c in printable(text, bold))


def wrapped(text: str, size: int, width: int, *, bold: bool = False) -> list[str]:
    """Return a text as lines of at most `width` pixels, broken at spaces where that is possible."""
    lines: list[str] = []
    line, used, space = "", 0.0, -1  # the place of the last space in `line`
    for character in printable(text, bold):
        advance = _letter(character, size, bold)[0]
        if line and used + advance > width:
            rest = line[space + 1 :] if space > 0 else ""
            lines.append(line[:space] if space > 0 else line)
            line, used, space = rest, text_width(rest, size, bold=bold), -1
        if character == " ":
            space = len(line)
        line, used = line + character, used + advance
    return [*lines, line]


def fill(picture: np.ndarray, area: tuple[int, int, int, int], colour: Colour) -> None:
    """Fill a rectangle (left, top, width, height) of a picture, clipped to it."""
    left, top, width, height = area
    room = picture[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    room[...] = colour if picture.ndim == 2 else PALETTE[colour]


def paste(picture: np.ndarray, stamp: np.ndarray, left: int, top: int) -> None:
    """Copy a small picture onto a larger one, clipped to it; `left` and `top` are 0 or more."""
    room = picture[top : top + stamp.shape[0], left : left + stamp.shape[1]]
    shown = stamp[: room.shape[0], : room.shape[1]]
    room[...] = shown if stamp.ndim == picture.ndim else PALETTE[shown]


def write(sheet: np.ndarray, place: tuple[int, int], text: str, size: int, ink: Colour, *, bold: bool = False) -> None:
    """Write a line on white with its upper left corner at `place` (left, top)."""
    paste(sheet, lettering(text, size, bold=bold, ink=ink, ground=WHITE), *place)
