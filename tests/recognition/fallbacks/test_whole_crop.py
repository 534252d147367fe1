"""Tiny pictures: read by their ink and as they are, and trusted where both say the same."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.fallbacks.whole_crop import agreed, as_it_is
from digitwatch.recognition.reader import Reader
from digitwatch.recognition.result import Digit, Reading


@pytest.fixture(scope="module")
def reader() -> Reader:
    """One reader for the whole module."""
    return Reader()


def seven(side: int = 28) -> np.ndarray:
    """A 7 in the middle of a small white picture."""
    page = np.full((112, 112), 255, np.uint8)
    cv2.polylines(page, [np.array([[36, 30], [76, 28], [52, 86]])], False, 20, 8, cv2.LINE_AA)
    return cv2.resize(page, (side, side), interpolation=cv2.INTER_AREA)


def reading(text: str, confidence: float) -> Reading:
    """A reading of one row."""
    digits = tuple(Digit(digit, confidence, None, None, None) for digit in text)  # type: ignore[arg-type]
    return Reading((digits,), confidence, "ok" if confidence >= 0.95 else "review", "", 0)


@pytest.mark.parametrize("lines", ["sides of a box", "squared paper", "none"])
def test_lines_left_in_a_tiny_picture_do_not_hide_its_digit(reader: Reader, lines: str) -> None:
    """Together with them the ink is no digit; the whole picture is one to the model."""
    page = seven()
    if lines == "sides of a box":
        page[:, 1:3] = page[-2:] = 30
    elif lines == "squared paper":
        page[::7] = np.minimum(page[::7], 150)
        page[:, 3::7] = np.minimum(page[:, 3::7], 150)

    assert reader.read(page).text == "7"


@pytest.mark.parametrize("shape", [(28, 28), (16, 16), (32, 16), (8, 28)])
def test_any_tiny_picture_becomes_one_of_the_model(shape: tuple[int, int]) -> None:
    """Its longer side fills 28 pixels, and it stands in the middle."""
    picture = as_it_is(np.full(shape, 2, np.float32))

    assert (picture.shape, picture.dtype, picture.max()) == ((28, 28), np.uint8, 255)
    assert np.array_equal(picture, picture[::-1, ::-1])


def test_where_both_looks_differ_the_surer_one_is_for_review() -> None:
    """However sure it is of itself."""
    both = agreed(reading("17", 0.97), reading("7", 0.99), 0.95)

    assert (both.text, both.status) == ("7", "review")
    assert both.confidence < 0.95


def test_where_both_looks_agree_they_are_as_sure_as_their_mean() -> None:
    """A doubt of the one can be lifted by the other, and a sure one stays."""
    assert agreed(reading("7", 0.93), reading("7", 0.99), 0.95).status == "ok"
    assert agreed(reading("7", 0.80), reading("7", 0.99), 0.95).status == "review"
    assert agreed(reading("7", 0.97), reading("7", 0.60), 0.95).confidence == 0.97
