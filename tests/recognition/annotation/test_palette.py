"""The colours of the annotated pictures."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from digitwatch.recognition.annotation.palette import BLUE, CREAM, GREEN, PALETTE, WHITE, blank, png, toned


def decoded(data: bytes) -> np.ndarray:
    """A PNG as blue, green, red."""
    picture: np.ndarray = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    return picture


def test_the_palette_fits_a_byte() -> None:
    """All colours have a place of their own, black and white and the ends of the shades among them."""
    assert PALETTE.shape == (256, 3)
    assert PALETTE[[0, WHITE, BLUE, GREEN, CREAM]].tolist() == [
        *([0, 0, 0], [255, 255, 255], [164, 97, 11], [79, 115, 10], [221, 242, 255])
    ]


def test_greys_are_kept_to_a_level() -> None:
    """A grey page shows every grey to less than one of 256 levels, and black and white exactly."""
    page = np.arange(256, dtype=np.uint8)[None]

    shown = decoded(png(toned(page)))[..., 0].astype(int)

    assert np.abs(shown - page).max() <= 1
    assert shown[0, [0, 255]].tolist() == [0, 255]


@pytest.mark.parametrize(("blue", "planes"), [(100, 2), (130, 3)])
def test_only_a_page_with_colours_takes_three_bytes(blue: int, planes: int) -> None:
    """Three equal colours are a grey; a tint that can be seen stays, to the last bit."""
    page = np.full((9, 9, 3), 100, np.uint8)
    page[4, 4, 0] = blue

    assert toned(page).ndim == planes
    assert (decoded(png(toned(page)))[4, 4] == [blue, 100, 100]).all() or planes == 2


def test_a_sheet_is_of_the_kind_of_its_picture() -> None:
    """Beside a colour page the rest of the sheet has three bytes for each pixel, too."""
    for shape in ((2, 2), (2, 2, 3)):
        sheet = blank(3, 4, GREEN, np.zeros(shape, np.uint8))
        assert sheet.shape == (3, 4, *shape[2:])
        assert (decoded(png(sheet)) == PALETTE[GREEN]).all()


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (9, 1), (40, 30), (1, 7, 3), (40, 30, 3)])
def test_other_programs_see_the_same_pixels(shape: tuple[int, ...]) -> None:
    """Pillow, which checks every checksum, and OpenCV unpack what was packed, to the last bit."""
    picture = np.random.default_rng(0).integers(0, 256, shape, np.uint8)
    data = png(picture)
    colours = PALETTE[picture] if picture.ndim == 2 else picture

    with Image.open(io.BytesIO(data)) as check:
        check.verify()
    with Image.open(io.BytesIO(data)) as image:
        assert (np.asarray(image.convert("RGB")) == colours[..., ::-1]).all()
    assert (decoded(data) == colours).all()
