"""Text, colours and rectangles in pixels; words are set once in matplotlib's font and kept for the next time.

Pictures are (H, W) uint8, each pixel a place in the palette. On a colour picture, (H, W, 3) uint8 in the order blue,
green, red, the same functions draw with the colours themselves.
"""

from functools import cache, lru_cache
from pathlib import Path

import matplotlib
import numpy as np
from matplotlib.ft2font import FT2Font

from digitwatch.reading.palette import PALETTE, WHITE, Colour

_FONTS = {False: "DejaVuSans.ttf", True: "DejaVuSans-Bold.ttf"}
_MISSING = "□"


@cache
def _font(bold: bool) -> FT2Font:
    return FT2Font(str(Path(matplotlib.get_data_path(), "fonts", "ttf", _FONTS[bold])))


@lru_cache(4096)
def _drawable(character: str, bold: bool) -> bool:
    return character.isprintable() and _font(bold).get_char_index(ord(character)) != 0


def printable(text: str, bold: bool = False) -> str:
    """Return the text with a box for each character that the font lacks or that would not show, such as a line end."""
    return "".join(c if _drawable(c, bold) else _MISSING for c in text)


@lru_cache(2048)
def _letter(character: str, size: int, bold: bool) -> tuple[float, int, np.ndarray]:
    """Return a letter's advance, its offset to the right, and its cover, (1.25 size, W) uint8, 255 = ink."""
    font = _font(bold)
    font.set_size(size, 72)  # at 72 dots per inch a point is a pixel
    glyph = font.load_char(ord(character))
    font.set_text(character, 0.0)
    font.draw_glyphs_to_bitmap(antialiased=True)
    mask = np.asarray(font.get_image())
    line = np.zeros((size * 5 // 4, mask.shape[1]), np.uint8)
    top = max(0, size - mask.shape[0] + round(font.get_descent() / 64))
    rows = min(mask.shape[0], line.shape[0] - top)
    line[top : top + rows] = mask[:rows]
    return glyph.linearHoriAdvance / 65536, max(0, glyph.horiBearingX // 64), line


@lru_cache(512)
def lettering(text: str, size: int, *, bold: bool = False, ink: Colour, ground: Colour) -> np.ndarray:
    """Set a line of text.

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
    """Shorten a line in its middle until it is at most `width` pixels wide."""
    text = printable(text[:1000] + text[-1000:] if len(text) > 2000 else text, bold)
    widths = [_letter(c, size, bold)[0] for c in text]
    if sum(widths) <= width:
        return text
    room = width - _letter("…", size, bold)[0]
    front = int(np.searchsorted(np.cumsum(widths), room / 2))
    back = int(np.searchsorted(np.cumsum(widths[::-1]), room / 2))
    return text[:front] + "…" + text[len(text) - back :]


def fill(picture: np.ndarray, area: tuple[int, int, int, int], colour: Colour) -> None:
    """Fill left, top, width, height of a picture, as far as it lies within."""
    left, top, width, height = area
    room = picture[max(0, top) : max(0, top + height), max(0, left) : max(0, left + width)]
    room[...] = colour if picture.ndim == 2 else PALETTE[colour]


def paste(picture: np.ndarray, stamp: np.ndarray, left: int, top: int) -> None:
    """Lay a small picture on a larger one, as far as it lies within; `left` and `top` are 0 or more."""
    room = picture[top : top + stamp.shape[0], left : left + stamp.shape[1]]
    shown = stamp[: room.shape[0], : room.shape[1]]
    room[...] = shown if stamp.ndim == picture.ndim else PALETTE[shown]


def write(sheet: np.ndarray, place: tuple[int, int], text: str, size: int, ink: Colour, *, bold: bool = False) -> None:
    """Write a line on white with its upper left corner at `place` (left, top)."""
    paste(sheet, lettering(text, size, bold=bold, ink=ink, ground=WHITE), *place)
