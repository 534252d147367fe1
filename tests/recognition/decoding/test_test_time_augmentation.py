"""Several looks at one glyph."""

import cv2
import numpy as np

from digitwatch.recognition.decoding.test_time_augmentation import augmented, deskew
from digitwatch.recognition.foreground.geometry import stroke_width
from digitwatch.recognition.networks.digit_image import normalise


def slanted() -> np.ndarray:
    """A stroke that leans to the right by half its height."""
    return cv2.line(np.zeros((60, 60), np.uint8), (15, 55), (45, 5), 255, 5)


def test_a_slanted_stroke_is_set_upright() -> None:
    """Its width afterwards is that of the pen."""
    _, _, width, height = cv2.boundingRect((deskew(slanted()) > 128).astype(np.uint8))

    assert width <= 10
    assert height >= 50


def test_an_upright_glyph_stays() -> None:
    """There is nothing to do for a glyph that leans to neither side."""
    upright = np.zeros((40, 40), np.uint8)
    upright[5:35, 18:22] = 255

    assert np.array_equal(cv2.boundingRect(deskew(upright))[2:], (4, 30))


def test_every_look_is_a_picture_for_the_model() -> None:
    """Upright, bolder and smaller, each (28, 28) with ink in it."""
    picture = normalise(slanted())
    upright, bolder, smaller = augmented(slanted(), picture)

    assert all(look.shape == (28, 28) and look.max() > 200 for look in (upright, bolder, smaller))
    assert stroke_width(bolder) > stroke_width(picture)
    assert int(smaller.sum()) < int(picture.sum())
