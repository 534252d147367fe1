"""The foreground network: trained on composed crops, exported and run."""

from typing import Any

import numpy as np
import pytest
from drawn_digits import drawn

from digitwatch.recognition.networks.foreground_network import ForegroundNetwork
from digitwatch.training.synthesis import crops

train: Any = pytest.importorskip("digitwatch.training.fitting.train_foreground", reason="needs the extra `train`")


def test_a_foreground_network_is_trained_exported_and_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """After two batches it answers a crop of any width with probabilities, one for every two by two pixels."""
    monkeypatch.setattr(train, "CROPS", 5)  # to measure with, of 300
    content, card = train.train(drawn(60), 1, seed=0, progress=lambda line: None, steps=2)
    classes = ForegroundNetwork(content)(np.zeros((48, 100), np.uint8))

    assert card["reads"] == "foreground"
    assert classes.shape == (24, 50, 3)
    assert np.allclose(classes.sum(axis=2), 1, atol=1e-5)


def test_the_classes_of_a_crop_are_those_of_its_pixels() -> None:
    """Each crop has as many places as the network answers; writing is found where ink is."""
    rng, digits = np.random.default_rng(0), drawn(40)
    for _ in range(20):
        composed = crops.compose(digits, rng)
        classes = crops.classes(composed)
        assert classes.shape[0] == 24
        assert bool((classes == 1).any()) == bool((composed.writing > 200).any())
