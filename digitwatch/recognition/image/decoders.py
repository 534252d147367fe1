"""The two decoders: OpenCV for nearly everything, Pillow for headers and for what OpenCV does not read faithfully."""

import importlib
import io
import struct
import warnings
from dataclasses import dataclass

import cv2
import numpy as np
from PIL import Image, ImageChops, ImageFile, JpegImagePlugin, TiffImagePlugin

from digitwatch.errors import InputError
from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.image import decoder_messages
from digitwatch.recognition.image.formats import FORMATS

ZEROS_IN_PACKED_DATA = bytes(512)
"""No such run occurs in data that an arithmetic coder has packed; a copy that was interrupted leaves one."""
_PACKED = frozenset({"WebP", "JPEG 2000", "AVIF"})


def _plugin(name: str) -> type[ImageFile.ImageFile]:
    """Return the class of one of Pillow's decoders, "Module.Class"."""
    module, _, plugin = name.partition(".")
    found: type[ImageFile.ImageFile] = getattr(importlib.import_module(f"PIL.{module}"), plugin)
    return found


_PLUGINS = {each.name: _plugin(each.pillow) for each in FORMATS if each.pillow}
# what Pillow raises on broken files
_PILLOW_TROUBLE: tuple[type[Exception], ...] = (
    *(OSError, SyntaxError, ValueError, TypeError, LookupError, EOFError, RuntimeError),
    *(ArithmeticError, AttributeError, MemoryError, struct.error, Image.DecompressionBombError),
)

TiffImagePlugin.READ_LIBTIFF = True  # what Pillow unpacks by itself is wrong for 16 bits in separate planes


class UndecodableError(InputError):
    """No decoder accepts the data."""


@dataclass(frozen=True)
class Decoded:
    """Samples as the file has them: (H, W) or (H, W, C), blue before red; and whether a part of them is missing."""

    image: np.ndarray
    is_damaged: bool = False


def opened(kind: str, stream: io.BytesIO) -> ImageFile.ImageFile:
    """Let Pillow read a header. Not by `Image.open`, whose limit on pixels is process-wide.

    Raises:
        UndecodableError: it is no header that Pillow knows.
        DecompressionBombError: some plugins check the size by themselves.
    """
    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged notes; the picture is what counts
            return _PLUGINS[kind](stream)
    except Image.DecompressionBombError:
        raise
    except _PILLOW_TROUBLE as problem:
        raise UndecodableError from problem


def imdecode(kind: str, data: bytes | memoryview) -> Decoded:
    """Decode with OpenCV.

    Raises:
        UndecodableError: OpenCV does not accept the data.
    """
    try:
        with decoder_messages.captured() as lines:
            image: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as problem:
        raise UndecodableError from problem
    if image is None:
        raise UndecodableError
    is_damaged = bool(lines) and decoder_messages.damage(lines, bytes(data))
    return Decoded(image, is_damaged or (kind in _PACKED and ZEROS_IN_PACKED_DATA in bytes(data)))


def load(source: ImageFile.ImageFile) -> Decoded:
    """Decode with Pillow to (H, W), (H, W, 3) or (H, W, 4) uint8, BGR or BGRA.

    Raises:
        UndecodableError: Pillow does not accept the data.
    """
    try:
        with warnings.catch_warnings(), decoder_messages.captured():
            warnings.simplefilter("ignore")
            wanted = "L" if source.mode in ("1", "L") else "RGBA" if source.has_transparency_data else "RGB"
            pixels = np.asarray(source.convert(wanted))
    except _PILLOW_TROUBLE as problem:
        raise UndecodableError from problem
    return Decoded(pixels if pixels.ndim == 2 else _blue_first(pixels))


def load_plain_cmyk(data: bytes) -> Pixels:
    """Decode a JPEG of four inks that are stored as they are, (H, W, 3) uint8; decoders expect them inverted.

    Raises:
        UndecodableError: Pillow does not accept the data.
    """
    try:
        with decoder_messages.captured():
            inverted = JpegImagePlugin.JpegImageFile(io.BytesIO(data)).copy()
            return _blue_first(np.asarray(ImageChops.invert(inverted).convert("RGB")))
    except _PILLOW_TROUBLE as problem:
        raise UndecodableError from problem


def _blue_first(pixels: Pixels) -> Pixels:
    return np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])
