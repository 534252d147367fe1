"""Where the foreground network sees handwriting on a page."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.foreground.binarise import find_ink
from digitwatch.recognition.foreground.writing_mask import writing_mask
from digitwatch.recognition.networks.foreground_network import ForegroundNetwork
from digitwatch.recognition.reader import BUNDLED, Reader

SEVEN = np.array([[0, 0], [44, -2], [18, 60]])


@pytest.fixture(scope="module")
def network() -> ForegroundNetwork:
    """The bundled network."""
    return ForegroundNetwork.load(BUNDLED / "foreground")


def page(corners: list[tuple[int, int]], height: int = 260, width: int = 400) -> np.ndarray:
    """A page with sevens at these places."""
    grey = np.full((height, width), 240, np.uint8)
    cv2.polylines(grey, [SEVEN + corner for corner in corners], False, 40, 5, cv2.LINE_AA)
    return grey


def test_the_box_around_a_digit_is_no_writing(network: ForegroundNetwork) -> None:
    """The lines of a box are left out; the digit stays, all of it."""
    grey = page([(100, 100)], 250, 250)
    cv2.rectangle(grey, (90, 80), (170, 160), 60, 3)
    ink = find_ink(grey)
    mask = writing_mask(grey, ink, network)

    assert ink.mask[90:150, 170].all()
    assert not mask[90:150, 165:175].any()
    assert mask[97:162, 98:146].sum() > 0.95 * ink.mask[97:158, 98:146].sum()


def test_a_page_without_ink_has_no_writing(network: ForegroundNetwork) -> None:
    """A blank page has no strokes whose width could be measured."""
    grey = np.full((300, 200), 230, np.uint8)

    assert not writing_mask(grey, find_ink(grey), network).any()


def test_the_rows_of_a_table_are_read() -> None:
    """The lines of a table join all its digits to one component; the network parts them."""
    grey = page([(60, 30), (160, 30), (60, 120), (160, 120)])
    for at in (15, 105, 195):
        cv2.line(grey, (20, at), (230, at), 70, 3)
    for at in (40, 130, 225):
        cv2.line(grey, (at, 15), (at, 195), 70, 3)

    assert Reader().read(grey).text == "77 77"


@pytest.mark.parametrize("shape", [(33, 33), (1, 900), (900, 7), (50, 2000)])
def test_a_page_of_any_size_has_a_mask(network: ForegroundNetwork, shape: tuple[int, int]) -> None:
    """The mask has the size of the ink, however long the page is."""
    grey = np.full(shape, 240, np.uint8)
    grey[:: max(2, shape[0] // 3), : shape[1] // 2] = 30
    ink = find_ink(grey)

    assert writing_mask(grey, ink, network).shape == ink.mask.shape
