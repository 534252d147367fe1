"""Pages with more components than digits."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.decoding.clutter import MAX_DOUBTFUL_COMPONENTS, is_cluttered
from digitwatch.recognition.decoding.review_reason import CLUTTER
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.reader import Reader
from digitwatch.recognition.segmentation.text_lines import Component


def noise(side: int) -> np.ndarray:
    """A page with blots of all shapes, as large as digits."""
    field = np.random.default_rng(0).normal(0, 1, (side, side)).astype(np.float32)
    field = cv2.GaussianBlur(field, (0, 0), 3)
    return np.clip(235 - 500 * np.clip(field / field.std() - 1, 0, 0.4), 0, 255).astype(np.uint8)


def test_a_page_of_noise_is_seen_only_once_by_each_hypothesis(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is for review, and says why; no component is parted or looked at several times, which took twenty seconds."""
    reader, shown, ask = Reader(), [], DigitClassifier.__call__

    def counted(model: DigitClassifier, batch: np.ndarray) -> np.ndarray:
        shown.append(len(batch))
        return ask(model, batch)

    monkeypatch.setattr(DigitClassifier, "__call__", counted)
    reading = reader.read(noise(700))

    assert reading.status == "review"
    assert CLUTTER.text in reading.reason
    assert sum(shown) < 2 * 2 * len(reading.digits)


@pytest.mark.parametrize(
    ("number", "sure", "cluttered"),
    [(MAX_DOUBTFUL_COMPONENTS + 1, 0.3, True), (MAX_DOUBTFUL_COMPONENTS, 0.3, False), (999, 0.6, False)],
)
def test_a_cluttered_is_many_marks_of_which_few_are_digits(number: int, sure: float, cluttered: bool) -> None:
    """A full page of digits is none, and neither are a few doubtful components."""
    rows = [[Component(0, 0, np.full((20, 10), 255, np.uint8))] for _ in range(number)]

    assert is_cluttered(rows, lambda batch: np.full((len(batch), 11), sure, np.float32), list(range(10))) is cluttered
