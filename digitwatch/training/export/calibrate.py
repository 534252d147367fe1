"""Temperature scaling: one temperature, fitted on digits by writers held out of the training."""

import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.training.data.digits import Digits


def temperature(classifier: DigitClassifier, held: Digits) -> float:
    """Return the temperature with the lowest cross-entropy on the held-out digits.

    Guo et al., "On calibration of modern neural networks", 2017. The classifier's own temperature is 1.
    """
    logits = np.log(np.maximum(classifier(held.pictures), 1e-30)).astype(np.float64)  # (N, classes)
    grid = np.exp(np.linspace(np.log(0.1), np.log(5), 400))
    return round(float(min(grid, key=lambda t: cross_entropy(logits / t, held.labels))), 4)


def cross_entropy(logits: NDArray[np.float64], labels: NDArray[np.uint8]) -> float:
    """Return the mean cross-entropy of (N, classes) logits."""
    logits = logits - logits.max(axis=1, keepdims=True)
    chances = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    return float(-chances[np.arange(len(labels)), labels].mean())
