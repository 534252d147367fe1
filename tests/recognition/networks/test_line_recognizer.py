"""The bundled line model: a strip to what stands in each frame."""

from pathlib import Path

import numpy as np
import pytest

from digitwatch.recognition.decoding.ctc import likely_texts
from digitwatch.recognition.networks.digit_classifier import ModelError
from digitwatch.recognition.networks.line_image import strip
from digitwatch.recognition.networks.line_recognizer import LineRecognizer
from digitwatch.recognition.reader import BUNDLED
from digitwatch.recognition.segmentation.text_lines import Component


@pytest.fixture(scope="module")
def model() -> LineRecognizer:
    """The bundled one."""
    return LineRecognizer.load(BUNDLED / "line")


def test_paper_says_nothing(model: LineRecognizer) -> None:
    """A strip without ink has no text."""
    assert likely_texts(model(np.zeros((32, 100), np.uint8)), 1) == [()]


def test_rows_of_mnist_digits_are_read_at_once(model: LineRecognizer, shared: Path) -> None:
    """Of twenty rows of four test digits, with no hint where one ends, at least eighteen."""
    with np.load(shared / "mnist.npz") as data:
        pictures, labels = data["x_test"][:80, :, 4:24], data["y_test"][:80].astype(int)
    right = 0
    for start in range(0, 80, 4):
        row = np.hstack(list(pictures[start : start + 4]))
        right += likely_texts(model(strip([Component(0, 0, row)], 20).picture), 1) == [tuple(labels[start : start + 4])]

    assert right >= 18


@pytest.mark.parametrize("width", [8, 64, 65, 700, 4096])
def test_there_is_a_frame_for_every_four_pixels(model: LineRecognizer, width: int) -> None:
    """Whatever the width, each frame's probabilities sum to one."""
    frames = model(np.zeros((32, width), np.uint8))

    assert len(frames) == -(-width // 4)
    assert np.allclose(np.exp(frames).sum(axis=1), 1)


def test_a_missing_model_is_reported(tmp_path: Path) -> None:
    """The message names what is not there."""
    with pytest.raises(ModelError, match="line"):
        LineRecognizer.load(tmp_path / "line")


def test_bytes_that_are_no_model_are_reported() -> None:
    """LiteRT's message is passed on."""
    with pytest.raises(ModelError, match="LiteRT"):
        LineRecognizer(b"nothing", 1.0)
