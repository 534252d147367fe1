"""Facts about the damage done to training pictures."""

import numpy as np
import pytest

from digitwatch.training.synthesis import degrade


@pytest.mark.parametrize("kind", degrade.KINDS, ids=lambda kind: kind.__name__)
def test_every_damage_keeps_shape_and_changes_pixels(kind) -> None:
    """Each kind returns 28x28 uint8, different from its input, and leaves the input alone."""
    picture = np.zeros((28, 28), np.uint8)
    picture[6:22, 12:16] = [100, 255, 255, 120]
    before = picture.copy()

    after = [kind(picture, np.random.default_rng(seed)) for seed in range(8)]

    assert {((28, 28), np.dtype(np.uint8))} == {(one.shape, one.dtype) for one in after}
    assert any(not np.array_equal(one, before) for one in after)
    assert np.array_equal(picture, before)


def test_damage_is_repeatable() -> None:
    """The same generator gives the same damage."""
    picture = np.full((28, 28), 90, np.uint8)
    first, second = (degrade.damage(picture, np.random.default_rng(3)) for _ in range(2))

    assert np.array_equal(first, second)
