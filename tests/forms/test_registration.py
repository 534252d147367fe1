"""Pages are registered on their own template within a millimetre, and on no other."""

import cv2
import numpy as np
import pytest

from digitwatch.forms import registration
from digitwatch.recognition.arrays import Pixels

MM = 6
BOXES = np.array([(x, y) for y in range(20, 280, 22) for x in range(12, 190, 24)], float) * MM


def sheet(*, shift: tuple[float, float] = (0, 0), columns: int = 8) -> Pixels:
    """Return an A4 sheet of equal boxes; a box is 18 by 14 mm."""
    page = np.full((297 * MM, 210 * MM), 250, np.uint8)
    for x, y in BOXES[: columns * 12] + np.array(shift) * MM:
        cv2.rectangle(page, (round(x), round(y)), (round(x + 18 * MM), round(y + 14 * MM)), 40, 2)
    return page


TEMPLATE = registration.prepare_template(sheet(), 297)


def found(page: Pixels) -> registration.Registered | None:
    """Return the registration of a page on the sheet."""
    return registration.register(TEMPLATE, registration.prepare_page(page))


@pytest.mark.parametrize(("angle", "scale"), [(0, 1.0), (4.5, 0.92), (-3, 1.06)])
def test_a_scan_of_equal_boxes_is_registered(angle: float, scale: float) -> None:
    """However it is turned and scaled, every box lies within a millimetre of where it is."""
    matrix = cv2.getRotationMatrix2D((105 * MM, 148 * MM), angle, scale)
    page = cv2.warpAffine(sheet(), matrix, (210 * MM, 297 * MM), borderValue=250)
    registered = found(page)

    assert registered is not None
    ratio = registration.WORK_PX / (297 * MM)
    off = registered.mapping.to_page(BOXES * ratio) - (BOXES @ matrix[:, :2].T + matrix[:, 2])
    assert np.linalg.norm(off, axis=1).max() < MM


def test_no_other_page_is_accepted() -> None:
    """Neither a blank page, nor one of text, nor one that lacks a third of the boxes."""
    text = np.full((297 * MM, 210 * MM), 250, np.uint8)
    for line in range(40):
        cv2.putText(text, "the quick brown fox jumps over", (80, 100 + 40 * line), 0, 1.2, 30, 2)
    half = sheet()
    half[:, 130 * MM :] = 250

    assert [found(page) for page in (np.full_like(text, 250), text, half)] == [None, None, None]
