"""Which part of a page is shown enlarged in the review: the digits, or only the doubtful ones where they are many."""

from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

DOUBTFUL_BELOW = 0.95  # probability of a digit; as in the annotated pictures
MARGIN, WIDE_MARGIN = 0.8, 2.0  # of the height of a digit, around all digits and around the doubtful ones
WHOLE = 0.6  # share of the page's width and height from which on the page itself is shown
SHOWN = (860, 420)  # pixels that the picture has on a screen of 1366x650
READABLE = 28  # pixels of a digit on the screen


class Box(NamedTuple):
    """A rectangle in pixels."""

    left: int
    top: int
    width: int
    height: int


def part(boxes: Sequence[Box], probabilities: Sequence[float], width: int, height: int) -> Box | None:
    """Return the part of a page of width x height pixels to enlarge; None for the whole page."""
    if not boxes:
        return None
    size = median(box.height for box in boxes)
    found = _around(boxes, MARGIN * size, width, height)
    if size * min(SHOWN[0] / found.width, SHOWN[1] / found.height) < READABLE:
        found = _around([boxes[k] for k in doubtful(probabilities)], WIDE_MARGIN * size, width, height)
    return None if found.width >= WHOLE * width and found.height >= WHOLE * height else found


def around_field(field: Box, width: int, height: int) -> Box:
    """Return the part of a page that shows a field large and its neighbours beside it."""
    left, top, wide, high = field
    across, down = wide + 2 * max(1.5 * high, 0.2 * wide), high + 2 * 1.2 * high
    ratio = SHOWN[0] / SHOWN[1]
    across, down = max(across, down * ratio), max(down, across / ratio)
    return _around(
        [Box(round(left + (wide - across) / 2), round(top + (high - down) / 2), round(across), round(down))],
        0,
        width,
        height,
    )


def doubtful(probabilities: Sequence[float]) -> list[int]:
    """Return the numbers of the doubtful digits, at least the least probable one."""
    low = [k for k, probability in enumerate(probabilities) if probability < DOUBTFUL_BELOW]
    return low or [min(range(len(probabilities)), key=probabilities.__getitem__)]


def scale(part: Box) -> float:
    """Return by how much a part is enlarged or made smaller, so that it fills the place on the screen once."""
    return min(SHOWN[0] / part.width, SHOWN[1] / part.height, 16.0)


def outline(box: Box, part: Box, scale: float) -> tuple[int, int, int, int]:
    """Return left, top, right and bottom of a frame a little around a digit, in pixels of the enlarged part."""
    space = max(3.0, 0.08 * box.height * scale)
    left, top = (box.left - part.left) * scale, (box.top - part.top) * scale
    right, bottom = left + box.width * scale, top + box.height * scale
    return round(left - space), round(top - space), round(right + space), round(bottom + space)


def _around(boxes: Sequence[Box], margin: float, width: int, height: int) -> Box:
    left = max(0, round(min(box.left for box in boxes) - margin))
    top = max(0, round(min(box.top for box in boxes) - margin))
    right = min(width, round(max(box.left + box.width for box in boxes) + margin))
    bottom = min(height, round(max(box.top + box.height for box in boxes) + margin))
    return Box(left, top, max(1, right - left), max(1, bottom - top))
