"""The training of a network from batches."""

from typing import Any

import numpy as np
import pytest

keras: Any = pytest.importorskip("keras", reason="needs the extra `train`")
trainer: Any = pytest.importorskip("digitwatch.training.fitting.trainer", reason="needs the extra `train`")


def mean() -> Any:
    """A network of one weight for strips of any width."""
    strip = keras.layers.Input((4, None, 1))
    return keras.Model(strip, keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(1, 1)(strip)))


def test_batches_of_several_widths_are_learnt_from_in_any_order() -> None:
    """Two batches of one width at the beginning do not make it the only width: the next is wider."""
    batches = ((np.ones((2, 4, width, 1), np.float32), np.ones((2, 1), np.float32)) for width in (8, 8, 12, 8))
    recipe = trainer.Recipe(epochs=1)

    model = trainer.fit(mean, batches, recipe, steps=4, loss="mse", progress=lambda line: None)

    assert model(np.ones((1, 4, 20, 1), np.float32)).shape == (1, 1)
