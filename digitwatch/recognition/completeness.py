"""Completeness: the handwriting on a page that no digit of its reading accounts for."""

import cv2
import numpy as np

from digitwatch.recognition.foreground.binarise import THUMBNAIL_PX
from digitwatch.recognition.foreground.geometry import HEIGHT, LEFT, TOP, WIDTH
from digitwatch.recognition.foreground.page_ink import PageInk
from digitwatch.recognition.result import Box, Reading

AS_HIGH = 0.5  # of something that may be a digit, by the median height of the digits
CUT = 0.3  # the same, also of the width, at the edge of the page, which may have cut a digit
SIGN = 1.6  # the same beside digits with signs: a slash is higher than they are


def left_out(page: PageInk, reading: Reading) -> tuple[Box, ...]:
    """Return where there is handwriting as high as digits on a page, and the reading has none."""
    if not reading.digits or max(page.page.grey.shape) <= THUMBNAIL_PX:
        return ()
    ink, mask = page.ink, page.writing
    stats = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]
    height = float(np.median([digit.box.height for digit in reading.digits])) / ink.factor
    low, cut = (SIGN, SIGN) if reading.signs else (AS_HIGH, CUT)
    rights, bottoms = stats[:, LEFT] + stats[:, WIDTH], stats[:, TOP] + stats[:, HEIGHT]
    above_or_below = (stats[:, TOP] == 0) | (bottoms == mask.shape[0])
    at_edge = above_or_below | (stats[:, LEFT] == 0) | (rights == mask.shape[1])
    large = (stats[:, HEIGHT] >= low * height) | (at_edge & (stats[:, HEIGHT] >= cut * height))
    large |= above_or_below & (stats[:, WIDTH] >= cut * height)
    boxes = [Box(*(int(side) * ink.factor for side in component[:4])) for component in stats[large]]
    return tuple(box for box in boxes if not any(_holds(digit.box, box) for digit in reading.digits))


def _holds(digit: Box, box: Box) -> bool:
    """Return whether the middle of a box lies in that of a digit."""
    x, y = box.left + box.width / 2 - digit.left, box.top + box.height / 2 - digit.top
    return -2 <= x <= digit.width + 2 and -2 <= y <= digit.height + 2
