"""Handwriting on a page that its reading does not account for."""

import cv2
import numpy as np
import pytest

from digitwatch.log_codes import Status
from digitwatch.recognition.completeness import left_out
from digitwatch.recognition.foreground.page_ink import PageInk
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.networks.foreground_network import ForegroundNetwork
from digitwatch.recognition.reader import BUNDLED, Reader
from digitwatch.recognition.result import Box, Digit, Reading

SEVEN = np.array([[0, 0], [44, -2], [18, 60]])


@pytest.fixture(scope="module")
def network() -> ForegroundNetwork:
    """The bundled network."""
    return ForegroundNetwork.load(BUNDLED / "foreground")


def sheet(*lefts: int) -> np.ndarray:
    """A page of 250 pixels with sevens beginning at these columns."""
    grey = np.full((250, 250), 240, np.uint8)
    cv2.polylines(grey, [np.add(SEVEN, (left, 100)) for left in lefts], False, 40, 5, cv2.LINE_AA)
    return grey


def sevens(*lefts: int, signs: str = "") -> Reading:
    """The reading of sevens at these columns."""
    boxes = [Box(left - 3, 95, 50, 68) for left in lefts]
    row = tuple(Digit("7", 0.99, box, np.zeros((28, 28), np.uint8), np.eye(10, dtype=np.float32)[7]) for box in boxes)
    return Reading((row,), 0.99, Status.OK, "", 0, signs=signs)


def test_a_reading_of_all_digits_is_complete(network: ForegroundNetwork) -> None:
    """All the writing lies in the boxes of its digits."""
    assert left_out(PageInk(Page(1, sheet(60, 130)), network), sevens(60, 130)) == ()


def test_a_digit_that_was_not_read_is_left_out(network: ForegroundNetwork) -> None:
    """The second 7 belongs to no digit of the reading."""
    (box,) = left_out(PageInk(Page(1, sheet(60, 130)), network), sevens(60))

    assert abs(box.left - 130) < 5
    assert abs(box.width - 44) < 10


def test_what_the_edge_of_the_page_cuts_is_left_out(network: ForegroundNetwork) -> None:
    """A third 7 is cut, so that little more than its stroke remains."""
    assert len(left_out(PageInk(Page(1, sheet(60, 130, 215)), network), sevens(60, 130))) == 1


def test_a_printed_box_is_not_left_out(network: ForegroundNetwork) -> None:
    """Its lines are no handwriting."""
    grey = sheet(60, 130)
    cv2.rectangle(grey, (45, 80), (195, 180), 70, 3)

    assert left_out(PageInk(Page(1, grey), network), sevens(60, 130)) == ()


def test_a_sign_that_was_read_is_not_left_out(network: ForegroundNetwork) -> None:
    """A slash may be twice as high as the digits beside it."""
    grey = sheet(40, 150)
    cv2.line(grey, (105, 190), (125, 60), 40, 5, cv2.LINE_AA)

    assert left_out(PageInk(Page(1, grey), network), sevens(40, 150, signs="7/7")) == ()
    assert len(left_out(PageInk(Page(1, grey), network), sevens(40, 150))) == 1


def test_a_digit_beside_a_number_with_a_sign_is_left_out(network: ForegroundNetwork) -> None:
    """Only what stands where the sign was read is the sign."""
    page = PageInk(Page(1, sheet(20, 90, 170)), network)

    assert len(left_out(page, sevens(20, 90, signs="7,7"))) == 1


def test_a_number_that_the_edge_cuts_is_not_ok() -> None:
    """The two whole digits are shown for review, with the place of the rest."""
    reading = Reader().read(sheet(60, 130, 215))

    assert (reading.text, reading.status, reading.codes) == ("77", "review", ("ink_left_out",))
    assert [box.left + box.width for box in reading.left_out] == [250]
