"""Numbers that stand side by side in one row: a gap much wider than the others of its row parts them."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digitwatch.recognition.result import Digit

PITCH, GAP = 1.8, 0.9  # least distance of centres, in the median of the row's others, and least gap, in digit heights
CLEAR_PITCH, CLEAR_GAP = 3.0, 2.0  # the same from which on no one would take the numbers for one
ONLY_GAP = 2.5  # least gap in digit heights of two digits, which have no other distance to compare with


@dataclass(frozen=True)
class Groups:
    """The numbers of a row, and whether the gaps leave no doubt that they are several."""

    numbers: tuple[tuple[Digit, ...], ...]
    clear: bool


def groups(row: tuple[Digit, ...]) -> Groups:
    """Return the digits of a row, left to right, parted at each gap that is much wider than the others."""
    boxes = [digit.box for digit in row]
    height = float(np.median([box.height for box in boxes])) if boxes else 0.0
    gaps = [(right.left - left.left - left.width) / max(height, 1.0) for left, right in pairwise(boxes)]
    pitches = np.diff([box.left + box.width / 2 for box in boxes])
    parts, clear = [list(row[:1])], True
    for number, digit in enumerate(row[1:]):
        others = np.delete(pitches, number)
        pitch = pitches[number] / max(float(np.median(others)), 1.0) if len(others) else 0.0
        if (gaps[number] > GAP and pitch > PITCH) or (not len(others) and gaps[number] > ONLY_GAP):
            clear = clear and gaps[number] > CLEAR_GAP and pitch > CLEAR_PITCH
            parts.append([])
        parts[-1].append(digit)
    return Groups(tuple(map(tuple, parts)), clear)
