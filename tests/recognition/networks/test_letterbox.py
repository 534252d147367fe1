"""A page as one picture: letterboxed, and distinguished from an empty one."""

import numpy as np
import pytest

from digitwatch.recognition.networks.letterbox import background_of, letterbox


def picture(height: int, width: int) -> np.ndarray:
    """Draw a red square in the middle of white paper, in blue, green, red."""
    image = np.full((height, width, 3), 255, np.uint8)
    image[height // 4 : height * 3 // 4, width // 4 : width * 3 // 4] = (0, 0, 200)
    return image


@pytest.mark.parametrize("size", [(100, 100), (40, 300), (300, 7), (1, 2), (5, 5)])
@pytest.mark.parametrize("shape", [(28, 28), (32, 32, 3), (16, 48)])
def test_every_picture_fits(size: tuple[int, int], shape: tuple[int, ...]) -> None:
    """Grey and coloured, long and tiny ones come out in the model's shape; the ground goes on around them."""
    image = picture(*size)
    image[0, 0] = 254  # none is of one colour
    framed = letterbox(image, shape)

    assert framed is not None and framed.shape == shape
    assert size == (1, 2) or framed[0, 0].min() > 200


def test_colours_are_red_green_blue_for_the_model() -> None:
    """Keras' pictures are so, OpenCV's are not."""
    framed = letterbox(picture(64, 64), (32, 32, 3))

    assert framed is not None and framed[16, 16].tolist() == [200, 0, 0]


def test_pictures_on_the_other_ground_are_inverted() -> None:
    """A model that knows white on black sees a drawing on paper like that, and leaves its like as they are."""
    image = picture(64, 64)
    dark, kept = letterbox(image, (32, 32), "dark"), letterbox(255 - image, (32, 32), "dark")
    free = letterbox(image, (32, 32))

    assert dark is not None and kept is not None and free is not None
    assert (background_of(dark), background_of(kept), background_of(free)) == ("dark", "dark", "light")


def test_one_colour_is_nothing() -> None:
    """An empty page is not sorted."""
    assert letterbox(np.full((50, 50), 255, np.uint8), (28, 28)) is None
