"""Removal of printed lines and boxes around the writing; strokes that cross them are restored."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.foreground.binarise import THUMBNAIL_PX
from digitwatch.recognition.foreground.geometry import part_with_ink, writing_height
from digitwatch.recognition.foreground.grid_paper import without_grid
from digitwatch.recognition.foreground.line_removal import without_level, without_upright
from digitwatch.recognition.foreground.ruled_lines import LINE_STRENGTH, MAX_LINE_WIDTH, MIN_LINE_LENGTH, page_lines

# ---- boxes
CLEAR_BOX_STRENGTH = 0.6  # of a clearly printed box
MIN_BOX_RECTANGULARITY = 0.88  # area of a box by that of its smallest rectangle
MAX_BOX_INK = 0.6  # ink of a box by its area
MIN_SIDE_INK = 0.75  # share of each side along which there is ink
MIN_BAR_HEIGHT = 0.9  # of a bar between two cells, by the box's height
TABLE_HEIGHT = 3.5  # height of a box with several rows, by that of its writing
TABLE_CELL_HEIGHT = 1.5  # height of their cells, by that of the writing
MIN_WRITING_HEIGHT = 0.35  # of something in a box, by the height of its cells

# ---- lines
HORIZONTAL_PATTERN = 4  # lines across the page that no digit has: a square 8 has three
VERTICAL_PATTERN = 2  # the same for vertical lines
MIN_GRID_EXTENT = 0.9  # of grid paper, by the page's width and height
MIN_DIGIT_HEIGHT = 0.06  # of the lowest of several digits beside vertical lines, by the page's height
FULL_HEIGHT = 0.85  # of a component that fills the page, by the page's height
INK_MARGIN_PX = 8  # margin of paper around all ink that is kept


def without_printed_lines(strength: Floats) -> Pixels:
    """Return the ink without ruled lines and boxes; where there are boxes with writing, only their content.

    Args:
        strength: (h, w) float32, from 1 on it is ink.

    Returns:
        (h, w) uint8, 1 = ink, 0 = paper; strokes that a line crossed stay intact. A thumbnail of one digit has no
        ruled lines: what resembles one is a stroke.
    """
    mask = (strength >= 1).astype(np.uint8)
    if not cv2.countNonZero(mask) or max(mask.shape) <= THUMBNAIL_PX:
        return mask
    part = part_with_ink(strength >= LINE_STRENGTH, INK_MARGIN_PX)
    if all(
        covered.stop - covered.start > MIN_GRID_EXTENT * side for covered, side in zip(part, mask.shape, strict=True)
    ):
        strength, mask = without_grid(strength, mask)
        if not cv2.countNonZero(mask):
            return mask
    inside = _boxes(strength[part], mask[part])
    if inside is not None:
        return _at(part, inside, mask)
    _, _, stats, _ = cv2.connectedComponentsWithStats(mask[part], connectivity=8)
    height = writing_height(stats[1:])
    rest = _without_page_lines(strength, mask, part, height)
    if rest is not mask:  # a digit that touched a line has its own height now
        _, _, stats, _ = cv2.connectedComponentsWithStats(rest[part], connectivity=8)
        height = writing_height(stats[1:]) if len(stats) > 1 else height
    rest = _at(part, _without_long_lines(rest[part], height), mask)
    gone = mask & (1 - rest)
    return _without_crumbs(rest, gone, MIN_WRITING_HEIGHT * height) if cv2.countNonZero(gone) else rest


def _without_page_lines(strength: Floats, mask: Pixels, part: tuple[slice, slice], height: float) -> Pixels:
    """Return the ink without lines from one edge of the page to the other, horizontal or vertical."""
    level = page_lines(strength, height, part[1].stop - part[1].start, pattern=HORIZONTAL_PATTERN)
    rest = without_level(mask, level) if cv2.countNonZero(level) else mask
    turned = np.ascontiguousarray(strength.T)
    upright = page_lines(turned, height, part[0].stop - part[0].start, pattern=VERTICAL_PATTERN)
    if not cv2.countNonZero(upright):
        return rest
    without = without_upright(rest, np.ascontiguousarray(upright.T))
    # A 1 in a tight crop runs from border to border too; but then so do the other digits, or there are none.
    _, _, stats, _ = cv2.connectedComponentsWithStats(without, connectivity=8)
    heights = np.sort(stats[1:, cv2.CC_STAT_HEIGHT])[::-1]
    is_writing = heights[:1] >= MIN_WRITING_HEIGHT * height, heights[1:2] >= MIN_DIGIT_HEIGHT * len(mask)
    return without if any(map(np.any, is_writing)) and heights[0] <= FULL_HEIGHT * len(mask) else rest


def _at(part: tuple[slice, slice], ink: Pixels, page: Pixels) -> Pixels:
    """Return the ink of a part at its place on the page."""
    whole = np.zeros_like(page)
    whole[part] = ink
    return whole


def _without_long_lines(mask: Pixels, height: float) -> Pixels:
    """Return the ink without lines, horizontal or vertical, that are much longer than its `height`."""
    rest = _without_lines(np.ascontiguousarray(mask), height)
    return np.ascontiguousarray(_without_lines(np.ascontiguousarray(rest.T), height).T)


def _boxes(strength: Floats, mask: Pixels) -> Pixels | None:
    """Return the writing inside boxes, None where no box has writing."""
    # Pale lines are detected only when averaged along themselves, which blurs strong ones.
    averaged = np.maximum(cv2.blur(strength, (9, 1)), cv2.blur(strength, (1, 9)))
    for pale, grown in (strength >= CLEAR_BOX_STRENGTH, 0), (averaged >= LINE_STRENGTH, 4):
        inside = _inside(pale.astype(np.uint8), mask, grown)
        if inside.any():
            return inside
    return None


def _inside(pale: Pixels, mask: Pixels, grown: int) -> Pixels:
    """Return the ink inside the boxes that (h, w) `pale` shows, `grown` pixels too large on all sides."""
    closed = cv2.morphologyEx(pale, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(closed, connectivity=8)
    inside = np.zeros_like(mask)
    for number, (left, top, wide, high, area) in enumerate(stats[1:], 1):
        if min(wide, high) < 16 + 2 * grown or area > MAX_BOX_INK * wide * high:
            continue
        window = (slice(top, top + high), slice(left, left + wide))
        frame = (labels[window] == number).astype(np.uint8)
        side = min(_rectangle(frame), float(high)) - 2 * grown
        if side > 0 and _has_four_sides(frame):
            window = (slice(top + grown, top + high - grown), slice(left + grown, left + wide - grown))
            np.maximum(inside[window], _content(mask[window], side), out=inside[window])
    return inside


def _rectangle(shape: Pixels) -> float:
    """Return the shorter side of the rectangle, of any tilt, that the (h, w) shape outlines; 0 where it is none."""
    outlines, _ = cv2.findContours(shape, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    outline = max(outlines, key=len)
    _, sides, _ = cv2.minAreaRect(outline)
    full = cv2.contourArea(outline) >= MIN_BOX_RECTANGULARITY * max(1.0, (sides[0] - 1) * (sides[1] - 1))
    return float(min(sides)) if full else 0.0


def _has_four_sides(frame: Pixels) -> bool:
    """Return whether there is ink along all four sides of the (h, w) picture."""
    high, wide = frame.shape
    deep = max(3, min(high, wide) // 7)
    sides = (frame[:deep].any(0), frame[-deep:].any(0), frame[:, :deep].any(1), frame[:, -deep:].any(1))
    return all(side.mean() >= MIN_SIDE_INK for side in sides)


def _content(box: Pixels, side: float) -> Pixels:
    """Return the ink in the (h, w) box without its frame and bars; empty where it is not writing.

    `side` is the height of its cells, which is less than its own when it is tilted.
    """
    high, wide = box.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(box, connectivity=8)
    free = stats[1:][stats[1:, cv2.CC_STAT_HEIGHT] < MIN_BAR_HEIGHT * side]  # neither frame nor bars
    if len(free) and side > TABLE_HEIGHT * writing_height(free):
        side = TABLE_CELL_HEIGHT * writing_height(free)
        rest = _without_long_lines(box, writing_height(free))
    else:
        rest = without_level(box, _along(box, max(8, int(min(0.6 * wide, 1.5 * side)))))
        rest = without_upright(rest, _bars(box, side))
    margin = max(1, min(high, wide) // 20)
    rest[:margin], rest[-margin:], rest[:, :margin], rest[:, -margin:] = 0, 0, 0, 0
    rest = _without_crumbs(rest, box & (1 - rest), MIN_WRITING_HEIGHT * side)
    return rest if _is_written(rest, side) else np.zeros_like(box)


def _bars(box: Pixels, side: float) -> Pixels:
    """Return the vertical lines of the (h, w) box that reach from its top to its bottom; a 1 does not."""
    whole = cv2.morphologyEx(box, cv2.MORPH_CLOSE, np.ones((max(1, int(0.08 * side)), 1), np.uint8))
    upright = np.ascontiguousarray(_along(whole.T, max(6, int(0.35 * side))).T)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(upright, connectivity=8)
    bars = (stats[:, cv2.CC_STAT_HEIGHT] >= MIN_BAR_HEIGHT * side) & (stats[:, cv2.CC_STAT_WIDTH] <= max(6, 0.2 * side))
    bars[0] = False
    found: Pixels = bars[labels].astype(np.uint8)
    return found


def _without_crumbs(mask: Pixels, lines: Pixels, height: float) -> Pixels:
    """Return the ink without remainders beside removed lines that are lower than `height`."""
    near = cv2.dilate(lines, np.ones((3, 3), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    crumbs = np.zeros(len(stats), np.uint8)
    crumbs[np.unique(labels[near > 0])] = 1
    keep = (1 - crumbs) | (stats[:, cv2.CC_STAT_HEIGHT] >= height)
    kept: Pixels = mask & keep.astype(np.uint8)[labels]
    return kept


def _is_written(rest: Pixels, side: float) -> bool:
    """Return whether a component in the (h, w) box is high enough for a digit and away from most of its sides.

    A square 8 has all the properties of a box, except that nothing in it is free of its sides.
    """
    high, wide = rest.shape
    _, _, stats, _ = cv2.connectedComponentsWithStats(rest, connectivity=8)
    margin = 0.08 * side
    for left, top, across, down, _ in stats[1:]:
        free = [left > margin, top > margin, left + across < wide - margin, top + down < high - margin]
        if down >= MIN_WRITING_HEIGHT * side and sum(free) >= 3:
            return True
    return False


def _without_lines(mask: Pixels, height: float) -> Pixels:
    """Return the ink without horizontal lines that are much longer than the writing is high."""
    if cv2.boundingRect(mask)[2] < MIN_LINE_LENGTH * height:
        return mask
    components = _along(mask, max(8, int(height)))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(components, connectivity=8)
    lines = np.zeros_like(mask)
    for number, (left, top, wide, high, area) in enumerate(stats[1:], 1):
        if wide >= MIN_LINE_LENGTH * height and area / wide <= max(3, MAX_LINE_WIDTH * height):
            window = (slice(top, top + high), slice(left, left + wide))
            lines[window] |= labels[window] == number
    return _without_bars(without_level(mask, lines), lines) if lines.any() else mask


def _without_bars(mask: Pixels, lines: Pixels) -> Pixels:
    """Return the ink without thin vertical strokes from one of the lines to another: the sides of boxes."""
    near = cv2.dilate(lines, np.ones((5, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    keep = np.ones(len(stats), np.uint8)
    keep[0] = 0
    for number, (left, top, wide, high, _) in enumerate(stats[1:], 1):
        ends = near[top, left : left + wide].any() and near[top + high - 1, left : left + wide].any()
        keep[number] = not (ends and wide <= MAX_LINE_WIDTH * high)
    kept: Pixels = keep[labels]
    return kept


def _along(mask: Pixels, length: int) -> Pixels:
    """Return the ink that lies in horizontal runs of at least `length`, tilted or frayed by a pixel or two."""
    mask = np.ascontiguousarray(mask)
    thick = cv2.dilate(mask, np.ones((3, 1), np.uint8))
    runs = cv2.morphologyEx(thick, cv2.MORPH_OPEN, np.ones((1, length), np.uint8))
    found: Pixels = runs & mask
    return found
