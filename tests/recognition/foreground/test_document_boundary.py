"""The sheet on a photograph: found on a dark table, and nowhere else."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.foreground.document_boundary import find_sheet
from digitwatch.recognition.reader import Reader


def table(turn: float = 8) -> np.ndarray:
    """A grey table of 300 by 400 with a white sheet on it, turned by some degrees."""
    page = np.full((300, 400), 70, np.uint8)
    corners = cv2.boxPoints(((200, 150), (180, 130), turn))
    return cv2.fillConvexPoly(page, np.rint(corners).astype(np.int32), (230,))


def seven(page: np.ndarray, shade: int = 40) -> np.ndarray:
    """The page with a 7 in its middle."""
    return cv2.polylines(page, [np.array([[180, 120], [222, 120], [196, 185]])], False, (shade,), 6, cv2.LINE_AA)


@pytest.mark.parametrize("turn", [0, 8, 45])
def test_a_sheet_on_a_table_is_cut_out(turn: float) -> None:
    """What is around it is no longer there: nothing as dark as the table is left."""
    sheet = find_sheet(table(turn))

    assert sheet is not None and sheet.grey.min() > 200
    assert sheet.left + sheet.grey.shape[1] < 400 and sheet.top + sheet.grey.shape[0] < 300


def test_what_stands_on_the_sheet_is_read_where_it_lies() -> None:
    """The box of the digit is in pixels of the whole picture."""
    reading = Reader().read(seven(table()))

    assert (reading.text, reading.status) == ("7", "ok")
    assert abs(reading.digits[0].box.left - 177) <= 3 and abs(reading.digits[0].box.top - 117) <= 3


def test_a_shadow_over_half_the_page_is_no_table() -> None:
    """Its light half has no outline of its own but the page's."""
    page = np.full((300, 400), 220, np.uint8)
    page[:, 180:] = 110

    assert find_sheet(page) is None


@pytest.mark.parametrize("picture", ["stroke", "ring", "seven", "plain"])
def test_light_ink_on_dark_paper_is_no_sheet(picture: str) -> None:
    """A thick 1, a 0 or a 7 in chalk is light as well, but long, hollow or bent."""
    page = np.full((300, 400), 60, np.uint8)
    if picture == "stroke":
        cv2.line(page, (190, 60), (215, 240), (230,), 34)
    elif picture == "ring":
        cv2.ellipse(page, (200, 150), (60, 85), 0, 0, 360, (230,), 40)
    elif picture == "seven":
        cv2.polylines(page, [np.array([[130, 70], [260, 70], [190, 240]])], False, (230,), 36)

    assert find_sheet(page) is None


def test_a_light_patch_with_nothing_on_it_is_ink() -> None:
    """A short thick stroke of chalk has the outline of a sheet; as nothing is written on it, it is read itself."""
    page = np.full((300, 300), 40, np.uint8)
    cv2.line(page, (150, 90), (150, 200), (235,), 44)

    assert Reader().read(page).text == "1"
