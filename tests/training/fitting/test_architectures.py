"""Facts about the two networks."""

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from digitwatch.training.fitting import architectures


def test_dense_is_the_seed() -> None:
    """Flatten, two Dense ReLU and a softmax: ten probabilities that sum to 1."""
    model = architectures.dense()

    assert [type(layer).__name__ for layer in model.layers] == ["Flatten", "Dense", "Dense", "Dense"]
    assert [layer.activation.__name__ for layer in model.layers[1:]] == ["relu", "relu", "softmax"]
    assert np.allclose(1, np.asarray(model(np.ones((3, 28, 28, 1), np.float32))).sum(axis=1), atol=1e-5)


def test_cnn_gives_eleven_logits_in_float32() -> None:
    """Ten digits and `other`, not squashed by a softmax."""
    logits = np.asarray(architectures.cnn()(np.random.default_rng(0).random((2, 28, 28, 1), np.float32)))

    assert ((2, 11), np.float32) == (logits.shape, logits.dtype)
    assert not np.allclose(1, logits.sum(axis=1))


def test_cnn_fits_its_budget() -> None:
    """At two bytes a weight the exported model stays below 1.5 MB."""
    assert architectures.cnn().count_params() * 2 < 1_500_000
