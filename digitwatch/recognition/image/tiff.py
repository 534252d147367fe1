"""The pages of a TIFF: which directories are pages, who decodes them, and what those are that nobody reads."""

import io
import struct
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from PIL import TiffImagePlugin

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.image.containers import Header, UnsupportedError, pixel_aspect
from digitwatch.recognition.image.decoders import UndecodableError, opened

_SUBFILE_TYPE, _BITS, _COMPRESSION, _PHOTOMETRIC, _ORIENTATION = 254, 258, 259, 262, 274
_X_RESOLUTION, _Y_RESOLUTION, _PLANAR, _SAMPLES_PER_PIXEL, _SAMPLE_FORMAT = 282, 283, 284, 277, 339
_REDUCED_OR_MASK = 0b101  # bits of NewSubfileType
_PALETTE = 3  # PhotometricInterpretation
_SEPARATE_PLANES = 2  # PlanarConfiguration
_TURNED = frozenset({5, 6, 7, 8})  # orientations whose rows are columns of the picture
_OPENCV_MODES = frozenset({"1", "L", "RGB", "RGBA", "RGBX", "I", "I;16", "I;16B", "F"})
_SAMPLES = {1: "unsigned", 2: "signed", 3: "floating-point", 5: "complex", 6: "complex floating-point"}

_USUAL = frozenset({1, 2, 3, 4, 5, 7, 8, 32773, 32946})
"""Compressions that every decoder reads: problem with them is damage."""
_COMPRESSIONS = {
    6: "JPEG of the old kind",
    32809: "ThunderScan",
    33003: "JPEG 2000",
    33005: "JPEG 2000",
    34661: "JBIG",
    34676: "SGI LogLuv",
    34677: "SGI LogLuv",
    34712: "JPEG 2000",
    34718: "Microsoft Document Imaging",
    34887: "LERC",
    34892: "lossy JPEG (DNG)",
    34925: "LZMA",
    34933: "PNG",
    34934: "JPEG XR",
    50000: "Zstandard",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
}
_ONLY_PILLOW = frozenset({34925, 50000, 50001})  # as the wheels of both are built

# A thumbnail has the proportions of its page, and its content. The correlation of 400 thumbnails and pages of pyramids
# with their pages was above 0.98; that of different numbers on sheets of the same proportions below 0.75.
COPY_SCALE = 0.9  # a copy is smaller by this factor at least
COPY_PX = 256  # longer side at which content is compared
COPY_CORRELATION = 0.93
FLAT = 1.5  # standard deviation of grey levels below which there is nothing to compare


@dataclass(frozen=True)
class Directory:
    """One picture of a TIFF: the offset of its directory and what it says; `is_marked` as thumbnail or mask."""

    offset: int
    header: Header
    is_marked: bool


def directory(stream: io.BytesIO, offset: int) -> Directory:
    """Read one directory, which the file must name as its first.

    Raises:
        UnsupportedError: no installed library reads its samples or its compression.
        UndecodableError: it is no directory that Pillow knows.
    """
    try:
        source = opened("TIFF", stream)
    except UndecodableError:
        explain(tags_of(stream))
        raise
    with source:
        tags: Any = source.tag_v2  # type: ignore[attr-defined]
        pillow = not _opencv_reads(tags, source.mode)
        header = Header(*source.size, pillow=pillow, aspect=_aspect(tags))
        return Directory(offset, header, bool(tags.get(_SUBFILE_TYPE, 0) & _REDUCED_OR_MASK))


def name_first(data: memoryview, offset: int) -> None:
    """Make a directory the first: decoders walk to a page from there, and so all pages are equally cheap."""
    order = "<" if bytes(data[:2]) == b"II" else ">"
    is_big = 43 in (data[2], data[3])
    struct.pack_into(order + ("Q" if is_big else "I"), data, 8 if is_big else 4, offset)


def explain(tags: Mapping[int, Any]) -> None:
    """Raise UnsupportedError if samples or compression are of a kind that is not read; else return."""
    bits, kind = _first(tags.get(_BITS, 1)), _first(tags.get(_SAMPLE_FORMAT, 1))
    is_read = kind in (1, 2, 4) or (kind == 3 and bits == 32 and tags.get(_SAMPLES_PER_PIXEL, 1) == 1)
    if not is_read or bits > 32:
        raise UnsupportedError(
            f"This is a TIFF with {bits}-bit {_SAMPLES.get(kind, 'unsigned')} samples, which cannot be read here. "
            "Save it with 8 or 16 bits per sample, or as PNG."
        )
    compression = _first(tags.get(_COMPRESSION, 1))
    if compression not in _USUAL:
        name = _COMPRESSIONS.get(compression, f"an unknown ({compression})")
        raise UnsupportedError(
            f"This is a TIFF with {name} compression, which cannot be read here. "
            "Save it with LZW, Deflate or no compression, or as PNG."
        )


def tags_of(stream: io.BytesIO) -> Mapping[int, Any]:
    """Return the tags of the first directory, also of a file that Pillow does not read; none if it is broken."""
    stream.seek(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            start = stream.read(8)
            found = TiffImagePlugin.ImageFileDirectory_v2(start + stream.read(8 if 43 in start[2:4] else 0))
            stream.seek(found.next)
            found.load(stream)
            return dict(found)
    except (OSError, SyntaxError, ValueError, TypeError, LookupError, struct.error):
        return {}


def _first(values: Any) -> int:
    value = values[0] if isinstance(values, tuple) and values else values
    return value if isinstance(value, int) else 0


def _opencv_reads(tags: Any, mode: str) -> bool:
    """Return whether OpenCV decodes a page faithfully: not palettes, CMYK, CIELab, 2 and 4 bits, nor deep planes."""
    depths = set(tags.get(_BITS, (1,)))
    is_palette = tags.get(_PHOTOMETRIC) == _PALETTE
    is_planar = tags.get(_PLANAR) == _SEPARATE_PLANES and max(depths) > 8
    is_packed = tags.get(_COMPRESSION) in _ONLY_PILLOW
    return not (is_palette or is_planar or is_packed) and depths <= {1, 8, 12, 16, 32} and mode in _OPENCV_MODES


def _aspect(tags: Any) -> float:
    try:
        aspect = pixel_aspect(float(tags.get(_X_RESOLUTION, 1)), float(tags.get(_Y_RESOLUTION, 1)))
    except (TypeError, ValueError, ArithmeticError):
        return 1.0
    return 1 / aspect if tags.get(_ORIENTATION) in _TURNED else aspect


def first_of_each_size(pages: Sequence[Directory]) -> list[Directory]:
    """Return the first page of each size, the widest before the others."""
    sizes: dict[tuple[int, int], Directory] = {}
    for page in pages:
        sizes.setdefault((page.header.width, page.header.height), page)
    found = list(sizes.values())
    widest = max(found, key=lambda page: page.header.width, default=None)
    return sorted(found, key=lambda page: page is not widest)


def original_of(copy: Directory, pages: Sequence[Directory]) -> Directory | None:
    """Return the largest page of the same proportions that `copy` may be a smaller copy of; None if there is none.

    `pages` are those that `first_of_each_size` returns.
    """
    for page in pages:
        scale = copy.header.width / max(page.header.width, 1)
        if scale <= COPY_SCALE and abs(copy.header.height - scale * page.header.height) <= 1.5:
            return page
    return None


def content(grey: Pixels) -> Pixels:
    """Return an (H, W) page at the size at which pages are compared."""
    scale = min(1.0, COPY_PX / max(grey.shape))
    size = max(1, round(grey.shape[1] * scale)), max(1, round(grey.shape[0] * scale))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_AREA), np.uint8)


def shows_the_same(first: Pixels, second: Pixels) -> bool:
    """Return whether two pages of the same proportions, as `content` returns them, have the same content."""
    size = min((first.shape[::-1], second.shape[::-1]), key=max)
    one, other = (cv2.resize(each, size, interpolation=cv2.INTER_AREA).astype(np.float32) for each in (first, second))
    if min(one.std(), other.std()) < FLAT:
        return False  # two sheets of blank paper are two sheets
    return bool(np.corrcoef(one.ravel(), other.ravel())[0, 1] >= COPY_CORRELATION)
