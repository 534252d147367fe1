"""The look from afar: what only it can read, and what two looks are worth together."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.fallbacks.blur import is_screened, surer
from digitwatch.recognition.reader import Reader
from digitwatch.recognition.result import Digit, Reading


def reading(text: str, confidence: float, status: str = "review") -> Reading:
    """A reading of one row."""
    digits = tuple(Digit(digit, confidence, None, None, None) for digit in text)  # type: ignore[arg-type]
    return Reading((digits,) if digits else (), confidence, status, "", 0)


def test_chalk_is_read_where_its_grains_run_together() -> None:
    """Every other pixel of the stroke is board: from near that is no stroke."""
    page = np.full((160, 160), 50, np.uint8)
    cv2.polylines(page, [np.array([[50, 40], [110, 40], [75, 125]])], False, (215,), 11)
    grains = np.random.default_rng(0).random(page.shape) < 0.45
    page[grains & (page > 100)] = 70

    assert Reader().read(page).text == "7"


def test_a_picture_made_of_dots_is_told_from_grain_and_specks() -> None:
    """Dithering changes from pixel to pixel all over the page; a noisy camera and a dirty fax do not."""
    rng = np.random.default_rng(0)
    bayer = np.tile(np.array([[0, 128], [192, 64]]), (60, 60))
    noisy = np.clip(200 + rng.normal(0, 30, (120, 120)), 0, 255).astype(np.uint8)

    assert is_screened(np.where(bayer < 100, 255, 0).astype(np.uint8))
    assert not is_screened(noisy)
    assert not is_screened(np.where(rng.random((120, 120)) < 0.03, 0, 255).astype(np.uint8))


@pytest.mark.parametrize(
    ("near", "far", "sure"),
    [
        (reading("", 1.0, "empty"), reading("7", 0.97, "ok"), 0.97),
        (reading("", 1.0, "empty"), reading("1", 0.97, "ok"), 0.873),
        (reading("7", 0.80), reading("7", 0.98, "ok"), 0.89),
        (reading("7", 0.10), reading("4", 0.98, "ok"), 0.343),
        (reading("7", 0.60), reading("4", 0.98, "ok"), None),
        (reading("7", 0.60), reading("", 1.0, "empty"), None),
    ],
)
def test_two_looks_are_worth_their_mean_and_less_where_they_differ(
    near: Reading, far: Reading, sure: float | None
) -> None:
    """Nothing is sure that was something else from near; what was nothing may be."""
    both = surer(near, far, 0.95)

    assert (both and both.confidence) == (sure and pytest.approx(sure))
    assert both is None or (both.status == "ok") == (both.confidence >= 0.95)
