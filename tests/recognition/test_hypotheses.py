"""The ways to prepare a page: what each is for, and that it reads what the plain threshold does not."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.foreground.page_ink import PageInk
from digitwatch.recognition.hypotheses import (
    FAINT,
    THRESHOLD,
    WHOLE_CROP,
    WRITING,
    Foreground,
    Picture,
    hypotheses,
    whole_crop,
)
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.networks.foreground_network import ForegroundNetwork
from digitwatch.recognition.reader import BUNDLED, Reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    """One reader for the whole module."""
    return Reader()


def seven(side: int = 28) -> np.ndarray:
    """A 7 in the middle of a small white picture."""
    page = np.full((112, 112), 255, np.uint8)
    cv2.polylines(page, [np.array([[36, 30], [76, 28], [52, 86]])], False, 20, 8, cv2.LINE_AA)
    return cv2.resize(page, (side, side), interpolation=cv2.INTER_AREA)


def test_the_size_of_a_page_decides_what_is_tried() -> None:
    """A thumbnail is also classified as a whole."""
    assert hypotheses(seven()) == (THRESHOLD, WHOLE_CROP, FAINT)
    assert hypotheses(seven(112)) == (THRESHOLD, WRITING, FAINT)


def test_hypotheses_prepare_a_foreground_or_a_picture() -> None:
    """A foreground has the strength and the mask of the ink; a picture is an input of the classifier."""
    page = PageInk(Page(1, seven()), ForegroundNetwork.load(BUNDLED / "foreground"))
    ink, picture = THRESHOLD.prepare(page), WHOLE_CROP.prepare(page)

    assert isinstance(ink, Foreground)
    assert ink.strength.shape == ink.mask.shape == (28, 28)
    assert isinstance(picture, Picture)
    assert picture.pixels.shape == (28, 28)


def test_chalk_is_read(reader: Reader) -> None:
    """Every other pixel of the stroke is board: the threshold finds no stroke, the networks do."""
    page = np.full((160, 160), 50, np.uint8)
    cv2.polylines(page, [np.array([[50, 40], [110, 40], [75, 125]])], False, (215,), 11)
    grains = np.random.default_rng(0).random(page.shape) < 0.45
    page[grains & (page > 100)] = 70

    assert reader.read(page).text == "7"


def test_dithering_is_read(reader: Reader) -> None:
    """Black and white dots instead of grey, as a fax shows it: they are joined to strokes."""
    large = cv2.resize(seven(112), (224, 224), interpolation=cv2.INTER_CUBIC).astype(int)
    bayer = np.tile(np.array([[0, 128], [192, 64]]), (112, 112))

    assert reader.read(np.where(large * 0.8 > bayer, 255, 0).astype(np.uint8)).text == "7"


@pytest.mark.parametrize("lines", ["sides of a box", "squared paper", "none"])
def test_lines_left_in_a_thumbnail_do_not_hide_its_digit(reader: Reader, lines: str) -> None:
    """Together with them the ink is no digit; the whole picture is one to the model."""
    page = seven()
    if lines == "sides of a box":
        page[:, 1:3] = page[-2:] = 30
    elif lines == "squared paper":
        page[::7] = np.minimum(page[::7], 150)
        page[:, 3::7] = np.minimum(page[:, 3::7], 150)

    assert reader.read(page).text == "7"


@pytest.mark.parametrize("shape", [(28, 28), (16, 16), (32, 16), (8, 28)])
def test_any_thumbnail_becomes_an_input_of_the_classifier(shape: tuple[int, int]) -> None:
    """Its longer side fills 28 pixels, and it stands in the middle."""
    picture = whole_crop(np.full(shape, 2, np.float32))

    assert (picture.shape, picture.dtype, picture.max()) == ((28, 28), np.uint8, 255)
    assert np.array_equal(picture, picture[::-1, ::-1])
