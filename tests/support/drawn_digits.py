"""Training digits drawn by program, for tests that need no MNIST."""

import numpy as np

from digitwatch.training.data.digits import Digits
from digitwatch.training.synthesis import strokes
from digitwatch.training.synthesis.augment import finish


def drawn(count: int) -> Digits:
    """Return `count` digits, 0 to 9 in turn, always the same ones."""
    rng = np.random.default_rng(0)
    labels = np.arange(count, dtype=np.uint8) % 10
    return Digits(np.stack([finish(strokes.digit(int(label), rng), rng) for label in labels]), labels, None)
