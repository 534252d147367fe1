"""Printed lines and boxes around the writing: found, taken away, and the strokes they crossed mended."""

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.reading.marks import writing_height

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

# ---- boxes
CLEAR, PALE = 0.6, 0.45  # strengths of printed lines: they are paler than the pen, and fray
RECTANGLE = 0.88  # a box fills this share of the smallest rectangle around it
FILLED = 0.6  # no more than this share of it is ink
SIDE = 0.75  # and there is ink along this share of each side
BAR = 0.9  # a bar between two cells is at least this share of the box's height
TABLE = 3.5  # a box this many times higher than its writing is a table of several rows
WRITTEN_ROOM = 1.5  # the height of whose cells is this many times that of the writing
WRITTEN = 0.35  # and something in it is at least this share of its height

# ---- lines
LONG = 2.5  # a line is a rule when this many times longer than the writing is high
THIN = 0.22  # and thinner than this share of the writing's height
LEVEL, TILT = np.pi / 2, 0.12  # radians: a level line in OpenCV's terms, and the steepest rule
MARGIN = 0.22  # on a page no wider than LONG, only the outer parts have rules: a 7 may fill its crop
MOST_LINES = 60  # lines looked at on one page
EVEN = 0.5  # a line across the page is nowhere weaker than this share of its usual strength
ALONE = 0.6  # the rows beside it have less than this share of its strength
DARKER = 1.4  # what is this much stronger than the line is the pen's


def without_rules(strength: Floats) -> Pixels:
    """Return the ink without ruled lines and boxes; where there are boxes with writing, only what is in them.

    Args:
        strength: (h, w) float32, from 1 on it is ink.

    Returns:
        (h, w) uint8, 1 = ink, 0 = paper; strokes that a line crossed stay whole.
    """
    mask = (strength >= 1).astype(np.uint8)
    _, _, marks, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    if len(marks) == 1:
        return mask
    inside = _boxes(strength, mask)
    if inside is not None:
        return inside
    height = writing_height(marks[1:])
    rest = _without_rules_of(_without_page_lines(strength, mask, height), height)
    gone = mask & (1 - rest)
    return _without_crumbs(rest, gone, WRITTEN * height) if gone.any() else rest


def _without_rules_of(mask: Pixels, height: float) -> Pixels:
    """Return the ink without lines, level or upright, that are much longer than its `height`."""
    rest = _without_lines(mask, height)
    return np.ascontiguousarray(_without_lines(np.ascontiguousarray(rest.T), height).T)


def _boxes(strength: Floats, mask: Pixels) -> Pixels | None:
    """Return what is written inside boxes, None when there is no box with writing."""
    # Pale lines stand out only when averaged along themselves, which blurs what is strong.
    averaged = np.maximum(cv2.blur(strength, (9, 1)), cv2.blur(strength, (1, 9)))
    for pale, grown in (strength >= CLEAR, 0), (averaged >= PALE, 4):
        inside = _inside(pale.astype(np.uint8), mask, grown)
        if inside.any():
            return inside
    return None


def _inside(pale: Pixels, mask: Pixels, grown: int) -> Pixels:
    """Return the ink inside the boxes that (h, w) `pale` shows, `grown` pixels too large on all sides."""
    closed = cv2.morphologyEx(pale, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, labels, marks, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    inside = np.zeros_like(mask)
    for number, (left, top, wide, high, area) in enumerate(marks[1:], 1):
        if min(wide, high) < 16 + 2 * grown or area > FILLED * wide * high:
            continue
        window = (slice(top, top + high), slice(left, left + wide))
        frame = (labels[window] == number).astype(np.uint8)
        side = min(_rectangle(frame), float(high)) - 2 * grown
        if side > 0 and _has_four_sides(frame):
            window = (slice(top + grown, top + high - grown), slice(left + grown, left + wide - grown))
            np.maximum(inside[window], _content(mask[window], side), out=inside[window])
    return inside


def _rectangle(shape: Pixels) -> float:
    """Return the shorter side of the rectangle, of any tilt, that the (h, w) shape outlines; 0 if it does not."""
    outlines, _ = cv2.findContours(shape, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=len)
    _, sides, _ = cv2.minAreaRect(outline)
    full = cv2.contourArea(outline) >= RECTANGLE * max(1.0, (sides[0] - 1) * (sides[1] - 1))
    return float(min(sides)) if full else 0.0


def _has_four_sides(frame: Pixels) -> bool:
    """Tell whether there is ink along all four sides of the (h, w) picture."""
    high, wide = frame.shape
    deep = max(3, min(high, wide) // 7)
    sides = (frame[:deep].any(0), frame[-deep:].any(0), frame[:, :deep].any(1), frame[:, -deep:].any(1))
    return all(side.mean() >= SIDE for side in sides)


def _content(box: Pixels, side: float) -> Pixels:
    """Return the ink in the (h, w) box without its frame and bars; nothing when it is not writing.

    `side` is the height of its cells, which is less than its own when it is tilted.
    """
    high, wide = box.shape
    _, _, marks, _ = cv2.connectedComponentsWithStats(box, connectivity=8)
    free = marks[1:][marks[1:, cv2.CC_STAT_HEIGHT] < 0.5 * side]
    if len(free) and side > TABLE * writing_height(free):
        side = WRITTEN_ROOM * writing_height(free)
        rest = _without_rules_of(box, writing_height(free))
    else:
        rest = _mend(box, _along(box, max(8, int(min(0.6 * wide, 1.5 * side)))))
        rest = np.ascontiguousarray(_mend(rest.T, _bars(box, side).T).T)
    margin = max(1, min(high, wide) // 20)
    rest[:margin], rest[-margin:], rest[:, :margin], rest[:, -margin:] = 0, 0, 0, 0
    rest = _without_crumbs(rest, box & (1 - rest), WRITTEN * side)
    return rest if _is_written(rest, side) else np.zeros_like(box)


def _bars(box: Pixels, side: float) -> Pixels:
    """Return the upright lines of the (h, w) box that reach from its top to its bottom; a 1 does not."""
    whole = cv2.morphologyEx(box, cv2.MORPH_CLOSE, np.ones((max(1, int(0.08 * side)), 1), np.uint8))
    upright = np.ascontiguousarray(_along(whole.T, max(6, int(0.35 * side))).T)
    _, labels, marks, _ = cv2.connectedComponentsWithStats(upright, connectivity=8)
    bars = (marks[:, cv2.CC_STAT_HEIGHT] >= BAR * side) & (marks[:, cv2.CC_STAT_WIDTH] <= max(6, 0.2 * side))
    bars[0] = False
    found: Pixels = bars[labels].astype(np.uint8)
    return found


def _without_crumbs(mask: Pixels, lines: Pixels, height: float) -> Pixels:
    """Return the ink without what is left beside lines that were taken away, when lower than `height`."""
    near = cv2.dilate(lines, np.ones((3, 3), np.uint8))
    _, labels, marks, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    crumbs = np.zeros(len(marks), np.uint8)
    crumbs[np.unique(labels[near > 0])] = 1
    keep = (1 - crumbs) | (marks[:, cv2.CC_STAT_HEIGHT] >= height)
    kept: Pixels = mask & keep.astype(np.uint8)[labels]
    return kept


def _is_written(rest: Pixels, side: float) -> bool:
    """Tell whether a mark in the (h, w) box is high enough for a digit and away from most of its sides.

    An 8 that is drawn with a ruler has all that makes a box, except that nothing stands free in it.
    """
    high, wide = rest.shape
    _, _, marks, _ = cv2.connectedComponentsWithStats(rest, connectivity=8)
    margin = 0.08 * side
    for left, top, across, down, _ in marks[1:]:
        free = [left > margin, top > margin, left + across < wide - margin, top + down < high - margin]
        if down >= WRITTEN * side and sum(free) >= 3:
            return True
    return False


def _without_lines(mask: Pixels, height: float) -> Pixels:
    """Return the ink without horizontal lines that are much longer than the writing is high."""
    pieces = _along(mask, max(8, int(height)))
    _, labels, marks, _ = cv2.connectedComponentsWithStats(pieces, connectivity=8)
    lines = np.zeros_like(mask)
    for number, (left, top, wide, high, area) in enumerate(marks[1:], 1):
        if wide >= LONG * height and area / wide <= max(3, THIN * height):
            window = (slice(top, top + high), slice(left, left + wide))
            lines[window] |= labels[window] == number
    return _without_bars(_mend(mask, lines), lines) if lines.any() else mask


def _without_bars(mask: Pixels, lines: Pixels) -> Pixels:
    """Return the ink without thin upright strokes from one of the lines to another: the sides of boxes."""
    near = cv2.dilate(lines, np.ones((5, 5), np.uint8))
    _, labels, marks, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = np.ones(len(marks), np.uint8)
    keep[0] = 0
    for number, (left, top, wide, high, _) in enumerate(marks[1:], 1):
        ends = near[top, left : left + wide].any() and near[top + high - 1, left : left + wide].any()
        keep[number] = not (ends and wide <= THIN * high)
    kept: Pixels = keep[labels]
    return kept


def _without_page_lines(strength: Floats, mask: Pixels, height: float) -> Pixels:
    """Return the ink without straight, slightly tilted lines from one edge of the page to the other."""
    wide = mask.shape[1]
    pale = (cv2.blur(strength, (9, 1)) >= PALE).astype(np.uint8)
    found = cv2.HoughLines(pale, 1, 0.005, int(0.45 * wide), min_theta=LEVEL - TILT, max_theta=LEVEL + TILT)
    lines = np.zeros_like(mask)
    tight = wide < LONG * height
    for rho, theta in [] if found is None else found.reshape(-1, 2)[:MOST_LINES]:
        rows = (rho - np.arange(wide) * np.cos(theta)) / np.sin(theta)
        if not (tight and MARGIN < rows[wide // 2] / mask.shape[0] < 1 - MARGIN):
            lines |= _line_at(strength, rows, int(max(3, THIN * height)))
    return _mend(mask, lines) if lines.any() else mask


def _line_at(strength: Floats, rows: NDArray[np.float64], thickest: int) -> Pixels:
    """Return the ink of the line that crosses each column at `rows`; none when it is no printed line.

    A printed line is as strong at one end of the page as at the other, and stands alone; writing is neither.
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
    dark = np.flatnonzero(profile > ALONE * usual)
    if usual < PALE or weakest < EVEN * usual or len(dark) == 0 or dark[-1] - dark[0] + 1 > thickest:
        return found
    part = slice(max(0, dark[0] - 1), dark[-1] + 2)
    ys, xs = np.nonzero((band[part] > 0) & (band[part] < DARKER * usual))
    found[near[part][ys, xs], xs] = 1
    return found


def _along(mask: Pixels, length: int) -> Pixels:
    """Return the ink that lies in horizontal runs of at least `length`, tilted or frayed by a pixel or two."""
    mask = np.ascontiguousarray(mask)
    thick = cv2.dilate(mask, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    found: Pixels = runs & mask
    return found


def _mend(mask: Pixels, lines: Pixels) -> Pixels:
    """Return the ink without the horizontal lines, but with what crosses them from above to below."""
    mask, lines = np.ascontiguousarray(mask), np.ascontiguousarray(lines)
    rest = mask & (1 - lines)
    thick = 2 * int(cv2.distanceTransform(lines, cv2.DIST_L1, 3).max()) + 1
    reach = np.ones((thick, 3), np.uint8)
    from_above = cv2.dilate(rest, reach, anchor=(1, thick - 1))
    from_below = cv2.dilate(rest, reach, anchor=(1, 0))
    mended: Pixels = rest | (lines & mask & from_above & from_below)
    return mended
