"""What makes a reading doubtful, in a few words for people."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

STRANGE = 0.5  # a mark more probably none than any digit


def doubt(chances: NDArray[np.float32], certainty: float, labels: Sequence[str], reject: int | None) -> str:
    """Say what makes a reading doubtful.

    Args:
        chances: (N, classes) probabilities of each digit that was read.
        certainty: the least probability that the ink was parted into digits as it should be.
        labels: names of the classes.
        reject: the class of what is no digit, None when there is none.
    """
    strange = 0 if reject is None else int((chances[:, reject] > STRANGE).sum())
    if strange:
        return "not a digit" if len(chances) == 1 else f"{strange} of {len(chances)} marks are not digits"
    digits = np.delete(chances, [] if reject is None else [reject], axis=1)
    worst = int(digits.max(axis=1).argmin())
    if certainty < digits[worst].max():
        return "digits touch or are broken: they can be parted in several ways"
    where = "" if len(chances) == 1 else f"digit {worst + 1} "
    second, best = np.argsort(chances[worst])[-2:]
    names = ["no digit" if k == reject else labels[k] for k in (best, second)]
    return f"{where}may be {names[0]} or {names[1]}"
