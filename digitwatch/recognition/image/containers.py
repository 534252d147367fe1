"""The outer structure of PNG, JPEG and TIFF files: size, orientation and end of the data, before decoding.

Own walks instead of a library's, because a scan is only trusted when its data is all there (some decoders
fill what is missing with grey), and because nothing but the picture itself should reach the decoder.
"""

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from digitwatch.errors import InputError

_ORIENTATION = 0x0112  # EXIF tag
_PICTURE_CHUNKS = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"})
_START_OF_FRAME = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RST0-7, SOI


class TruncatedError(InputError):
    """The data ends before the picture does."""


class DamagedError(InputError):
    """The data is all there, but makes no sense."""


@dataclass(frozen=True)
class Header:
    """What a file says about a picture before it is decoded.

    `orientation` is the EXIF value still to be applied (1 upright to 8); `key` is the colour that stands for
    "transparent", either grey or red, green, blue; `pillow` is True for what only Pillow decodes.
    """

    width: int
    height: int
    orientation: int = 1
    key: tuple[int, ...] | None = None
    pillow: bool = False


def exif_orientation(exif: bytes) -> int:
    """Return the orientation (1 to 8) of a raw EXIF block; 1 if it has none or is broken."""
    block = exif.removeprefix(b"Exif\0\0")
    order = "<" if block[:2] == b"II" else ">"
    try:
        (directory,) = struct.unpack_from(order + "I", block, 4)
        (entries,) = struct.unpack_from(order + "H", block, directory)
        for at in range(directory + 2, directory + 2 + 12 * entries, 12):
            tag, _, _, value = struct.unpack_from(order + "HHIH", block, at)
            if tag == _ORIENTATION:
                return value if 1 <= value <= 8 else 1
    except struct.error:
        pass  # a picture with damaged notes is still a picture
    return 1


def read_png(data: bytes) -> tuple[Header, bytes]:
    """Return a PNG's header and the same file with nothing but the picture in it.

    Text, colour profiles and animation frames are left out: they can be made to unpack to gigabytes, and none
    of them changes what is written on the paper. Raises Truncated or DamagedError.
    """
    kept, exif, key = [data[:8]], b"", b""
    for name, start, end in _png_chunks(data):
        if name in _PICTURE_CHUNKS:
            kept.append(data[start - 8 : end + 4])
        if name == b"eXIf":
            exif = data[start:end]
        elif name == b"tRNS":
            key = data[start:end]
    if data[12:16] != b"IHDR":
        raise DamagedError
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    return Header(width, height, exif_orientation(exif), _png_key(key, depth, colour)), b"".join(kept)


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, start and end of each chunk's content up to IEND."""
    at = 8
    while at + 12 <= len(data):
        length, name = struct.unpack_from(">I4s", data, at)
        start, end = at + 8, at + 8 + length
        if end + 4 > len(data) or name == b"\0\0\0\0":  # zeros: room that the writer has yet to fill
            raise TruncatedError
        checksum = int.from_bytes(data[end : end + 4])
        if name in _PICTURE_CHUNKS and zlib.crc32(data[at + 4 : end]) != checksum:
            raise DamagedError if checksum else TruncatedError
        yield name, start, end
        if name == b"IEND":
            return
        at = end + 4
    raise TruncatedError


def _png_key(content: bytes, depth: int, colour: int) -> tuple[int, ...] | None:
    samples = {0: 1, 2: 3}.get(colour)  # grey, RGB; a palette's transparency is decoded as alpha
    if samples is None or len(content) < 2 * samples:
        return None
    values = struct.unpack_from(f">{samples}H", content)
    scale = 255 // (2**depth - 1) if depth < 8 else 1  # 1, 2 and 4 bits are decoded to 8
    return tuple(value * scale for value in values)


def read_jpeg(data: bytes) -> Header:
    """Return a JPEG's header. Raises Truncated if its scan has no end, Damaged if there is no picture.

    Some decoders fill missing rows with grey without a word. The end marker cannot occur by chance within the
    compressed data, so its absence after the start of the first scan means that something is missing. What
    follows the end marker does not matter.
    """
    size, exif = None, b""
    for marker, start, end in _jpeg_segments(data):
        if marker in _START_OF_FRAME and end - start >= 6:
            height, width = struct.unpack_from(">HH", data, start + 1)
            size = width, height
        elif marker == 0xE1 and not exif and data[start : start + 6] == b"Exif\0\0":
            exif = data[start:end]
        elif marker == 0xDA:
            if data.find(b"\xff\xd9", end) < 0:
                raise TruncatedError
            break
    else:
        raise TruncatedError
    if size is None:
        raise DamagedError
    return Header(*size, exif_orientation(exif))


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield marker, start and end of each segment's content; stray bytes between segments are skipped."""
    at = 2
    while (at := data.find(b"\xff", at)) >= 0 and at + 4 <= len(data):
        marker = data[at + 1]
        if marker in (0x00, 0xFF) or marker in _WITHOUT_LENGTH:
            at += 1 if marker == 0xFF else 2
            continue
        length = int.from_bytes(data[at + 2 : at + 4])
        yield marker, at + 4, at + 2 + length
        at += 2 + max(length, 2)


def tiff_directories(data: bytes, limit: int) -> list[int]:
    """Return the offsets of a TIFF's page directories in their order, at most `limit` + 1 of them.

    The chain ends at its first repetition, so a directory that names itself as the next is read once. Raises
    Truncated if it leads out of the data, which is what a file looks like while it is being written.
    """
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")  # BigTIFF: 8-byte offsets, longer entries
    count_format, entry, offset_format, first = ("Q", 20, "Q", 8) if big else ("H", 12, "I", 4)
    offsets: dict[int, None] = {}
    try:
        (at,) = struct.unpack_from(order + offset_format, data, first)
        while at and at not in offsets and len(offsets) <= limit:
            (entries,) = struct.unpack_from(order + count_format, data, at)
            offsets[at] = None
            end = at + struct.calcsize(count_format) + entry * entries
            (at,) = struct.unpack_from(order + offset_format, data, end)
    except (struct.error, OverflowError) as trouble:
        raise TruncatedError from trouble
    if not offsets:
        raise TruncatedError
    return list(offsets)
