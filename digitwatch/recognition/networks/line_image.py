"""A row of pieces to one picture for the line model: level, 32 pixels high, as wide as the row is long."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.segmentation.text_lines import Component, join

HEIGHT = 32  # pixels of a strip
WRITING = 20  # height in it of the row's digits, so that tall ones and a rest of slope find room
LONGEST = 4096  # pixels of a strip; a longer row, of 200 digits or more, is squeezed
MARGIN = 4  # paper before the first and behind the last digit, in pixels of the strip
WIDEST_GAP = 0.8  # longer gaps between pieces are cut to this share of the digits' height
LEVEL_FROM = 3  # pieces from which on a slope can be told from digits of different heights
STEEPEST = 0.3  # rise by length of a row that is levelled; steeper ones are not rows


@dataclass(frozen=True)
class Strip:
    """A row's picture, (32, W) uint8, 0 = paper to 255 = ink, and where its columns are on the page.

    `columns` holds pairs of a column of the strip and one of the page, from left to right.
    """

    picture: Pixels
    columns: NDArray[np.float64]

    def on_page(self, column: float) -> int:
        """Return the column of the page that a column of the strip shows."""
        return round(float(np.interp(column, *self.columns.T)))


def strip(pieces: list[Component], height: float) -> Strip:
    """Return the row as the line model wants it: digits about 20 pixels high, long gaps shortened.

    Args:
        pieces: the row's ink from left to right.
        height: of its digits, in pixels of the pieces.
    """
    level = _closed_up(_levelled(pieces), WIDEST_GAP * height)
    row = join(level)
    middle = _middle(level) - row.top
    scale = WRITING / height
    wide, high = max(1, round(row.width * scale)), max(1, round(row.height * scale))
    size = (min(wide, LONGEST - 2 * MARGIN), high)
    small = cv2.resize(row.glyph, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    ends = [(end(new) - row.left, end(old)) for new, old in zip(level, pieces, strict=True) for end in (_left, _right)]
    columns = np.array(sorted(ends), float) * (size[0] / row.width, 1) + (MARGIN, 0)
    return Strip(_framed(small, round(middle * scale)), columns)


def _left(piece: Component) -> int:
    return piece.left


def _right(piece: Component) -> int:
    return piece.right


def _levelled(pieces: list[Component]) -> list[Component]:
    """Return the pieces moved up or down so that the row does not climb or fall."""
    if len(pieces) < LEVEL_FROM:
        return pieces
    x = np.array([piece.left + piece.width / 2 for piece in pieces])
    y = np.array([piece.top + piece.height / 2 for piece in pieces])
    spread = float(((x - x.mean()) ** 2).sum())
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread if spread else 0.0
    slope = float(np.clip(slope, -STEEPEST, STEEPEST))
    rises = np.rint(slope * (x - x.mean())).astype(int)
    return [
        Component(piece.left, piece.top - int(rise), piece.glyph) for piece, rise in zip(pieces, rises, strict=True)
    ]


def _closed_up(pieces: list[Component], widest: float) -> list[Component]:
    """Return the pieces with no gap between them wider than `widest` pixels."""
    closed, right, moved = [], pieces[0].right, 0
    for piece in pieces:
        moved += max(0, round(piece.left - right - widest))
        right = max(right, piece.right)
        closed.append(Component(piece.left - moved, piece.top, piece.glyph))
        right = max(right, piece.right)
    return closed


def _middle(pieces: list[Component]) -> float:
    """Return where the middle of the row's digits is, weighed by their size."""
    weights = np.array([piece.width * piece.height for piece in pieces], float)
    middles = np.array([piece.top + piece.height / 2 for piece in pieces])
    return float((weights * middles).sum() / weights.sum())


def _framed(ink: Pixels, middle: int) -> Pixels:
    """Return (32, W + 8) with row `middle` of the (H, W) ink at half height; what stands out is cut off."""
    height, width = ink.shape
    framed = np.zeros((HEIGHT, width + 2 * MARGIN), np.uint8)
    top = HEIGHT // 2 - middle
    first, last = max(0, -top), min(height, HEIGHT - top)
    if first < last:
        framed[top + first : top + last, MARGIN : MARGIN + width] = ink[first:last]
    darkest = int(framed.max())
    return framed if darkest in (0, 255) else np.asarray(cv2.convertScaleAbs(framed, alpha=255 / darkest), np.uint8)
