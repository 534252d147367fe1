"""Facts about the temperature."""

import numpy as np

from digitwatch.training.data.digits import Digits
from digitwatch.training.export.calibrate import temperature


def test_boasting_is_cooled_to_the_truth() -> None:
    """Probabilities sharpened threefold ask for a temperature near three."""
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 1.5, (4000, 10))
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    labels = np.array([rng.choice(10, p=row) for row in chances], np.uint8)
    boasting = np.exp(3 * logits) / np.exp(3 * logits).sum(axis=1, keepdims=True)

    found = temperature(lambda _: boasting, Digits(np.zeros((4000, 28, 28), np.uint8), labels))  # type: ignore[arg-type]

    assert 2.7 < found < 3.3
