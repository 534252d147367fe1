"""The foreground network: handwriting, other ink and paper in a grey crop."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.networks.digit_classifier import ModelError
from digitwatch.recognition.networks.foreground_network import (
    OTHER_INK,
    WRITING,
    ForegroundNetwork,
    framed,
    width,
)
from digitwatch.recognition.reader import BUNDLED


def test_a_crop_becomes_as_high_as_the_network_needs() -> None:
    """It keeps its proportions, and is padded to a known width."""
    assert framed(np.zeros((96, 200), np.uint8)).shape == (48, 128)
    assert width((96, 200)) == 100
    assert width((10, 4000)) == 960


@pytest.mark.parametrize("negative", [False, True])
def test_a_frame_is_told_from_the_digits_in_it(negative: bool) -> None:
    """Most pixels of the digit are writing, and most of the frame are other ink, dark on light or light on dark."""
    frame, digit = np.zeros((80, 120), np.uint8), np.zeros((80, 120), np.uint8)
    cv2.rectangle(frame, (8, 6), (112, 74), (255,), 3)
    cv2.putText(digit, "37", (32, 58), cv2.FONT_HERSHEY_SIMPLEX, 1.4, (255,), 4, cv2.LINE_AA)
    page = np.where(np.maximum(frame, digit) > 100, 90, 220).astype(np.uint8)

    classes = ForegroundNetwork.load(BUNDLED / "foreground")(255 - page if negative else page).argmax(axis=2)

    large = cv2.resize(classes.astype(np.uint8), (120, 80), interpolation=cv2.INTER_NEAREST)
    assert np.mean(large[digit > 200] == WRITING) > 0.8
    assert np.mean(large[frame > 200] == OTHER_INK) > 0.7


def test_bytes_that_are_no_model_are_refused() -> None:
    """The message names the model."""
    with pytest.raises(ModelError, match="foreground"):
        ForegroundNetwork(b"TFL3 nothing")
