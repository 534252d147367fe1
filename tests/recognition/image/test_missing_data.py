"""Grey that a decoder put in place of missing data."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.image.missing_data import describe


def page() -> np.ndarray:
    """A page with as much detail as a photograph, (240, 320, 3)."""
    return np.random.default_rng(1).integers(100, 250, (240, 320, 3)).astype(np.uint8)


def cut(image: np.ndarray) -> np.ndarray:
    """The page after its JPEG was cut in the middle, decoded and saved again."""
    data = cv2.imencode(".jpg", image)[1].tobytes()
    half = cv2.imdecode(np.frombuffer(data[: len(data) // 2] + b"\xff\xd9", np.uint8), cv2.IMREAD_COLOR)
    return cv2.imdecode(cv2.imencode(".jpg", half)[1], cv2.IMREAD_UNCHANGED)


@pytest.mark.parametrize("turn", range(4))
def test_the_grey_half_of_a_cut_jpeg_is_found(turn: int) -> None:
    """On whichever side it lies after the picture was turned, and after it was saved again."""
    assert "flat grey" in describe(np.ascontiguousarray(np.rot90(cut(page()), turn)))
    assert "flat grey" in describe(np.rot90(cut(page()), turn)[..., 0].copy())


def test_whole_pages_and_grey_backgrounds_are_not_suspected() -> None:
    """A page on a grey background has grey on all sides; one of grey alone is no torn page."""
    background = np.full((400, 500, 3), 128, np.uint8)
    background[80:320, 90:410] = page()

    assert [describe(image) for image in (page(), background, np.full((99, 99), 128, np.uint8))] == ["", "", ""]
    assert describe(np.vstack([page(), np.full((80, 320, 3), 140, np.uint8)])) == ""
