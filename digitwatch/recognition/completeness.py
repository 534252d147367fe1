"""Completeness: the handwriting on a page that no digit of its reading accounts for."""

import re
from itertools import accumulate

import cv2
import numpy as np

from digitwatch.recognition.foreground.binarise import THUMBNAIL_PX
from digitwatch.recognition.foreground.geometry import HEIGHT, LEFT, TOP, WIDTH
from digitwatch.recognition.foreground.page_ink import PageInk
from digitwatch.recognition.result import Box, Reading

AS_HIGH = 0.5  # of something that may be a digit, by the median height of the digits
CUT = 0.3  # the same, also of the width, at the edge of the page, which may have cut a digit


def left_out(page: PageInk, reading: Reading) -> tuple[Box, ...]:
    """Return where there is handwriting as high as digits on a page, and the reading has none."""
    grey = page.page.grey
    if not reading.digits or max(grey.shape) <= THUMBNAIL_PX:
        return ()
    ink, mask = page.ink, page.writing
    stats = cv2.connectedComponentsWithStats(mask, connectivity=8)[2][1:]
    height = float(np.median([digit.box.height for digit in reading.digits])) / ink.factor
    rights, bottoms = stats[:, LEFT] + stats[:, WIDTH], stats[:, TOP] + stats[:, HEIGHT]
    above_or_below = (stats[:, TOP] == 0) | (bottoms == mask.shape[0])
    at_edge = above_or_below | (stats[:, LEFT] == 0) | (rights == mask.shape[1])
    large = (stats[:, HEIGHT] >= AS_HIGH * height) | (at_edge & (stats[:, HEIGHT] >= CUT * height))
    large |= above_or_below & (stats[:, WIDTH] >= CUT * height)
    boxes = [Box(*(int(side) * ink.factor for side in component[:4])) for component in stats[large]]
    known = [digit.box for digit in reading.digits] + _signs(reading, grey.shape[0])
    return tuple(box for box in boxes if not any(_holds(place, box) for place in known))


def _signs(reading: Reading, height: int) -> list[Box]:
    """Return where the signs of a reading stand: between the middles of two digits, on a page of that height."""
    middles = [digit.box.left + digit.box.width // 2 for digit in reading.digits]
    parts = re.split(r"\D+", reading.signs)
    ends = accumulate(len(part) for part in parts[:-1])
    return [Box(middles[end - 1], 0, middles[end] - middles[end - 1], height) for end in ends if 0 < end < len(middles)]


def _holds(place: Box, box: Box) -> bool:
    """Return whether the middle of a box lies in that of a digit or a sign."""
    x, y = box.left + box.width / 2 - place.left, box.top + box.height / 2 - place.top
    return -2 <= x <= place.width + 2 and -2 <= y <= place.height + 2
