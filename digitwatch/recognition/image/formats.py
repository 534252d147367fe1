"""The image formats: the one place to add one. Imports no decoder, so that the daemon stays small."""

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass


def _is_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:12] == b"WEBP"


def _is_pnm(head: bytes) -> bool:
    return head[:1] == b"P" and head[1:2] in b"123456" and head[2:3].isspace()


def _is_bmp(head: bytes) -> bool:
    return head[:2] == b"BM" and len(head) >= 26 and not head[6:10].strip(b"\0")


def _brands(head: bytes) -> set[bytes]:
    """Return the brands of an ISO base media file (ISO/IEC 14496-12)."""
    return {head[at : at + 4] for at in range(8, len(head), 4)} if head[4:8] == b"ftyp" else set()


def _is_avif(head: bytes) -> bool:
    return bool(_brands(head) & {b"avif", b"avis"})


def _is_heic(head: bytes) -> bool:
    brands = _brands(head)
    return not _is_avif(head) and bool(brands & {b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"})


def _is_svg(head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith(b"<") and not start.startswith((b"<!doctype html", b"<html")) and b"<svg" in start


@dataclass(frozen=True)
class ImageFormat:
    """One format of files that people mean as scans.

    Attributes:
        name: as messages name it.
        endings: of file names, in lower case, with the dot.
        signatures: the first bytes of a file, in each variant.
        matches: for formats without a fixed signature.
        media_type: given to browsers that show the format; empty where they do not.
        pillow: module and class of Pillow's decoder, which OpenCV's is held against; empty for PNG and JPEG, whose
            structure is checked by containers.py, and for formats that cannot be read.
        is_read: whether files of this format can be read.
        decoder: module beside this one whose function `pages` decodes the format; empty where decode.py does.
        package: the library that this decoder needs, which the extra `extra` installs.
        upload_type: media type that a file input offers besides the endings.
        end: the last bytes of a complete file; empty where such a file may still grow.
    """

    name: str
    endings: tuple[str, ...]
    signatures: tuple[bytes, ...] = ()
    matches: Callable[[bytes], bool] = lambda head: False
    media_type: str = ""
    pillow: str = ""
    is_read: bool = True
    decoder: str = ""
    package: str = ""
    extra: str = ""
    upload_type: str = ""
    end: bytes = b""

    @property
    def is_installed(self) -> bool:
        """Whether files of this format can be read with the libraries that are installed."""
        return self.is_read and (not self.package or importlib.util.find_spec(self.package) is not None)


FORMATS = (
    ImageFormat(
        "PNG",
        (".png",),
        (b"\x89PNG\r\n\x1a\n",),
        media_type="image/png",
        end=b"\0\0\0\0IEND\xaeB`\x82",
    ),
    ImageFormat(
        "JPEG", (".jpg", ".jpeg", ".jpe", ".jfif"), (b"\xff\xd8\xff",), media_type="image/jpeg", end=b"\xff\xd9"
    ),
    ImageFormat(  # the last two are BigTIFF
        "TIFF", (".tif", ".tiff"), (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"), pillow="TiffImagePlugin.TiffImageFile"
    ),
    ImageFormat("GIF", (".gif",), (b"GIF87a", b"GIF89a"), media_type="image/gif", pillow="GifImagePlugin.GifImageFile"),
    ImageFormat(  # the second is the bare codestream
        "JPEG 2000",
        (".jp2",),
        (b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51"),
        pillow="Jpeg2KImagePlugin.Jpeg2KImageFile",
    ),
    ImageFormat(
        "PCX", (".pcx",), (b"\x0a\x02\x01", b"\x0a\x03\x01", b"\x0a\x05\x01"), pillow="PcxImagePlugin.PcxImageFile"
    ),
    ImageFormat("BMP", (".bmp", ".dib"), matches=_is_bmp, media_type="image/bmp", pillow="BmpImagePlugin.BmpImageFile"),
    ImageFormat("WebP", (".webp",), matches=_is_webp, media_type="image/webp", pillow="WebPImagePlugin.WebPImageFile"),
    ImageFormat("AVIF", (".avif",), matches=_is_avif, media_type="image/avif", pillow="AvifImagePlugin.AvifImageFile"),
    ImageFormat("PNM", (".pbm", ".pgm", ".ppm", ".pnm"), matches=_is_pnm, pillow="PpmImagePlugin.PpmImageFile"),
    ImageFormat(
        "PDF",
        (".pdf",),
        (b"%PDF", b"\xef\xbb\xbf%PDF"),
        decoder="pdf",
        package="pypdfium2",
        extra="pdf",
        upload_type="application/pdf",
    ),
    ImageFormat("HEIC", (".heic", ".heif"), matches=_is_heic, decoder="heic", package="pillow_heif", extra="heic"),
    ImageFormat("SVG", (".svg",), matches=_is_svg, is_read=False),
)

IMAGES = frozenset(each.name for each in FORMATS if each.is_read)
DECODERS = {each.name: each.decoder for each in FORMATS if each.decoder}
ENDINGS = frozenset(ending for each in FORMATS for ending in each.endings)
"""Endings of files that people mean as scans; files of another ending count by their first bytes."""


def find(head: bytes) -> ImageFormat | None:
    """Return the format whose files begin with `head`, the first 64 bytes of a file; None for all others."""
    for each in FORMATS:
        if head.startswith(each.signatures) or each.matches(head):
            return each
    return None


def media_type(head: bytes) -> str:
    """Return the media type of an image that browsers show, by its first 64 bytes; empty for others."""
    found = find(head)
    return found.media_type if found else ""


def accepted_uploads() -> str:
    """Return the value of `accept` for a file input: every format that can be read."""
    readable = [each for each in FORMATS if each.is_installed]
    types = [each.upload_type for each in readable if each.upload_type]
    return ",".join(["image/*", *types, *(ending for each in readable for ending in each.endings)])
