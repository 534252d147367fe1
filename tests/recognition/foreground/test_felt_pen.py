"""Broad strokes in a tight crop: their paper cannot be judged by what lies around them."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.foreground.felt_pen import broad_strokes
from digitwatch.recognition.reader import Reader


def six(*, paper: int = 215, ink: int = 90) -> np.ndarray:
    """A fat 6 that fills a picture of 150 by 100."""
    page = np.full((150, 100), paper, np.uint8)
    cv2.ellipse(page, (50, 100), (33, 33), 0, 0, 360, (ink,), 32, cv2.LINE_AA)
    return cv2.ellipse(page, (75, 90), (56, 80), 0, 150, 265, (ink,), 32, cv2.LINE_AA)


def test_broad_strokes_are_separated_from_the_paper() -> None:
    """Dark on light or light on dark: corners are paper."""
    assert broad_strokes(six()) is False
    assert broad_strokes(six(paper=40, ink=220)) is True


@pytest.mark.parametrize("paper", [215, 40])
def test_a_fat_digit_in_a_tight_crop_is_read(paper: int) -> None:
    """Whichever of both tones there is more of."""
    assert Reader().read(six(paper=paper, ink=255 - paper)).text == "6"


def test_a_page_with_a_thin_stroke_or_a_shadow_has_none() -> None:
    """Ink that covers little, and tones that fill half of the page."""
    page = np.full((200, 200), 230, np.uint8)
    thin = cv2.line(page.copy(), (100, 40), (100, 160), (40,), 5)
    page[:, :90] = 120

    assert broad_strokes(thin) is broad_strokes(page) is None


def test_a_full_page_of_digits_has_none() -> None:
    """Much ink in many fine strokes is a page, and must not be worked on at the size of a single digit."""
    page = np.full((1400, 1000), 240, np.uint8)
    for top in range(60, 1400, 44):
        cv2.putText(page, "8" * 24, (20, top), cv2.FONT_HERSHEY_SIMPLEX, 1.5, 30, 6, cv2.LINE_AA)

    assert broad_strokes(page) is None


def test_uneven_light_has_none() -> None:
    """Tones that run into each other are no ink and paper."""
    page = np.tile(np.linspace(60, 230, 200).astype(np.uint8), (150, 1))

    assert broad_strokes(page) is None
