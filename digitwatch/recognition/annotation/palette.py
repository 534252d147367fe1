"""The palette of annotated pictures, and their PNG encoding; a grey page takes one byte per pixel."""

import struct

import cv2
import numpy as np
from isal import isal_zlib

Colour = int  # an index of PALETTE

# They differ in brightness as well, and only repeat what the text says.
INK, GREY, WHITE = 21, 75, 175  # of the greys, which come first, from black to white
BLUE, GREEN, AMBER, CREAM = 176, 196, 216, 255  # at one end of a row of shades
_SHADES = 20  # between two colours: enough for the soft edges of letters
_BETWEEN = (  # blue, green, red, as in OpenCV
    ((164, 97, 11), (255, 255, 255)),
    ((79, 115, 10), (255, 255, 255)),
    ((0, 84, 179), (255, 255, 255)),
    ((30, 30, 30), (221, 242, 255)),
)
_GREYS = np.repeat(np.linspace(0, 255, WHITE + 1)[:, None], 3, axis=1)
PALETTE = np.vstack([_GREYS, *(np.linspace(*ends, _SHADES) for ends in _BETWEEN)]).round().astype(np.uint8)

_TONES = (np.arange(256) * (WHITE / 255)).round().astype(np.uint8)
_RGB = PALETTE[:, ::-1].tobytes()
_COLOURLESS = 4  # by which the three colours of a grey pixel may differ

# PNG specification, 11.2.2 and 9.2: colour types, and the filter of differences from the line above
_WITH_PALETTE, _IN_COLOUR = 3, 2
_UP = 2


def toned(picture: np.ndarray) -> np.ndarray:
    """Return a grey picture, (H, W) or (H, W, 3) uint8, in the palette, (H, W); a coloured one unchanged."""
    if picture.ndim == 3:
        blue, green, red = cv2.split(picture)
        if max(cv2.norm(green, other, cv2.NORM_INF) for other in (blue, red)) > _COLOURLESS:
            return picture
        picture = green  # scanners give three equal colours for a grey
    tones: np.ndarray = cv2.LUT(picture, _TONES)
    return tones


def blank(height: int, width: int, colour: Colour, like: np.ndarray) -> np.ndarray:
    """Return a picture of one colour, with three bytes per pixel where `like` has them."""
    return np.full((height, width, *like.shape[2:]), colour if like.ndim == 2 else PALETTE[colour], np.uint8)


def png(picture: np.ndarray) -> bytes:
    """Return (H, W) indices of the palette, or (H, W, 3) blue, green, red, as a PNG, fast rather than small.

    Not by Pillow or OpenCV, whose zlib takes four times as long as ISA-L, and more than all the drawing.
    """
    height, width = picture.shape[:2]
    pixels = (picture if picture.ndim == 2 else picture[..., ::-1]).reshape(height, -1)
    lines = np.empty((height, 1 + pixels.shape[1]), np.uint8)
    lines[:, 0] = _UP
    lines[0, 1:] = pixels[0]
    np.subtract(pixels[1:], pixels[:-1], out=lines[1:, 1:])
    kind = _WITH_PALETTE if picture.ndim == 2 else _IN_COLOUR
    chunks = [(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, kind, 0, 0, 0))]
    chunks += [(b"PLTE", _RGB)] if kind == _WITH_PALETTE else []
    chunks += [(b"IDAT", isal_zlib.compress(lines, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*chunk) for chunk in chunks)


def _chunk(name: bytes, content: bytes) -> bytes:
    checksum = isal_zlib.crc32(content, isal_zlib.crc32(name))
    return len(content).to_bytes(4, "big") + name + content + checksum.to_bytes(4, "big")
