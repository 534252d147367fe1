"""Bytes to pages: every format that OpenCV or Pillow reads, upright, on paper, within limits checked first."""

import importlib
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from PIL import Image, ImageFile

from digitwatch.errors import InputError
from digitwatch.log_codes import Reason
from digitwatch.recognition.decoding.expected import Expected
from digitwatch.recognition.image import missing_data, tiff
from digitwatch.recognition.image.containers import (
    DamagedError,
    Header,
    TruncatedError,
    UnsupportedError,
    embedded_in_bmp,
    exif_orientation,
    pixel_aspect,
    read_jpeg,
    read_png,
    tiff_directories,
)
from digitwatch.recognition.image.decoders import Decoded, UndecodableError, imdecode, load, load_plain_cmyk, opened
from digitwatch.recognition.image.formats import DECODERS, IMAGES
from digitwatch.recognition.image.greyscale import grey
from digitwatch.recognition.image.pixels import key_to_alpha, on_paper, square, to_eight_bits, upright
from digitwatch.recognition.image.sniff import advice, sniff

MAX_PAGES = 20_000  # of a document; one with more is a mistake or an attack


class ImageError(InputError):
    """The scan's problem. The message is written for a person: what is wrong, and what to do.

    `truncated` is True when the data seems to end early, so that waiting for its writer may help.
    """

    def __init__(self, message: str, *, truncated: bool = False) -> None:
        """Keep the sentence, and whether waiting may help."""
        super().__init__(message)
        self.truncated = truncated


@dataclass(frozen=True)
class Page:
    """One page of a scan, upright and on paper.

    Attributes:
        number: counts from 1.
        image: (H, W) or (H, W, 3) uint8 in the order blue, green, red, 255 white.
        damage: which part of the picture is missing or wrong, for a person; empty where none is known to be.
        caveats: reasons for which it is to be reviewed whatever is read.
        expected: what may stand on it, where that is known, as of a field of a form.
    """

    number: int
    image: np.ndarray
    damage: str = ""
    caveats: tuple[Reason, ...] = ()
    expected: Expected | None = None

    @cached_property
    def grey(self) -> np.ndarray:
        """The page in grey, (H, W) uint8, 255 white."""
        return grey(self.image)

    def turned(self, degrees: int) -> "Page":
        """Return the page after a turn clockwise by 0, 90, 180 or 270 degrees."""
        return replace(self, image=np.ascontiguousarray(np.rot90(self.image, -degrees // 90))) if degrees else self


def decode(data: bytes, max_pixels: int = 200_000_000, first: int = 1) -> Iterator[Page]:
    """Yield the pages of a scan from number `first` on, one by one; only the page at hand is in memory.

    A TIFF gives all its pages except masks and smaller copies of a page. Of an animation or a multi-picture JPEG only
    the first picture is read: the others show the same thing again, and nobody scans sheets into an animation.

    Raises ImageError if the data is no readable image, ends early, or has a page of more than `max_pixels`
    pixels; sizes are taken from the headers, before anything is decoded.
    """
    kind = sniff(data[:64])
    if not data[:64].strip(b"\0"):
        what = "begins with nothing but zeros" if data else "is empty (0 bytes)"
        raise ImageError(f"The file {what}. Copy or scan it again.", truncated=True)
    if kind is None or kind not in IMAGES:
        # so few bytes may be the beginning of anything
        raise ImageError(advice(kind), truncated=len(data) < 32)
    try:
        if decoder := DECODERS.get(kind):
            module = importlib.import_module(f"{__package__}.{decoder}")  # which imports this one
            yield from module.pages(data, max_pixels, first)
        elif kind == "TIFF":
            yield from _tiff_pages(data, max_pixels, first)
        else:
            yield _page(1, kind, _picture(kind, data, max_pixels))
    except TruncatedError as problem:
        raise _cut_off(kind) from problem
    except DamagedError as problem:
        raise ImageError(f"The {kind} data is damaged. Copy or scan it again.") from problem
    except UndecodableError as problem:
        raise _undecodable(kind) from problem
    except UnsupportedError as problem:
        raise ImageError(str(problem)) from problem
    except Image.DecompressionBombError as problem:
        raise ImageError("The picture is far too large. Scan it at a lower resolution.") from problem


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


def _page(number: int, kind: str, decoded: Decoded) -> Page:
    damage = f"the {kind} data is damaged: a part of the picture is missing or wrong" if decoded.is_damaged else ""
    return Page(number, decoded.image, damage or missing_data.describe(decoded.image))


def _picture(kind: str, data: bytes, max_pixels: int) -> Decoded:
    """Return the only picture, or the first, of a file in any format but TIFF."""
    if kind == "BMP" and (embedded := embedded_in_bmp(data)):
        kind, data = sniff(embedded[:64]) or kind, embedded
    if kind == "PNG":
        header, data = read_png(data)
    elif kind == "JPEG":
        header, data = read_jpeg(data)
    else:
        with opened(kind, io.BytesIO(data)) as source:
            header = _header(kind, source)
            _check_size(header, max_pixels)
            if header.pillow:
                return _finished(load(source), header)
    _check_size(header, max_pixels)
    decoded = imdecode(kind, data)
    if header.is_plain_cmyk:
        decoded = Decoded(load_plain_cmyk(data), decoded.is_damaged)
    return _finished(decoded, header)


def _tiff_pages(data: bytes, max_pixels: int, first: int) -> Iterator[Page]:
    """Yield the pages from number `first` on; those before it are decoded only where they may be copies."""
    offsets = tiff_directories(data, MAX_PAGES)
    if len(offsets) > MAX_PAGES:
        raise ImageError(f"The TIFF has more than {MAX_PAGES:,} pages. Split it into several files.")
    scan = _Tiff(data, offsets, max_pixels)
    number = 0
    for each in scan.pages:
        original = scan.original_of(each)
        if original is None and number + 1 < first:
            number += 1
            continue
        decoded = scan.decode(each)
        if original is not None and scan.is_copy(decoded, original):
            continue
        number += 1
        if number >= first:
            yield _page(number, "TIFF", decoded)
    if not number:
        raise ImageError("The TIFF contains only thumbnails or masks. Export the page itself as PNG or JPEG.")


class _Tiff:
    """The pages of a TIFF that are not marked as thumbnail or mask, each decoded on demand."""

    def __init__(self, data: bytes, offsets: list[int], max_pixels: int) -> None:
        self._data = data
        self._stream = io.BytesIO(data)
        self._is_single = len(offsets) == 1
        self._max_pixels = max_pixels
        self._contents: dict[int, np.ndarray] = {}  # of pages that others may be copies of, by their offsets
        directories = [self._directory(offset) for offset in offsets]
        self.pages = [each for each in directories if self._is_single or not each.is_marked]
        self._sizes = tiff.first_of_each_size(self.pages)

    def _directory(self, offset: int) -> tiff.Directory:
        if not self._is_single:
            tiff.name_first(self._stream.getbuffer(), offset)
        return tiff.directory(self._stream, offset)

    def decode(self, page: tiff.Directory) -> Decoded:
        """Return the picture of a page, upright and on paper."""
        _check_size(page.header, self._max_pixels)
        if not self._is_single:
            tiff.name_first(self._stream.getbuffer(), page.offset)
        try:
            if page.header.pillow:
                with opened("TIFF", self._stream) as source:
                    return _finished(load(source), page.header)
            data = self._data if self._is_single else self._stream.getbuffer()
            return _finished(imdecode("TIFF", data), page.header)
        except UndecodableError:
            tiff.explain(tiff.tags_of(self._stream))
            raise

    def original_of(self, page: tiff.Directory) -> tiff.Directory | None:
        """Return the page that one may be a smaller copy of; None if there is none."""
        return tiff.original_of(page, self._sizes)

    def is_copy(self, decoded: Decoded, original: tiff.Directory) -> bool:
        """Return whether a page shows the same as a larger one: a thumbnail, or a level of a pyramid."""
        if original.offset not in self._contents:
            self._contents[original.offset] = tiff.content(grey(self.decode(original).image))
        return tiff.shows_the_same(tiff.content(grey(decoded.image)), self._contents[original.offset])


def _header(kind: str, source: ImageFile.ImageFile) -> Header:
    """Return the header of a file that is neither PNG, JPEG nor TIFF."""
    aspect = pixel_aspect(*source.info.get("dpi", (1, 1)))
    orientation = exif_orientation(source.info.get("exif", b"")) if kind in ("WebP", "AVIF") else 1
    maximum, is_plain = _pnm_maximum(source)
    pillow = kind == "PCX" or (is_plain and maximum < 255)
    return Header(*source.size, orientation, pillow=pillow, aspect=aspect, maximum=255 if pillow else maximum)


def _pnm_maximum(source: ImageFile.ImageFile) -> tuple[int, bool]:
    """Return the value of white, by which OpenCV does not scale, and whether the samples are written as text."""
    for codec, *_, options in source.tile:
        if codec in ("ppm", "ppm_plain") and isinstance(options, tuple) and isinstance(options[-1], int):
            return min(255, options[-1]), codec == "ppm_plain"
    return 255, False


def _check_size(header: Header, max_pixels: int) -> None:
    if header.width < 1 or header.height < 1:
        raise ImageError("The picture has no pixels. Copy or scan it again.")
    check_size(*header.square_size, max_pixels)


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise ImageError for a picture without pixels, or with more than allowed."""
    if width < 1 or height < 1:
        raise ImageError("The picture has no pixels. Copy or scan it again.")
    if width * height > max_pixels:
        raise ImageError(
            f"The picture has {width:,} × {height:,} pixels; "
            f"the limit is {max_pixels:,} in all. Scan it at a lower resolution."
        )


def _finished(decoded: Decoded, header: Header) -> Decoded:
    image = decoded.image
    if header.key is not None:
        image = key_to_alpha(image, header.key)
    image = square(on_paper(to_eight_bits(image, header.maximum)), header.aspect)
    return Decoded(upright(image, header.orientation), decoded.is_damaged)
