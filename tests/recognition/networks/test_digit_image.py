"""The 28x28 picture: what is kept of a glyph and where it ends up."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from digitwatch.recognition.foreground.geometry import stroke_width
from digitwatch.recognition.networks.digit_image import normalise


def ring(side: int, pen: int) -> np.ndarray:
    """A circle that fills a picture of `side` pixels, drawn with a pen of `pen` pixels."""
    picture = np.zeros((side, side), np.uint8)
    return cv2.circle(picture, (side // 2, side // 2), side // 2 - pen, 255, pen)


def test_no_ink_gives_an_empty_picture() -> None:
    """Paper without ink stays paper."""
    assert not normalise(np.zeros((50, 30), np.uint8)).any()


@pytest.mark.parametrize("shape", [(7, 3), (28, 28), (90, 400), (1, 1), (3000, 20)])
def test_every_size_gives_the_same_kind_of_picture(shape: tuple[int, int]) -> None:
    """Whatever the glyph's size, the answer is (28, 28) uint8 with full ink in it."""
    picture = normalise(np.full(shape, 255, np.uint8))

    assert picture.shape == (28, 28)
    assert np.uint8 == picture.dtype
    assert picture.max() >= 250


def test_the_longest_side_becomes_twenty_and_the_aspect_stays() -> None:
    """A glyph twice as high as wide is 20 high and 10 wide afterwards."""
    _, _, width, height = cv2.boundingRect(normalise(cv2.resize(ring(60, 6), (60, 120))))

    assert height == 20
    assert abs(width - 10) <= 1


def test_the_centre_of_mass_is_in_the_middle() -> None:
    """A glyph with most of its ink at the bottom is moved up, as MNIST does."""
    glyph = np.zeros((100, 100), np.uint8)
    glyph[:, 48:52] = 255
    glyph[80:, 40:60] = 255
    mass = cv2.moments(normalise(glyph))

    assert abs(mass["m01"] / mass["m00"] - 14) <= 0.6
    assert abs(mass["m10"] / mass["m00"] - 14) <= 0.6


@pytest.mark.parametrize(("side", "pen"), [(400, 1), (400, 3), (200, 40), (60, 4)])
def test_hairlines_and_markers_become_pen_strokes(side: int, pen: int) -> None:
    """Neither does a thin line fade away nor does a thick one fill its loop."""
    picture = normalise(ring(side, pen))

    assert 1.4 <= stroke_width(picture) <= 5
    assert picture[14, 14] < 50


def test_where_the_glyph_lies_on_the_paper_does_not_matter() -> None:
    """Margins around a glyph change nothing."""
    glyph = ring(50, 5)

    assert np.array_equal(normalise(glyph), normalise(np.pad(glyph, ((3, 40), (17, 0)))))


def test_the_width_of_a_stroke_is_measured() -> None:
    """A bar of 6 pixels is found to be about 6 wide, whatever its grey."""
    bar = np.zeros((40, 100), np.uint8)
    bar[10:16, 5:95] = 100

    assert 5 <= stroke_width(bar) <= 8
    assert stroke_width(np.zeros((5, 5), np.uint8)) == 0


def test_a_picture_of_mnist_comes_back_unchanged(shared: Path) -> None:
    """What is already in the convention stays as it is, except for the rarest pens."""
    digits = np.load(shared / "mnist.npz")["x_test"][:500]
    same = [np.array_equal(digit, normalise(digit)) for digit in digits]

    assert np.mean(same) >= 0.95


def test_a_spot_on_a_grey_patch_does_not_vanish() -> None:
    """What is thinned to nothing is left as it was: there is always a picture to look at."""
    patch = np.full((100, 100), 60, np.uint8)
    patch[50, 50] = 255

    assert normalise(patch).any()


def test_the_outline_is_counted_to_the_edge_of_the_picture() -> None:
    """A stroke that fills its crop has paper on all sides of it, and one pixel is as wide as it is long."""
    assert stroke_width(np.full((30, 30), 255, np.uint8)) == pytest.approx(2 * 900 / (120 * np.pi / 4))
    assert stroke_width(np.full((1, 1), 9, np.uint8)) == pytest.approx(2 / np.pi)
    assert stroke_width(np.zeros((0, 0), np.uint8)) == 0
