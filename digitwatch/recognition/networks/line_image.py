"""Normalises a text line to the input of the line recogniser: level, 32 pixels high, of any width."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.segmentation.text_lines import Component, join

STRIP_HEIGHT = 32  # pixels of a strip
WRITING_HEIGHT = 20  # pixels of the line's digits: tall ones and a slope have space
MAX_STRIP_WIDTH = 4096  # pixels; a longer line, of 200 digits or more, is compressed
STRIP_MARGIN = 4  # pixels of paper before the first and after the last digit
MAX_GAP = 0.8  # between components, by the digits' height; longer gaps are shortened
MIN_LEVELLED_COMPONENTS = 3  # from which on a slope is told from digits of different heights
MAX_SLOPE = 0.3  # rise by length of a line that is levelled


@dataclass(frozen=True)
class Strip:
    """A text line's picture, (32, W) uint8, 0 = paper to 255 = ink, and its columns' places on the page.

    `columns` holds pairs of a column of the strip and one of the page, from left to right.
    """

    picture: Pixels
    columns: NDArray[np.float64]

    def on_page(self, column: float) -> int:
        """Return the column of the page that a column of the strip shows."""
        return round(float(np.interp(column, *self.columns.T)))


def strip(components: list[Component], height: float) -> Strip:
    """Return the line as input of the line recogniser: digits about 20 pixels high, long gaps shortened.

    Args:
        components: the row's ink from left to right.
        height: of its digits, in pixels of the components.
    """
    level = _closed_up(_levelled(components), MAX_GAP * height)
    row = join(level)
    middle = _middle(level) - row.top
    scale = WRITING_HEIGHT / height
    wide, high = max(1, round(row.width * scale)), max(1, round(row.height * scale))
    size = (min(wide, MAX_STRIP_WIDTH - 2 * STRIP_MARGIN), high)
    small = cv2.resize(row.glyph, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    ends = [
        (end(new) - row.left, end(old)) for new, old in zip(level, components, strict=True) for end in (_left, _right)
    ]
    columns = np.array(sorted(ends), float) * (size[0] / row.width, 1) + (STRIP_MARGIN, 0)
    return Strip(_framed(small, round(middle * scale)), columns)


def _left(component: Component) -> int:
    return component.left


def _right(component: Component) -> int:
    return component.right


def _levelled(components: list[Component]) -> list[Component]:
    """Return the components moved up or down so that the line is level."""
    if len(components) < MIN_LEVELLED_COMPONENTS:
        return components
    x = np.array([component.left + component.width / 2 for component in components])
    y = np.array([component.top + component.height / 2 for component in components])
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread else 0.0
    slope = float(np.clip(slope, -MAX_SLOPE, MAX_SLOPE))
    rises = np.rint(slope * (x - x.mean())).astype(int)
    return [
        Component(component.left, component.top - int(rise), component.glyph)
        for component, rise in zip(components, rises, strict=True)
    ]


def _closed_up(components: list[Component], widest: float) -> list[Component]:
    """Return the components with no gap between them wider than `widest` pixels."""
    closed, right, moved = [], components[0].right, 0
    for component in components:
        moved += max(0, round(component.left - right - widest))
        right = max(right, component.right)
        closed.append(Component(component.left - moved, component.top, component.glyph))
        right = max(right, component.right)
    return closed


def _middle(components: list[Component]) -> float:
    """Return the row of the digits' middle, weighted by their size."""
    weights = np.array([component.width * component.height for component in components], float)
    middles = np.array([component.top + component.height / 2 for component in components])
    return float((weights * middles).sum() / weights.sum())


def _framed(ink: Pixels, middle: int) -> Pixels:
    """Return (32, W + 8) with row `middle` of the (H, W) ink at half height; the rest is cut off."""
    height, width = ink.shape
    framed = np.zeros((STRIP_HEIGHT, width + 2 * STRIP_MARGIN), np.uint8)
    top = STRIP_HEIGHT // 2 - middle
    first, last = max(0, -top), min(height, STRIP_HEIGHT - top)
    if first < last:
        framed[top + first : top + last, STRIP_MARGIN : STRIP_MARGIN + width] = ink[first:last]
    darkest = int(framed.max())
    return framed if darkest in (0, 255) else np.asarray(cv2.convertScaleAbs(framed, alpha=255 / darkest), np.uint8)
