"""Detection of ruled lines across a whole page: straight, evenly dark, and isolated."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Floats, Pixels

LINE_STRENGTH = 0.45  # of a printed line: it is paler than the pen, and frays; ink has 1
MIN_LINE_LENGTH = 2.5  # of a ruled line, by the height of the writing
MAX_LINE_WIDTH = 0.22  # of a ruled line, by the height of the writing
MAX_LINE_WIDTH_ON_PAGE = 0.1  # the same by the page's shorter side: in a tight crop strokes are broader
HORIZONTAL = np.pi / 2  # radians, in OpenCV's Hough transform
MAX_TILT = 0.12  # radians, of a ruled line
OUTER_SHARE = 0.22  # of a page no wider than MIN_LINE_LENGTH that may have rules: a 7 may fill its crop
MAX_LINES = 120  # that are examined on one page
MIN_VOTES = 0.45  # in the Hough transform, by the page's width
MIN_GRID_LINES = 2  # each way on grid paper, and one more of either: a box has two and two
MAX_GRID_LINE_WIDTH = 0.04  # by the page's shorter side
MIN_EVENNESS = 0.5  # strength of a line at its weakest, by its usual strength
MAX_NEIGHBOUR_STRENGTH = 0.6  # of the rows beside a line, by its strength
PEN_STRENGTH = 1.4  # of strokes that cross a line, by its strength


@dataclass(frozen=True)
class PageLine:
    """A printed line from the left to the right edge of the page.

    Attributes:
        row: where it crosses the middle of the page.
        ink: (h, w) uint8, 1 where it is, without darker strokes that cross it.
    """

    row: float
    ink: Pixels


def page_lines(strength: Floats, height: float, longest: int, *, pattern: int) -> Pixels:
    """Return straight, slightly tilted lines from one edge of the page to the other.

    On a page hardly wider than its writing, a line in the middle may be a stroke: there, lines count as printed only
    where they form a pattern.

    Args:
        strength: (h, w) float32, from 1 on it is ink.
        height: of the writing, in pixels.
        longest: columns of the page that have any ink, at most.
        pattern: number of parallel lines that no digit has.

    Returns:
        (h, w) uint8, 1 where there is such a line, without darker strokes that cross it.
    """
    high, wide = strength.shape
    thickest = int(max(3, min(MAX_LINE_WIDTH * height, MAX_LINE_WIDTH_ON_PAGE * min(high, wide))))
    lines = _find_lines(strength, thickest) if longest >= MIN_VOTES * wide else []
    if wide < MIN_LINE_LENGTH * height and _count(lines) < pattern:
        lines = [line for line in lines if not OUTER_SHARE < line.row / high < 1 - OUTER_SHARE]
    return _union(lines, strength.shape)


def grid_lines(strength: Floats) -> tuple[Pixels, Pixels] | None:
    """Return the horizontal and the vertical lines of grid paper, (h, w) uint8 each; None where there is no grid."""
    thickest = int(max(3, MAX_GRID_LINE_WIDTH * min(strength.shape)))
    level = _find_lines(strength, thickest)
    if _count(level) < MIN_GRID_LINES:
        return None
    upright = _find_lines(np.ascontiguousarray(strength.T), thickest)
    if _count(upright) < MIN_GRID_LINES or _count(level) + _count(upright) <= 2 * MIN_GRID_LINES:
        return None
    return _union(level, strength.shape), np.ascontiguousarray(_union(upright, strength.shape[::-1]).T)


def _find_lines(strength: Floats, thickest: int) -> list[PageLine]:
    """Return the lines across (h, w) strength, no thicker than so many pixels; each may be found several times."""
    wide = strength.shape[1]
    pale = (cv2.blur(strength, (9, 1)) >= LINE_STRENGTH).astype(np.uint8)
    found = cv2.HoughLines(
        pale, 1, 0.005, int(MIN_VOTES * wide), min_theta=HORIZONTAL - MAX_TILT, max_theta=HORIZONTAL + MAX_TILT
    )
    lines = []
    for rho, theta in [] if found is None else found.reshape(-1, 2)[:MAX_LINES]:
        rows = (rho - np.arange(wide) * np.cos(theta)) / np.sin(theta)
        ink = _line_at(strength, rows, thickest)
        if cv2.countNonZero(ink):
            lines.append(PageLine(float(rows[wide // 2]), ink))
    return lines


def _count(lines: list[PageLine]) -> int:
    """Return the number of different lines: they are further apart than a line is thick."""
    rows: list[float] = []
    for line in lines:
        apart = 3 + cv2.countNonZero(line.ink) / line.ink.shape[1]
        if all(abs(line.row - row) > apart for row in rows):
            rows.append(line.row)
    return len(rows)


def _union(lines: list[PageLine], shape: tuple[int, ...]) -> Pixels:
    union = np.zeros(shape, np.uint8)
    for line in lines:
        np.maximum(union, line.ink, out=union)
    return union


def _line_at(strength: Floats, rows: NDArray[np.float64], thickest: int) -> Pixels:
    """Return the ink of the line that crosses each column at `rows`; none when it is no printed line.

    A printed line is equally strong at both ends of the page, and isolated; writing is neither.
    """
    high, wide = strength.shape
    found = np.zeros(strength.shape, np.uint8)
    # The rows near the line, one below the other: (2 * reach + 1, w), the line in the middle.
    reach = thickest + 3
    near = np.rint(rows).astype(int)[None] + np.arange(-reach, reach + 1)[:, None]
    seen = (near[reach] >= 0) & (near[reach] < high)  # a tilted line may leave the page at its top or bottom
    if seen.mean() < 0.5:
        return found
    band = np.where((near >= 0) & (near < high), strength[np.clip(near, 0, high - 1), np.arange(wide)[None]], 0)
    slack = 1 + wide // 300  # rows by which the line's angle, found in steps, may miss it at the ends
    middle = band[max(0, reach - slack) : reach + slack + 1, seen].max(axis=0)
    middle = cv2.blur(middle[None].astype(np.float32), (1 + min(8, wide // 20), 1))
    weakest, usual = np.percentile(middle, [4, 35])
    profile = np.percentile(band[:, seen], 35, axis=1)
    dark = np.flatnonzero(profile > MAX_NEIGHBOUR_STRENGTH * usual)
    if usual < LINE_STRENGTH or weakest < MIN_EVENNESS * usual or len(dark) == 0 or dark[-1] - dark[0] + 1 > thickest:
        return found
    part = slice(max(0, dark[0] - 1), dark[-1] + 2)
    ys, xs = np.nonzero((band[part] > 0) & (band[part] < PEN_STRENGTH * usual))
    found[near[part][ys, xs], xs] = 1
    return found
