"""Samples of any kind come to lie upright on paper."""

import numpy as np
import pytest

from digitwatch.recognition.image.pixels import key_to_alpha, on_paper, to_eight_bits, upright


def ink_without_paper(shade: int) -> np.ndarray:
    """A short stroke on nothing."""
    picture = np.zeros((20, 20, 4), np.uint8)
    picture[5:15, 9:11] = (shade, shade, shade, 255)
    return picture


@pytest.mark.parametrize(("shade", "ground"), [(0, 255), (90, 255), (255, 0), (230, 0)])
def test_ink_without_paper_stays_visible(shade: int, ground: int) -> None:
    """Dark ink on nothing is laid on white; light ink, which white would swallow, on black."""
    page = on_paper(ink_without_paper(shade))

    assert page.shape == (20, 20, 3)
    assert ground == page[0, 0, 0]
    assert shade == page[10, 10, 0]


def test_white_sheet_with_clear_corners_stays_white() -> None:
    """A blank sheet cut out of its background is paper, not light ink."""
    sheet = np.full((20, 20, 4), 255, np.uint8)
    sheet[:4, :4, 3] = 0

    assert on_paper(sheet).min() == 255


def test_half_transparent_ink_is_mixed_with_the_paper() -> None:
    """Soft edges come out grey."""
    soft = np.zeros((2, 2, 4), np.uint8)
    soft[..., 3] = 128

    assert on_paper(soft).max() == 127


@pytest.mark.parametrize(("top", "dtype"), [(4095, np.uint16), (65535, np.uint16), (1.0, np.float32), (255, np.int32)])
def test_samples_are_scaled_by_the_range_they_use(top: float, dtype: type) -> None:
    """Paper is white whether a scanner stores 12 bits in 16, all 16, or fractions."""
    page = to_eight_bits(np.array([[0, top / 2, top]], dtype))

    assert page.dtype == np.uint8
    assert pytest.approx(page[0].tolist(), abs=1) == [0, 127, 255]


def test_not_a_number_is_black() -> None:
    """Samples that are no numbers do no harm."""
    assert to_eight_bits(np.array([[np.nan, 1]], np.float32)).tolist() == [[0, 255]]


def test_key_colour_turns_transparent() -> None:
    """The one colour that a file declares transparent becomes paper."""
    grey = np.array([[7, 8]], np.uint8)

    assert on_paper(key_to_alpha(grey, (7,)))[..., 0].tolist() == [[255, 8]]


@pytest.mark.parametrize(
    ("orientation", "seen"),
    [
        (1, "ab/cd"),
        (2, "ba/dc"),
        (3, "dc/ba"),
        (4, "cd/ab"),
        (5, "ac/bd"),
        (6, "ca/db"),
        (7, "db/ca"),
        (8, "bd/ac"),
    ],
)
def test_upright_follows_exif(orientation: int, seen: str) -> None:
    """Each of the eight orientations of EXIF 2.3 is undone as its table of rows and columns says."""
    stored = np.array([[ord("a"), ord("b")], [ord("c"), ord("d")]], np.uint8)

    assert seen == "/".join(bytes(row).decode() for row in upright(stored, orientation))
