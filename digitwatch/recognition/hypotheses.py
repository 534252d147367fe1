"""The ways to prepare a page for the decoder: what each applies to, how it prepares the page, how far it is trusted."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from digitwatch.log_codes import Status
from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.decoding import review_reason
from digitwatch.recognition.evidence import Evidence, Trust
from digitwatch.recognition.foreground.binarise import THUMBNAIL_PX, Ink, find_ink
from digitwatch.recognition.foreground.page_ink import PageInk
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.networks.digit_image import SIZE, fit
from digitwatch.recognition.networks.letterbox import letterbox
from digitwatch.recognition.segmentation.components import MIN_WRITING_PX

# Faint or small writing: lower limits than usual on a page that seems empty.
FAINT_CONTRAST = 10  # grey levels by which ink differs from paper at least
SMALL_WRITING_PX = 5  # height of the writing at least
LIKELY_DIGIT = 0.5  # probability that most components must have: paper fibres and shadows have less


@dataclass(frozen=True)
class Foreground:
    """What is handwriting on a page.

    Attributes:
        strength: (h, w) float32, how much darker than its paper a pixel is; from 1 on it is ink.
        mask: (h, w) uint8, 1 where ink counts.
        scale: page pixels per pixel of `strength`, a whole number.
        min_height_px: height of the writing at least, in pixels of `strength`.
    """

    strength: Floats
    mask: Pixels
    scale: int
    min_height_px: int = MIN_WRITING_PX


@dataclass(frozen=True)
class Picture:
    """A page as one input of the classifier, without segmentation: uint8 of the model's shape."""

    pixels: Pixels


Prepared = Foreground | Picture | None
"""What the decoder takes; None is a page of one colour."""


def _always(evidence: Evidence) -> bool:
    """Return True: the hypothesis applies to every page of its list, and whatever it finds counts."""
    return True


FULL_TRUST = Trust()
"""For a hypothesis that is tried first."""


@dataclass(frozen=True)
class Hypothesis:
    """One way to prepare a page.

    Attributes:
        name: what it does to the page.
        prepare: a page to what the decoder takes.
        applies: whether it is worth the time, from the best evidence so far.
        accepts: whether what it finds counts.
        trust: how much its evidence counts.
    """

    name: str
    prepare: Callable[[PageInk], Prepared]
    applies: Callable[[Evidence], bool] = _always
    accepts: Callable[[Evidence], bool] = _always
    trust: Trust = FULL_TRUST


def foreground(ink: Ink, min_height_px: int = MIN_WRITING_PX) -> Foreground:
    """Return all ink as foreground, if it is `min_height_px` high at least."""
    return Foreground(ink.strength, ink.mask, ink.factor, min_height_px)


def whole_crop(strength: Floats) -> Pixels:
    """Return all of a picture as input of the classifier, uncropped: (28, 28) uint8, 0 = paper to 255 = ink.

    Args:
        strength: (h, w) float32, 1 at the threshold of ink, 2 for full ink.
    """
    level = np.clip(strength * 128, 0, 255).astype(np.uint8)
    fitted = fit(level, SIZE)
    high, wide = fitted.shape
    picture = np.zeros((SIZE, SIZE), np.uint8)
    top, left = (SIZE - high) // 2, (SIZE - wide) // 2
    picture[top : top + high, left : left + wide] = fitted
    return picture


def _is_found(best: Evidence) -> bool:
    return best.status != Status.EMPTY


def _is_doubtful(best: Evidence) -> bool:
    return best.status != Status.OK


def _is_empty(best: Evidence) -> bool:
    return best.status == Status.EMPTY


def _is_likely(found: Evidence) -> bool:
    """Return whether at least half of what was found are probably digits; paper fibres and shadows are not."""
    likely = [digit.probability > LIKELY_DIGIT for row in found.rows for digit in row]
    return any(likely) and 2 * sum(likely) >= len(likely)


THRESHOLD = Hypothesis("adaptive threshold", lambda page: foreground(page.ink))
WRITING = Hypothesis(
    "foreground network",
    lambda page: Foreground(page.ink.strength, page.writing, page.ink.factor),
    applies=_is_doubtful,
)
WHOLE_CROP = Hypothesis(
    "whole crop",
    lambda page: Picture(whole_crop(page.ink.strength)),
    applies=_is_found,
    trust=Trust(review_reason.SURROUNDINGS, differs=0.9),
)
FAINT = Hypothesis(
    "faint or small writing",
    lambda page: foreground(find_ink(page.page.grey, min_contrast=FAINT_CONTRAST), SMALL_WRITING_PX),
    applies=_is_empty,
    accepts=_is_likely,
    trust=Trust(review_reason.FAINT, alone=0.5),
)

THUMBNAIL = (THRESHOLD, WHOLE_CROP)
"""For a picture of one digit: all ink is one component, and surroundings left in the crop are part of it."""


def hypotheses(grey: Pixels) -> tuple[Hypothesis, ...]:
    """Return what to try on (H, W) uint8 grey, in this order: the first always, the others where they apply."""
    if max(grey.shape) <= THUMBNAIL_PX:
        return *THUMBNAIL, FAINT
    return THRESHOLD, WRITING, FAINT


def object_hypotheses(classifier: DigitClassifier) -> tuple[Hypothesis, ...]:
    """Return what to try on a page for a model that sorts whole pictures."""
    background = classifier.card["input"].get("ground")

    def prepare(page: PageInk) -> Picture | None:
        picture = letterbox(page.page.image, classifier.shape, background)
        return None if picture is None else Picture(picture)

    return (Hypothesis("letterbox", prepare),)
