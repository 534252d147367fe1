"""A colour picture in grey."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.image.greyscale import grey


def page(ink: tuple[int, int, int], paper: tuple[int, int, int]) -> np.ndarray:
    """A bar of ink on paper, blue, green, red, (200, 300, 3)."""
    image = np.full((200, 300, 3), paper, np.uint8)
    image[50:150, 140:160] = ink
    return image


@pytest.mark.parametrize(("ink", "paper"), [((40, 40, 210), (60, 125, 70)), ((200, 60, 30), (45, 35, 140))])
def test_colours_of_equal_brightness_differ_in_grey(ink: tuple[int, int, int], paper: tuple[int, int, int]) -> None:
    """Red on green, blue on red: ink is dark and paper is light."""
    image = page(ink, paper)
    made = grey(image)

    assert np.ptp(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)) < 25
    assert made[100, 150] < 60 and made[20, 20] > 200


def test_all_other_pages_are_as_bright_as_they_are() -> None:
    """Coloured ink that is darker than its paper, plain coloured paper, and grey pictures."""
    for image in (page((160, 60, 20), (230, 240, 250)), page((60, 125, 70), (60, 125, 70))):
        assert np.array_equal(grey(image), cv2.cvtColor(image, cv2.COLOR_BGR2GRAY))
    assert np.array_equal(grey(image[..., 0]), image[..., 0])
