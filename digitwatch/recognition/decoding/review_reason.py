"""The reasons that people see in the log: why a reading is doubtful, in a few words."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from digitwatch.log_codes import Reason, ReasonCode

REJECTED = 0.5  # probability of the class "no digit" from which on a component is called none

EMPTY = Reason(ReasonCode.NO_INK, "no ink on the page")
ONE_COLOUR = Reason(ReasonCode.NO_INK, "nothing on the page: it is of one colour")
CLUTTER = Reason(ReasonCode.CLUTTER, "too many doubtful components: each was classified only once")
SURROUNDINGS = Reason(ReasonCode.DISAGREEMENT, "the whole picture reads as another digit than its ink")
FAINT = Reason(ReasonCode.FAINT, "very faint or small writing")
SEGMENTATION = Reason(ReasonCode.TOUCHING, "digits touch or are broken: several segmentations are possible")
NO_DIGIT = "not a digit"


def turned(degrees: int) -> Reason:
    """Return the note on a page that was turned clockwise by 90, 180 or 270 degrees."""
    return Reason(ReasonCode.ROTATED, f"turned by {degrees} degrees", str(degrees))


def weakest(probabilities: NDArray[np.float32], certainty: float, labels: Sequence[str], reject: int | None) -> Reason:
    """Return what makes the weakest digit of a reading doubtful.

    Args:
        probabilities: (N, classes) of each digit that was read.
        certainty: the least probability that a row was segmented into digits correctly.
        labels: names of the classes.
        reject: the class of what is no digit, None when there is none.
    """
    rejected = 0 if reject is None else int((probabilities[:, reject] > REJECTED).sum())
    if rejected:
        several = f"{rejected} of {len(probabilities)} components are not digits"
        return Reason(ReasonCode.NOT_A_DIGIT, NO_DIGIT if len(probabilities) == 1 else several)
    digits = np.delete(probabilities, [] if reject is None else [reject], axis=1)
    worst = int(digits.max(axis=1).argmin())
    if certainty < digits[worst].max():
        return SEGMENTATION
    place = "" if len(probabilities) == 1 else f"digit {worst + 1} "
    second, best = np.argsort(probabilities[worst])[-2:]
    names = ["no digit" if k == reject else labels[k] for k in (best, second)]
    return Reason(ReasonCode.AMBIGUOUS, f"{place}may be {names[0]} or {names[1]}", "|".join(names))
