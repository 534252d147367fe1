"""The boundary of the sheet on a photograph that also shows a table, a scanner's open lid or a shadow."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels

MIN_PAGE_PX = 64  # shorter side of a photograph that shows a sheet and its surroundings
MIN_COPY_PX = 8  # shorter side of the copy that has room for both
COPY_PX = 128  # longer side of the copy on which the sheet is searched
MIN_SHEET_SHARE = 0.08  # area of the sheet by that of the picture
MAX_SHEET_SHARE = 0.93  # the same at most: there are surroundings
MIN_SHEET_CONTRAST = 60  # grey levels by which the surroundings are darker than the sheet
MIN_DARK_SURROUNDINGS = 0.9  # share of the surroundings that is so dark
MIN_PAPER_SHARE = 0.75  # share of the outline's area that is paper
BAND_WIDTH = 0.06  # of the band along the outline, by the sheet's shorter side
MIN_BAND_PAPER = 0.93  # share of that band that is paper; light strokes leave gaps there
MAX_ASPECT = 4.0  # longer by shorter side; a longer shape is a light stroke
MIN_RECTANGULARITY = 0.8  # area of the outline by that of its smallest rectangle
MAX_CORNERS = 6  # of a sheet of which the picture cuts off one or two
MAX_BORDER_SHARE = 0.4  # of the outline that runs along the picture's border: a shadow has more
EDGE_MARGIN = 0.01  # left out at the sheet's edge, by its shorter side: it is blurred, bent, and casts a shadow


@dataclass(frozen=True)
class Sheet:
    """A sheet: the part of the picture around it, and its place.

    Attributes:
        left, top: of the part, in pixels of the picture.
        grey: (h, w) uint8, the part, with the sheet continued over what is not the sheet.
    """

    left: int
    top: int
    grey: Pixels


def find_sheet(grey: Pixels) -> Sheet | None:
    """Return the light sheet on a dark surface in (H, W) uint8 grey; None where all of it may be paper."""
    if min(grey.shape) < MIN_PAGE_PX:
        return None
    factor = max(1, -(-max(grey.shape) // COPY_PX))
    coarse = cv2.resize(grey, None, fx=1 / factor, fy=1 / factor, interpolation=cv2.INTER_AREA)
    if min(coarse.shape) < MIN_COPY_PX:
        return None
    outline = _outline(np.asarray(coarse, np.uint8))
    if outline is None:
        return None
    inside = cv2.fillConvexPoly(np.zeros(coarse.shape, np.uint8), outline, (1,))
    margin = 1 + round(EDGE_MARGIN * min(cv2.boundingRect(inside)[2:]))
    inside = cv2.erode(inside, np.ones((2 * margin + 1, 2 * margin + 1), np.uint8), borderValue=1)
    if not cv2.countNonZero(inside):
        return None
    return _cut_out(grey, np.asarray(coarse, np.uint8), np.asarray(inside, np.uint8))


def _outline(coarse: Pixels) -> NDArray[np.int32] | None:
    """Return the (n, 1, 2) convex outline of the sheet; None when there is none."""
    level, light = cv2.threshold(coarse, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    light = cv2.morphologyEx(light, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))  # remove thin bridges
    _, labels, stats, _ = cv2.connectedComponentsWithStats(light, connectivity=4)
    if len(stats) < 2:
        return None
    sheet = (labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax())).astype(np.uint8)
    outlines, _ = cv2.findContours(sheet, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    hull = np.asarray(cv2.convexHull(max(outlines, key=len)), np.int32)
    inside = cv2.fillConvexPoly(np.zeros_like(sheet), hull, (1,))
    if not (_has_shape(hull, inside) and _is_filled(sheet, inside)):
        return None
    beyond = coarse[cv2.dilate(inside, np.ones((5, 5), np.uint8)) == 0]
    paper = float(np.median(coarse[sheet > 0]))
    return (
        hull
        if len(beyond) and np.mean(beyond < min(level, paper - MIN_SHEET_CONTRAST)) >= MIN_DARK_SURROUNDINGS
        else None
    )


def _has_shape(hull: NDArray[np.int32], inside: Pixels) -> bool:
    """Return whether the outline, and (h, w) what is inside of it, are those of a sheet within its surroundings."""
    size = cv2.countNonZero(inside)
    _, sides, _ = cv2.minAreaRect(hull)
    short, long = (side + 1 for side in sorted(sides))
    straight = size >= MIN_RECTANGULARITY * short * long and long <= MAX_ASPECT * short
    return (
        MIN_SHEET_SHARE * inside.size <= size <= MAX_SHEET_SHARE * inside.size
        and straight
        and _is_polygon(hull, inside.shape)
    )


def _is_filled(sheet: Pixels, inside: Pixels) -> bool:
    """Return whether what is inside the outline is mostly paper, and along the outline nothing else."""
    if cv2.countNonZero(sheet) < MIN_PAPER_SHARE * cv2.countNonZero(inside):
        return False
    outer = cv2.erode(
        inside, np.ones((5, 5), np.uint8), borderValue=0
    )  # the outermost pixels are neither light nor dark
    band = 2 * round(BAND_WIDTH * min(cv2.boundingRect(inside)[2:])) + 3
    inner = cv2.erode(outer, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (band, band)), borderValue=0)
    return cv2.countNonZero(outer) > 0 and bool(np.mean(sheet[outer > inner]) >= MIN_BAND_PAPER)


def _is_polygon(hull: NDArray[np.int32], shape: tuple[int, ...]) -> bool:
    """Return whether an outline has few corners, and is not mostly the edge of the (h, w) picture."""
    around = cv2.arcLength(hull, True)
    corners = cv2.approxPolyDP(hull, 0.025 * around, True)[:, 0]
    along = 0.0
    for one, other in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        for axis, last in ((0, shape[1] - 1), (1, shape[0] - 1)):
            at_edge = max(one[axis], other[axis]) <= 2 or min(one[axis], other[axis]) >= last - 2
            along += float(np.linalg.norm(one - other)) if at_edge else 0.0
    return len(corners) <= MAX_CORNERS and along <= MAX_BORDER_SHARE * around


def _cut_out(grey: Pixels, coarse: Pixels, inside: Pixels) -> Sheet:
    """Return the part of (H, W) grey around the sheet, which is where the smaller (h, w) `inside` is 1."""
    paper = cv2.inpaint(coarse, 1 - inside, 3, cv2.INPAINT_TELEA)
    size = grey.shape[::-1]
    whole = cv2.resize(inside, size, interpolation=cv2.INTER_NEAREST)
    left, top, wide, high = cv2.boundingRect(whole)
    part = (slice(top, top + high), slice(left, left + wide))
    smooth = cv2.resize(cv2.medianBlur(np.asarray(paper, np.uint8), 5), size, interpolation=cv2.INTER_LINEAR)
    shown = np.where(whole[part] > 0, grey[part], smooth[part])
    return Sheet(left, top, np.ascontiguousarray(shown))
