"""The outer structure of PNG, JPEG, BMP and TIFF files: size, orientation and end of the data, before decoding.

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
_JPEG_LS = 0xF7
_START_OF_FRAME = frozenset({*range(0xC0, 0xD0), _JPEG_LS}) - {0xC4, 0xC8, 0xCC}
_HIERARCHICAL = frozenset({0xC5, 0xC6, 0xC7, 0xCD, 0xCE, 0xCF})
_APP0, _APP1, _APP14, _COMMENT = 0xE0, 0xE1, 0xEE, 0xFE
_NOTES = frozenset({*range(_APP1, 0xF0), _COMMENT}) - {_APP14}  # APP0 and APP14 say how the colours are stored
_WITHOUT_LENGTH = frozenset({0x01, *range(0xD0, 0xD9)})  # TEM, RST0-7, SOI

# A fax has 204 by 98 pixels per inch (ratio 2.08), 204 by 196 (1.04, square enough) or 204 by 391 (1.92).
MIN_ASPECT, MAX_ASPECT = 1.1, 2.6


class TruncatedError(InputError):
    """The data ends before the picture does."""


class DamagedError(InputError):
    """The data is all there, but makes no sense."""


class UnsupportedError(InputError):
    """The data is of a kind that no installed library reads; the message says which, and what to do."""


@dataclass(frozen=True)
class Header:
    """What a file says about a picture before it is decoded.

    Attributes:
        width, height: in pixels, as stored.
        orientation: the EXIF value still to be applied (1 upright to 8).
        key: the colour that stands for "transparent", either grey or red, green, blue.
        pillow: True for what only Pillow decodes.
        aspect: height of a pixel divided by its width, 1 where the resolution is not known.
        maximum: the value of white where samples of 8 bits have another than 255.
        is_plain_cmyk: True for four inks that are not stored inverted, as they are with Adobe's marker.
    """

    width: int
    height: int
    orientation: int = 1
    key: tuple[int, ...] | None = None
    pillow: bool = False
    aspect: float = 1.0
    maximum: int = 255
    is_plain_cmyk: bool = False

    @property
    def square_size(self) -> tuple[int, int]:
        """Width and height after the coarser axis has been stretched so that pixels are square."""
        return round(self.width * max(1.0, 1 / self.aspect)), round(self.height * max(1.0, self.aspect))


def pixel_aspect(per_unit_x: float, per_unit_y: float) -> float:
    """Return the height of a pixel divided by its width, from the pixels per unit of length in both directions.

    1 for pixels that are nearly square, and for what no scanner or fax makes: such values are mistakes.
    """
    aspect = per_unit_x / per_unit_y if per_unit_x > 0 and per_unit_y > 0 else 1.0
    return aspect if MIN_ASPECT <= max(aspect, 1 / aspect) <= MAX_ASPECT else 1.0


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
    kept, exif, key, physical = [data[:8]], b"", b"", (1, 1)
    for name, start, end in _png_chunks(data):
        if name in _PICTURE_CHUNKS:
            kept.append(data[start - 8 : end + 4])
        if name == b"eXIf":
            exif = data[start:end]
        elif name == b"tRNS":
            key = data[start:end]
        elif name == b"pHYs" and end - start == 9:
            physical = struct.unpack_from(">II", data, start)
    if data[12:16] != b"IHDR":
        raise DamagedError
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    header = Header(width, height, exif_orientation(exif), _png_key(key, depth, colour), aspect=pixel_aspect(*physical))
    return header, b"".join(kept)


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


def read_jpeg(data: bytes) -> tuple[Header, bytes]:
    """Return a JPEG's header and the same file with nothing but the picture in it.

    Some decoders fill missing rows with grey without a word. The end marker cannot occur by chance within the
    compressed data, so its absence after the start of the first scan means that something is missing. What
    follows the end marker does not matter. Notes and stray bytes between the segments are left out: the decoder
    would warn about them, and then no more about the picture.

    Raises Truncated if the scan has no end, Damaged if there is no picture, Unsupported if its kind is not read.
    """
    kept, frame, exif, jfif, is_adobe = [data[:2]], b"", b"", b"", False
    for marker, start, end in _jpeg_segments(data):
        content = data[start:end]
        if marker == 0xDA:
            break
        if marker not in _NOTES:
            kept.append(data[start - 4 : end])
        if marker in _START_OF_FRAME and len(content) >= 6:
            frame = bytes([marker]) + content
        elif marker == _APP1 and not exif and content.startswith(b"Exif\0\0"):
            exif = content
        elif marker == _APP0 and content.startswith(b"JFIF\0"):
            jfif = content
        is_adobe |= marker == _APP14 and content.startswith(b"Adobe")
    else:
        raise TruncatedError
    if frame:
        _check_jpeg_kind(frame[0], frame[1])
    if data.find(b"\xff\xd9", end) < 0:
        raise TruncatedError
    if not frame:
        raise DamagedError
    height, width = struct.unpack_from(">HH", frame, 2)
    is_plain_cmyk = frame[6] == 4 and not is_adobe
    header = Header(width, height, exif_orientation(exif), aspect=_jfif_aspect(jfif), is_plain_cmyk=is_plain_cmyk)
    return header, b"".join([*kept, data[start - 4 :]])


def _check_jpeg_kind(marker: int, bits: int) -> None:
    if marker == _JPEG_LS:
        raise UnsupportedError("This is a JPEG-LS image, which cannot be read here. Export it as PNG, JPEG or TIFF.")
    if marker in _HIERARCHICAL:
        raise UnsupportedError("This is a hierarchical JPEG, which cannot be read here. Export it as PNG or TIFF.")
    if bits != 8:
        raise UnsupportedError(
            f"This is a JPEG with {bits} bits per sample, which cannot be read here. "
            "Save it with 8 bits per sample, or as PNG or TIFF."
        )


def _jfif_aspect(jfif: bytes) -> float:
    if len(jfif) < 12 or jfif[7] not in (1, 2):  # pixels per inch or per centimetre
        return 1.0
    return pixel_aspect(*struct.unpack_from(">HH", jfif, 8))


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


_BMP_COMPRESSIONS = {11: "uncompressed CMYK", 12: "RLE8 with CMYK", 13: "RLE4 with CMYK"}
_OS2_COMPRESSIONS = {3: "Huffman 1D", 4: "RLE24"}  # the numbers have another meaning in the header of OS/2


def embedded_in_bmp(data: bytes) -> bytes:
    """Return the JPEG or PNG that a BMP is a mere envelope of; nothing for all others.

    Raises Unsupported if the compression is none that is read.
    """
    if len(data) < 54:
        return b""
    offset, size = struct.unpack_from("<II", data, 10)
    (compression,) = struct.unpack_from("<I", data, 30)
    if size < 40:  # the oldest header has no such field
        return b""
    if name := (_OS2_COMPRESSIONS if size == 64 else _BMP_COMPRESSIONS).get(compression):
        raise UnsupportedError(
            f"This is a BMP with {name} compression, which cannot be read here. Save it without compression, or as PNG."
        )
    return data[offset:] if compression in (4, 5) and size != 64 else b""


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
    except (struct.error, OverflowError) as problem:
        raise TruncatedError from problem
    if not offsets:
        raise TruncatedError
    return list(offsets)
