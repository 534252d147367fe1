"""The line model: trained on composed rows, exported and read back."""

from typing import Any

import numpy as np
import pytest
from drawn_digits import drawn

from digitwatch.recognition.networks.line_recognizer import LineRecognizer

train_line: Any = pytest.importorskip("digitwatch.training.fitting.train_lines", reason="needs the extra `train`")


def test_a_line_model_is_trained_exported_and_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two batches it answers a strip of any width with log probabilities, a frame for every four pixels."""
    monkeypatch.setattr(train_line, "ROWS", 20)  # to calibrate and measure with, of 1000
    content, card = train_line.train(drawn(60), 1, seed=0, progress=lambda line: None, steps=2)
    frames = LineRecognizer(content, card["temperature"])(np.zeros((32, 100), np.uint8))

    assert frames.shape == (25, 12)
    assert np.allclose(np.exp(frames).sum(axis=1), 1)


def test_all_rows_of_a_batch_are_of_one_width() -> None:
    """A batch is strips from 0 to 1 and as many symbols as the longest row has."""
    strips, symbols = next(train_line.batches(drawn(60), seed=0))

    assert strips.shape[1:3] in {(32, 64), (32, 128), (32, 192), (32, 256)}
    assert 0 <= strips.min() < strips.max() <= 1
    assert symbols.shape == (len(strips), 9)
