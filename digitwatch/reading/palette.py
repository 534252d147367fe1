"""The colours of the annotated pictures and their way to PNG; a grey page takes one byte for each pixel."""

import io
import zlib

import cv2
import numpy as np
from PIL import Image

Colour = int  # a place in PALETTE

# They differ in brightness as well, and never say anything that words do not say too.
INK, GREY, WHITE = 21, 75, 175  # of the greys, which come first, from black to white
BLUE, GREEN, AMBER, CREAM = 176, 196, 216, 255  # at one end of a row of shades
_SHADES = 20  # between two colours: enough for the soft edges of letters
_BETWEEN = (  # blue, green, red, as everywhere where OpenCV is near
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
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # one filter instead of trying them all on each line: half the time
    _PNG += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]


def toned(picture: np.ndarray) -> np.ndarray:
    """Bring a grey picture, (H, W) or (H, W, 3) uint8, to the palette, (H, W); one with colours stays as it is."""
    if picture.ndim == 3:
        blue, green, red = cv2.split(picture)
        if max(cv2.norm(green, other, cv2.NORM_INF) for other in (blue, red)) > _COLOURLESS:
            return picture
        picture = green  # scanners give three equal colours for a grey
    tones: np.ndarray = cv2.LUT(picture, _TONES)
    return tones


def blank(height: int, width: int, colour: Colour, like: np.ndarray) -> np.ndarray:
    """Make a picture of one colour, with three bytes for each pixel where the picture `like` has them."""
    return np.full((height, width, *like.shape[2:]), colour if like.ndim == 2 else PALETTE[colour], np.uint8)


def png(picture: np.ndarray) -> bytes:
    """Write (H, W) places in the palette, or (H, W, 3) blue, green, red, as a PNG, fast rather than small."""
    if picture.ndim == 3:
        done, data = cv2.imencode(".png", picture, _PNG)
        if not done:
            raise RuntimeError("OpenCV could not write a PNG")
        return bytes(data)
    image = Image.frombuffer("P", picture.shape[::-1], picture, "raw", "P", 0, 1)
    image.putpalette(_RGB)
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1, compress_type=zlib.Z_RLE)
    return file.getvalue()
