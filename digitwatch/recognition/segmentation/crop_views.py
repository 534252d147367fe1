"""Where one line of writing may be on a page: crops for the crop recogniser, found without binarisation."""

from dataclasses import dataclass

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.result import Box, Digit

TRIM = 0.09  # of a page's height, cut off each side: there borders and neighbours are
WORKING_HEIGHT = 160  # pixels of the page in which contrast is measured
EDGES = (0.06, 0.04)  # of that height, at top and bottom, left and right, that do not count as writing
CONTRAST, FAINTEST = 0.35, 8.0  # of the page's strongest local contrast, and grey levels: writing differs so much
AROUND_CONTRAST = (0.44, 0.22)  # paper left and right, above and below, in heights of what has contrast
AROUND_DIGITS = (0.8, 0.25)  # the same in heights of the digits that another reader found
LEAST, LONGEST = 8, 24  # pixels of a crop's height; its width in heights at most


@dataclass(frozen=True)
class View:
    """A part of a page: (h, w) uint8 grey, and its place in pixels of the page."""

    grey: Pixels
    box: Box


def views(grey: Pixels, digits: tuple[Digit, ...]) -> list[View]:
    """Return up to three crops of an (H, W) uint8 page of one line: without its border, around what has contrast, and
    around the digits that another reader found there.
    """
    height, width = grey.shape
    trim = round(TRIM * height)
    places = [(trim, trim, width - trim, height - trim), _contrasting(grey), _around(digits)]
    made = [_view(grey, place) for place in places if place is not None]
    return [view for view in made if view is not None] or [View(grey, Box(0, 0, width, height))]


def around(grey: Pixels, digits: tuple[Digit, ...]) -> View | None:
    """Return the crop of an (H, W) uint8 page around digits of one row; None where it is too small or too long."""
    place = _around(digits)
    return None if place is None else _view(grey, place)


def _view(grey: Pixels, place: tuple[float, float, float, float]) -> View | None:
    """Return the crop (left, top, right, bottom) of the page; None when it is too small or too long for a line."""
    height, width = grey.shape
    left, top = max(0, int(place[0])), max(0, int(place[1]))
    high, wide = min(height, int(place[3])) - top, min(width, int(place[2])) - left
    if high < LEAST or not LEAST / 2 <= wide <= LONGEST * high:
        return None
    return View(grey[top : top + high, left : left + wide], Box(left, top, wide, high))


def _contrasting(grey: Pixels) -> tuple[float, float, float, float] | None:
    """Return the rectangle around nearly all pixels that differ from their surroundings, with paper around it."""
    scale = min(1.0, WORKING_HEIGHT / grey.shape[0])
    size = (max(8, round(grey.shape[1] * scale)), max(8, round(grey.shape[0] * scale)))
    small = cv2.resize(grey, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    window = max(3, (size[1] // 2) | 1)
    contrast = np.abs(small - cv2.blur(small, (window, window)))
    down, across = (max(2, round(edge * size[1])) for edge in EDGES)
    inner = contrast[down:-down, across:-across]
    if inner.size == 0:
        return None
    rows, columns = np.nonzero(inner > max(FAINTEST, CONTRAST * float(np.percentile(inner, 99.5))))
    if len(rows) < LEAST:
        return None
    top, bottom = (np.percentile(rows, (1, 99)) + down) / scale
    left, right = (np.percentile(columns, (1, 99)) + across) / scale
    beside, above = (share * (bottom - top) + 2 for share in AROUND_CONTRAST)
    return left - beside, top - above, right + beside, bottom + above


def _around(digits: tuple[Digit, ...]) -> tuple[float, float, float, float] | None:
    """Return the rectangle around the digits, with paper around it."""
    if not digits:
        return None
    boxes = [digit.box for digit in digits]
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.left + box.width for box in boxes), max(box.top + box.height for box in boxes)
    beside, above = (share * (bottom - top) for share in AROUND_DIGITS)
    return left - beside, top - above, right + beside, bottom + above
