"""The crop recogniser: trained on composed crops, exported, run, and trained further."""

from typing import Any

import numpy as np
import pytest
from drawn_digits import drawn

from digitwatch.recognition.networks.crop_recognizer import LABELS, CropRecognizer

train: Any = pytest.importorskip("digitwatch.training.fitting.train_crops", reason="needs the extra `train`")


def test_a_training_is_continued(monkeypatch: pytest.MonkeyPatch) -> None:
    """The second training begins with the weights of the first: after one step of rate 0 it answers the same."""
    monkeypatch.setattr(train, "CROPS", 8)  # to measure with, of 1000
    monkeypatch.setattr(train, "MORE_RATE", 0.0)
    monkeypatch.setattr(train.fit_agreement, "PAGES", 4)
    how = {"seed": 0, "progress": lambda line: None, "steps": 1}
    crop = np.random.default_rng(0).integers(0, 255, (40, 96), np.uint8)

    first, card = train.train(drawn(60), 1, **how)
    second, _ = train.train(drawn(60), 1, start=first, **how)
    answers = [CropRecognizer(content, 1.0).frames(crop) for content in (first, second)]

    assert card["reads"] == "crops"
    assert answers[0].shape == (24, len(LABELS))
    assert np.allclose(*answers, atol=0.02)
