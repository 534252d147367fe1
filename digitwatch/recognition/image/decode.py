"""Bytes to pages: every format that OpenCV reads, upright, on paper, within limits checked first."""

import importlib
import io
import struct
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cv2
import numpy as np
from PIL import Image, ImageFile

from digitwatch.errors import InputError
from digitwatch.recognition.image.containers import (
    DamagedError,
    Header,
    TruncatedError,
    exif_orientation,
    read_jpeg,
    read_png,
    tiff_directories,
)
from digitwatch.recognition.image.formats import FORMATS, IMAGES
from digitwatch.recognition.image.pixels import key_to_alpha, on_paper, to_eight_bits, upright
from digitwatch.recognition.image.sniff import advice, sniff

# More pages than a person feeds into a scanner: a file with more of them is a mistake or an attack.
MAX_PAGES = 1000


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
_PALETTE = 3  # TIFF PhotometricInterpretation
_OPENCV_MODES = frozenset({"1", "L", "RGB", "RGBA", "RGBX", "I", "I;16", "I;16B", "F"})

# A broken scan is reported by an ImageError; OpenCV would write about it to the service's stderr as well.
# Until 4.12 the switch was elsewhere.
getattr(cv2.utils, "logging", cv2).setLogLevel(0)


class ImageError(InputError):
    """The scan's trouble. The message is written for a person: what is wrong, and what to do.

    `truncated` is True when the data seems to end early, so that waiting for its writer may help.
    """

    def __init__(self, message: str, *, truncated: bool = False) -> None:
        """Keep the sentence, and whether waiting may help."""
        super().__init__(message)
        self.truncated = truncated


@dataclass(frozen=True)
class Page:
    """One page of a scan, upright and on paper.

    `number` counts from 1; `image` is (H, W) or (H, W, 3) uint8 in the order blue, green, red, 255 white.
    """

    number: int
    image: np.ndarray

    @cached_property
    def grey(self) -> np.ndarray:
        """The page in grey, (H, W) uint8, 255 white."""
        return self.image if self.image.ndim == 2 else cv2.cvtColor(self.image, cv2.COLOR_BGR2GRAY)


def decode(data: bytes, max_pixels: int = 200_000_000) -> Iterator[Page]:
    """Yield the pages of a scan one by one; only the page at hand is in memory.

    A TIFF gives all its pages except thumbnails and masks. Of an animation or a multi-picture JPEG only the
    first picture is read: the others show the same thing again, and nobody scans sheets into an animation.

    Raises ImageError if the data is no readable image, ends early, or has a page of more than `max_pixels`
    pixels; sizes are taken from the headers, before anything is decoded.
    """
    kind = sniff(data[:64])
    if not data[:64].strip(b"\0"):
        what = "begins with nothing but zeros" if data else "is empty (0 bytes)"
        raise ImageError(f"The file {what}. Copy or scan it again.", truncated=True)
    if kind not in IMAGES:
        # so few bytes may be the beginning of anything
        raise ImageError(advice(kind), truncated=len(data) < 32)
    try:
        if kind == "TIFF":
            yield from _tiff_pages(data, max_pixels)
        else:
            yield Page(1, _picture(kind, data, max_pixels))
    except TruncatedError as trouble:
        raise _cut_off(kind) from trouble
    except DamagedError as trouble:
        raise ImageError(f"The {kind} data is damaged. Copy or scan it again.") from trouble


def _cut_off(kind: str) -> ImageError:
    return ImageError(
        f"The {kind} file ends too early: it was cut off while being saved or copied. Copy or scan it again.",
        truncated=True,
    )


def _undecodable(kind: str) -> ImageError:
    """Tell of data that no decoder accepts. Only PNG and JPEG are known to be complete at this point."""
    return ImageError(
        f"The {kind} file is damaged or incomplete and cannot be decoded. Copy or scan it again, or export it as PNG.",
        truncated=kind not in ("PNG", "JPEG"),
    )


def _picture(kind: str, data: bytes, max_pixels: int) -> np.ndarray:
    if kind == "PNG":
        header, data = read_png(data)
    elif kind == "JPEG":
        header = read_jpeg(data)
    else:
        with _opened(kind, io.BytesIO(data)) as source:
            header = _header(kind, source)
            _check_size(header, max_pixels)
            if header.pillow:
                return on_paper(_load(kind, source))
    _check_size(header, max_pixels)
    return _finished(_imdecode(kind, data), header)


def _tiff_pages(data: bytes, max_pixels: int) -> Iterator[Page]:
    offsets = tiff_directories(data, MAX_PAGES)
    if len(offsets) > MAX_PAGES:
        raise ImageError(f"The TIFF has more than {MAX_PAGES:,} pages. Split it into several files.")
    # Decoders walk to a page from the first one; naming each page as the first makes all of them as cheap.
    stream = io.BytesIO(data)
    number = 0
    for offset in offsets:
        if len(offsets) > 1:
            _name_first_directory(stream.getbuffer(), offset)
        with _opened("TIFF", stream) as source:
            if len(offsets) > 1 and source.tag_v2.get(254, 0) & 0b101:  # type: ignore[attr-defined]
                continue  # NewSubfileType: a thumbnail or a mask of another page
            header = _header("TIFF", source)
            _check_size(header, max_pixels)
            image = on_paper(_load("TIFF", source)) if header.pillow else None
        if image is None:
            image = _finished(_imdecode("TIFF", stream.getbuffer() if len(offsets) > 1 else data), header)
        number += 1
        yield Page(number, image)
    if not number:
        raise ImageError("The TIFF contains only thumbnails or masks. Export the page itself as PNG or JPEG.")


def _name_first_directory(data: memoryview, offset: int) -> None:
    order = "<" if bytes(data[:2]) == b"II" else ">"
    big = 43 in (data[2], data[3])
    struct.pack_into(order + ("Q" if big else "I"), data, 8 if big else 4, offset)


def _opened(kind: str, stream: io.BytesIO) -> ImageFile.ImageFile:
    """Let Pillow read a header. Not by `Image.open`, whose limit on pixels is process-wide."""
    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about damaged notes; the picture is what counts
            return _PLUGINS[kind](stream)
    except Image.DecompressionBombError as trouble:  # some plugins check by themselves
        raise ImageError("The picture is far too large. Scan it at a lower resolution.") from trouble
    except _PILLOW_TROUBLE as trouble:
        raise _undecodable(kind) from trouble


def _header(kind: str, source: ImageFile.ImageFile) -> Header:
    width, height = source.size
    if kind in ("WebP", "AVIF"):  # in TIFF the decoders apply it
        return Header(width, height, exif_orientation(source.info.get("exif", b"")))
    return Header(width, height, pillow=kind == "PCX" or (kind == "TIFF" and not _opencv_reads(source)))


def _opencv_reads(source: Any) -> bool:
    """Tell whether OpenCV decodes this TIFF page faithfully: not palettes, CMYK, CIELab, nor 2 and 4 bits."""
    depths = set(source.tag_v2.get(258, (1,)))  # BitsPerSample
    palette = source.tag_v2.get(262) == _PALETTE
    return not palette and depths <= {1, 8, 12, 16, 32} and source.mode in _OPENCV_MODES


def _check_size(header: Header, max_pixels: int) -> None:
    if header.width < 1 or header.height < 1:
        raise ImageError("The picture has no pixels. Copy or scan it again.")
    if header.width * header.height > max_pixels:
        raise ImageError(
            f"The picture has {header.width:,} × {header.height:,} pixels; "
            f"the limit is {max_pixels:,} in all. Scan it at a lower resolution."
        )


def _imdecode(kind: str, data: bytes | memoryview) -> np.ndarray:
    try:
        image: np.ndarray | None = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error as trouble:
        raise _undecodable(kind) from trouble
    if image is None:
        raise _undecodable(kind)
    return image


def _load(kind: str, source: ImageFile.ImageFile) -> np.ndarray:
    """Decode with Pillow to (H, W), (H, W, 3) or (H, W, 4) uint8, BGR or BGRA."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            wanted = "L" if source.mode in ("1", "L") else "RGBA" if source.has_transparency_data else "RGB"
            pixels = np.asarray(source.convert(wanted))
    except _PILLOW_TROUBLE as trouble:
        raise _undecodable(kind) from trouble
    return pixels if pixels.ndim == 2 else np.ascontiguousarray(pixels[..., [2, 1, 0, 3][: pixels.shape[2]]])


def _finished(image: np.ndarray, header: Header) -> np.ndarray:
    if header.key is not None:
        image = key_to_alpha(image, header.key)
    return upright(on_paper(to_eight_bits(image)), header.orientation)
