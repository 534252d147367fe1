"""Printed lines and boxes around the writing: found, taken away, and the strokes they crossed mended."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.foreground.binarise import STAMP
from digitwatch.recognition.foreground.geometry import part_with_ink, writing_height
from digitwatch.recognition.foreground.grid_paper import without_squares
from digitwatch.recognition.foreground.line_removal import without_level, without_upright
from digitwatch.recognition.foreground.ruled_lines import LONG, PALE, THIN, page_lines

# ---- boxes
CLEAR = 0.6  # strength of a box that is well printed
RECTANGLE = 0.88  # a box fills this share of the smallest rectangle around it
FILLED = 0.6  # no more than this share of it is ink
SIDE = 0.75  # and there is ink along this share of each side
BAR = 0.9  # a bar between two cells is at least this share of the box's height
TABLE = 3.5  # a box this many times higher than its writing is a table of several rows
WRITTEN_ROOM = 1.5  # the height of whose cells is this many times that of the writing
WRITTEN = 0.35  # and something in it is at least this share of its height

# ---- lines
LEVEL_PATTERN, UPRIGHT_PATTERN = 4, 2  # lines across the whole page that no digit has: a square 8 has three level ones
SPREAD = 0.9  # squares cover more than this share of the page's width and height
SMALL = 0.06  # of the page's height is the lowest of several digits beside upright lines
FULL = 0.85  # a mark of this share of the page's height fills it
BEYOND = 8  # pixels of paper around all ink that are worked on


def without_rules(strength: Floats) -> Pixels:
    """Return the ink without ruled lines and boxes; where there are boxes with writing, only what is in them.

    Args:
        strength: (h, w) float32, from 1 on it is ink.

    Returns:
        (h, w) uint8, 1 = ink, 0 = paper; strokes that a line crossed stay whole. A picture so small that it shows one
        digit has no room for rules: what looks like one is a stroke.
    """
    mask = (strength >= 1).astype(np.uint8)
    if not cv2.countNonZero(mask) or max(mask.shape) <= STAMP:
        return mask
    part = part_with_ink(strength >= PALE, BEYOND)
    if all(covered.stop - covered.start > SPREAD * side for covered, side in zip(part, mask.shape, strict=True)):
        strength, mask = without_squares(strength, mask)
        if not cv2.countNonZero(mask):
            return mask
    inside = _boxes(strength[part], mask[part])
    if inside is not None:
        return _at(part, inside, mask)
    _, _, marks, _ = cv2.connectedComponentsWithStats(mask[part], connectivity=8)
    height = writing_height(marks[1:])
    rest = _without_page_lines(strength, mask, part, height)
    if rest is not mask:  # a digit that stood on a line is as high as itself
        _, _, marks, _ = cv2.connectedComponentsWithStats(rest[part], connectivity=8)
        height = writing_height(marks[1:]) if len(marks) > 1 else height
    rest = _at(part, _without_rules_of(rest[part], height), mask)
    gone = mask & (1 - rest)
    return _without_crumbs(rest, gone, WRITTEN * height) if cv2.countNonZero(gone) else rest


def _without_page_lines(strength: Floats, mask: Pixels, part: tuple[slice, slice], height: float) -> Pixels:
    """Return the ink without lines from one edge of the page to the other, level or upright."""
    level = page_lines(strength, height, part[1].stop - part[1].start, pattern=LEVEL_PATTERN)
    rest = without_level(mask, level) if cv2.countNonZero(level) else mask
    turned = np.ascontiguousarray(strength.T)
    upright = page_lines(turned, height, part[0].stop - part[0].start, pattern=UPRIGHT_PATTERN)
    if not cv2.countNonZero(upright):
        return rest
    without = without_upright(rest, np.ascontiguousarray(upright.T))
    # A 1 in a tight crop runs from edge to edge as well: but then the other digits do, or there are none.
    _, _, marks, _ = cv2.connectedComponentsWithStats(without, connectivity=8)
    heights = np.sort(marks[1:, cv2.CC_STAT_HEIGHT])[::-1]
    is_writing = heights[:1] >= WRITTEN * height, heights[1:2] >= SMALL * len(mask)
    return without if any(map(np.any, is_writing)) and heights[0] <= FULL * len(mask) else rest


def _at(part: tuple[slice, slice], ink: Pixels, page: Pixels) -> Pixels:
    """Return the ink of a part of the page where it lies on the whole."""
    whole = np.zeros_like(page)
    whole[part] = ink
    return whole


def _without_rules_of(mask: Pixels, height: float) -> Pixels:
    """Return the ink without lines, level or upright, that are much longer than its `height`."""
    rest = _without_lines(np.ascontiguousarray(mask), height)
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
    free = marks[1:][marks[1:, cv2.CC_STAT_HEIGHT] < BAR * side]  # neither frame nor bars
    if len(free) and side > TABLE * writing_height(free):
        side = WRITTEN_ROOM * writing_height(free)
        rest = _without_rules_of(box, writing_height(free))
    else:
        rest = without_level(box, _along(box, max(8, int(min(0.6 * wide, 1.5 * side)))))
        rest = without_upright(rest, _bars(box, side))
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
    if cv2.boundingRect(mask)[2] < LONG * height:
        return mask
    pieces = _along(mask, max(8, int(height)))
    _, labels, marks, _ = cv2.connectedComponentsWithStats(pieces, connectivity=8)
    lines = np.zeros_like(mask)
    for number, (left, top, wide, high, area) in enumerate(marks[1:], 1):
        if wide >= LONG * height and area / wide <= max(3, THIN * height):
            window = (slice(top, top + high), slice(left, left + wide))
            lines[window] |= labels[window] == number
    return _without_bars(without_level(mask, lines), lines) if lines.any() else mask


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


def _along(mask: Pixels, length: int) -> Pixels:
    """Return the ink that lies in horizontal runs of at least `length`, tilted or frayed by a pixel or two."""
    mask = np.ascontiguousarray(mask)
    thick = cv2.dilate(mask, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    found: Pixels = runs & mask
    return found
