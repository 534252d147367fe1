"""PDF documents, read by pypdfium2 (extra `pdf`): one page at a time.

A page that is one raster is read from that raster, bit for bit; other pages are rendered. PDFium is not safe in
threads: a worker process reads one document, in its main thread. Pages, bitmaps and documents are closed by hand,
which keeps the memory of a long document that of one page.
"""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import ModuleType
from typing import Any

import cv2
import numpy as np

from digitwatch.log_codes import Reason, ReasonCode
from digitwatch.recognition.image import extras, missing_data
from digitwatch.recognition.image.containers import DamagedError, TruncatedError, read_jpeg
from digitwatch.recognition.image.decode import MAX_PAGES, ImageError, Page, check_size, decode
from digitwatch.recognition.image.pixels import on_paper, upright

MIN_DPI, USUAL_DPI, MAX_DPI = 150, 300, 400  # of rendered pages; the middle one where no picture has a resolution
POINTS_PER_INCH = 72
MAX_OBJECTS = 2_000  # of a page that are looked at; a page with more is rendered
LARGE_SHARE = 0.05  # of the page, from which on a picture's resolution counts
OUTSIDE_SHARE = 0.02  # of the page, by which a raster may reach over its border
SKEW = 0.001  # of a raster's axes, above which it is rendered
MAX_DECODED = 400_000_000  # pixels of a picture that PDFium decodes to render it at a lower resolution
TAIL = 2048  # bytes at the end of a file in which its end marker must be
SAMPLE_PX = 128  # side of the picture by which a raster is compared with its rendered page
SAMPLE_DIFFERENCE = 24.0  # mean grey levels by which they differ at most
SHORT = "the PDF data is damaged: a part of the picture is missing"
PASSWORD, SECURITY = 4, 5  # error codes of PDFium (fpdfview.h)

TYPED = Reason(ReasonCode.TEXT_LAYER, "the page of the document holds typed text only, no scan")

# how the picture's right side and its top lie on the page, east first and counter-clockwise -> EXIF orientation
_ORIENTATIONS = {(0, 1): 1, (2, 1): 2, (2, 3): 3, (0, 3): 4, (3, 2): 5, (3, 0): 6, (1, 0): 7, (1, 2): 8}


@dataclass
class _Document:
    """An open document; `checked` are the kinds of rasters that were found to look like their pages."""

    library: ModuleType
    handle: Any
    max_pixels: int
    checked: set[tuple[Any, ...]] = field(default_factory=set)


@dataclass(frozen=True)
class _Content:
    """What a page shows: its pictures, and whether there is typed text or anything else."""

    pictures: list[Any]
    has_text: bool
    has_more: bool


def pages(data: bytes, max_pixels: int, first: int = 1) -> Iterator[Page]:
    """Yield the pages of a document from number `first` on.

    Raises:
        ImageError: the extra is missing; the document is encrypted, damaged, cut off, without pages or with too many.
    """
    library = extras.load("PDF")
    _check_end(data)
    document = _Document(library, _opened(library, data), max_pixels)
    try:
        count = len(document.handle)
        if count > MAX_PAGES:
            raise ImageError(f"The PDF has {count:,} pages; the limit is {MAX_PAGES:,}. Split it into several files.")
        for number in range(first, count + 1):
            yield _page(document, number)
    finally:
        document.handle.close()


def _check_end(data: bytes) -> None:
    """Refuse a file that is cut off: PDFium would rebuild it from the pages that are there, without the others."""
    promised = re.search(rb"/Linearized\b.{0,200}?/L (\d+)", data[:1024], re.DOTALL)
    is_short = promised is not None and len(data) < int(promised[1])
    if is_short or b"%%EOF" not in data[-TAIL:]:
        raise ImageError(
            "The PDF file ends too early: it was cut off while being saved or copied. Copy or export it again.",
            truncated=True,
        )


def _opened(library: ModuleType, data: bytes) -> Any:
    """Return the open document. Without a password, PDFium tries the empty one, with which many are encrypted."""
    try:
        return library.PdfDocument(data)
    except library.PdfiumError as error:
        # first: PDFium sets no error code then, and the one of an earlier document is still there
        if re.search(rb"/Type\s*/Pages\b", data) and not re.search(rb"/Type\s*/Page\b", data):
            raise ImageError("The PDF has no pages. Export or scan it again.") from error
        if error.err_code == PASSWORD:
            raise ImageError("The PDF is protected with a password. Save it without one.") from error
        if error.err_code == SECURITY:
            raise ImageError(
                "The PDF is encrypted in a way that cannot be read. Save it without encryption."
            ) from error
        raise ImageError("The PDF is damaged and cannot be opened. Copy, export or scan it again.") from error


def _page(document: _Document, number: int) -> Page:
    try:
        page = document.handle[number - 1]
    except document.library.PdfiumError as error:
        raise _damaged(number, len(document.handle)) from error
    try:
        content = _content(document.library.raw, page)
        found = _raster(document, page, content)
        image, damage = found if found is not None else (_rendered(document, page, content), "")
        typed = content.has_text and not content.pictures and not content.has_more
        return Page(number, image, damage, caveats=(TYPED,) if typed else ())
    except (document.library.PdfiumError, DamagedError, TruncatedError, ValueError) as error:  # names that are no UTF-8
        raise _damaged(number, len(document.handle)) from error
    except ImageError as error:
        raise ImageError(f"Page {number} of the PDF: {error}") from error
    finally:
        page.close()


def _damaged(number: int, count: int) -> ImageError:
    return ImageError(f"Page {number} of {count:,} of the PDF is damaged. Copy, export or scan the document again.")


def _content(raw: Any, page: Any) -> _Content:
    """Return what is on a page. Text that is not drawn, as text recognition adds it to scans, does not count."""
    pictures, text, more = [], False, _has_drawn_annotations(raw, page)
    for count, each in enumerate(page.get_objects()):
        if each.type == raw.FPDF_PAGEOBJ_IMAGE:
            pictures.append(each)
        elif each.type == raw.FPDF_PAGEOBJ_TEXT:
            text |= raw.FPDFTextObj_GetTextRenderMode(each) != raw.FPDF_TEXTRENDERMODE_INVISIBLE
        elif each.type != raw.FPDF_PAGEOBJ_FORM:  # a group, whose members come next
            more = True
        if count >= MAX_OBJECTS:
            return _Content(pictures, text, True)
    return _Content(pictures, text, more)


def _has_drawn_annotations(raw: Any, page: Any) -> bool:
    """Return whether there are annotations that are drawn, such as ink of a tablet."""
    hidden = (raw.FPDF_ANNOT_LINK, raw.FPDF_ANNOT_POPUP, raw.FPDF_ANNOT_WIDGET)
    for index in range(raw.FPDFPage_GetAnnotCount(page)):
        annotation = raw.FPDFPage_GetAnnot(page, index)
        if annotation:
            kind = raw.FPDFAnnot_GetSubtype(annotation)
            raw.FPDFPage_CloseAnnot(annotation)
            if kind not in hidden:
                return True
    return False


def _raster(document: _Document, page: Any, content: _Content) -> tuple[np.ndarray, str] | None:
    """Return the raster that is all of the page, as the page shows it, and its damage; None if there is more."""
    if len(content.pictures) != 1 or content.has_text or content.has_more:
        return None
    [picture] = content.pictures
    orientation = _orientation(picture, page)
    width, height = picture.get_px_size()
    if orientation is None or not _lies_within(picture, page) or width * height > document.max_pixels:
        return None
    if picture.level or document.library.raw.FPDFPageObj_HasTransparency(picture):
        return None
    filters = tuple(picture.get_filters())
    image, damage = _samples(picture, filters, document.max_pixels)
    image = upright(image, orientation)
    kind = (filters, image.ndim)
    if kind not in document.checked:  # masks, clips and inverted samples: as producers are, all pages or none
        if not _looks_like(image, page):
            return None
        document.checked.add(kind)
    return image, damage


def _orientation(picture: Any, page: Any) -> int | None:
    """Return the EXIF orientation (1 to 8) in which the page shows a picture; None for other angles."""
    matrix = picture.get_matrix()
    right, up = _direction(matrix.a, matrix.b), _direction(matrix.c, matrix.d)
    if right is None or up is None:
        return None
    turn = page.get_rotation() // 90  # clockwise
    return _ORIENTATIONS.get(((right - turn) % 4, (up - turn) % 4))


def _direction(x: float, y: float) -> int | None:
    """Return where an axis points, in quarters of a turn counter-clockwise from east; None between them."""
    if min(abs(x), abs(y)) > SKEW * max(abs(x), abs(y)) or not (x or y):
        return None
    if abs(x) > abs(y):
        return 0 if x > 0 else 2
    return 1 if y > 0 else 3


def _lies_within(picture: Any, page: Any) -> bool:
    left, bottom, right, top = page.get_bbox()
    at = picture.get_bounds()
    across, down = OUTSIDE_SHARE * (right - left), OUTSIDE_SHARE * (top - bottom)
    inside = at[0] >= left - across and at[2] <= right + across
    return bool(inside and at[1] >= bottom - down and at[3] <= top + down)


def _samples(picture: Any, filters: tuple[str, ...], max_pixels: int) -> tuple[np.ndarray, str]:
    """Return the samples of a raster as they are stored, and what is missing; a JPEG is decoded as a file is."""
    if filters == ("DCTDecode",):
        data = _stored(picture)
        if read_jpeg(data)[0].orientation == 1 and _components(data) in (1, 3):
            page = next(iter(decode(data, max_pixels)))
            return page.image, page.damage
    bitmap = picture.get_bitmap()
    bitmap.warn_on_close = False  # its samples are copied before
    try:
        image = _pixels(bitmap)
        return image, SHORT if _is_short(picture, filters) else missing_data.describe(image)
    finally:
        bitmap.close()


def _is_short(picture: Any, filters: tuple[str, ...]) -> bool:
    """Return whether there are fewer samples than the size of a picture needs; PDFium fills up with one colour."""
    if not set(filters) <= set(picture.SIMPLE_FILTERS):
        return False
    width, height = picture.get_px_size()
    needed = -(-width * int(picture.get_metadata().bits_per_pixel) // 8) * height
    return bool(len(picture.get_data(decode_simple=True)) < needed)


def _stored(picture: Any) -> bytes:
    buffer: ctypes.Array[ctypes.c_char] = picture.get_data()
    return bytes(buffer)


def _components(jpeg: bytes) -> int:
    """Return the number of colours of a JPEG: the last byte of its frame header's fixed part."""
    found = re.search(rb"\xff[\xc0-\xc3\xc5-\xc7\xc9-\xcb\xcd-\xcf]..\x08....(.)", jpeg, re.DOTALL)
    return found[1][0] if found else 0


def _pixels(bitmap: Any) -> np.ndarray:
    """Return a copy of a bitmap: (H, W) or (H, W, 3) uint8, blue, green, red."""
    pixels = np.array(bitmap.to_numpy())
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        return pixels[..., 0]
    if pixels.ndim == 3 and pixels.shape[2] == 4 and bitmap.mode == "BGRX":
        return np.ascontiguousarray(pixels[..., :3])
    return on_paper(pixels)


def _looks_like(image: np.ndarray, page: Any) -> bool:
    """Return whether a raster is what the page shows, on a small scale."""
    width, height = page.get_size()
    small = _render(page, SAMPLE_PX / max(width, height, 1))
    sizes = small.shape[1::-1]
    grey = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    reduced = cv2.resize(grey, sizes, interpolation=cv2.INTER_AREA)
    shown = small if small.ndim == 2 else cv2.cvtColor(small, cv2.COLOR_BGR2GRAY)
    return float(np.abs(reduced.astype(float) - shown).mean()) <= SAMPLE_DIFFERENCE


def _rendered(document: _Document, page: Any, content: _Content) -> np.ndarray:
    """Return the page as it is shown, at the resolution of its pictures, or lower where that is too many pixels."""
    for picture in content.pictures:
        across, down = picture.get_px_size()
        check_size(across, down, max(MAX_DECODED, 2 * document.max_pixels))
    width, height = page.get_size()
    scale = min(_dpi(page, content) / POINTS_PER_INCH, (document.max_pixels / max(width * height, 1)) ** 0.5)
    while np.ceil(width * scale) * np.ceil(height * scale) > document.max_pixels:
        scale *= 0.99
    return _render(page, scale)


def _dpi(page: Any, content: _Content) -> float:
    """Return the resolution of the finest large picture, within limits."""
    width, height = page.get_size()
    found = [0.0]
    for picture in content.pictures:
        matrix = picture.get_matrix()
        across, down = (float(np.hypot(*axis)) for axis in ((matrix.a, matrix.b), (matrix.c, matrix.d)))
        if across * down >= LARGE_SHARE * width * height:
            pixels = picture.get_px_size()
            found.append(POINTS_PER_INCH * max(pixels[0] / across, pixels[1] / down))
    return min(max(max(found) or USUAL_DPI, MIN_DPI), MAX_DPI)


def _render(page: Any, scale: float) -> np.ndarray:
    bitmap = page.render(scale=scale, may_draw_forms=False, draw_annots=True)
    try:
        return _pixels(bitmap)
    finally:
        bitmap.close()
