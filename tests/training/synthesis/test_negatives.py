"""Facts about what the network learns to refuse."""

import numpy as np
import pytest

from digitwatch.training.data.digits import Digits
from digitwatch.training.synthesis import negatives


@pytest.fixture
def digits() -> Digits:
    """Return ten training digits, drawn by program."""
    from digitwatch.recognition.networks.digit_image import normalise
    from digitwatch.training.synthesis import strokes

    rng = np.random.default_rng(0)
    pictures = np.stack([normalise(strokes.digit(label, rng)) for label in range(10)])
    return Digits(pictures, np.arange(10, dtype=np.uint8))


@pytest.mark.parametrize("kind", negatives.KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_leaves_ink(kind, digits: Digits) -> None:
    """Each kind of non-digit is uint8 ink, and two attempts differ."""
    made = [kind(digits, np.random.default_rng(seed)) for seed in range(6)]

    assert {np.dtype(np.uint8)} == {one.dtype for one in made}
    assert sum(one.any() for one in made) >= 5
    assert len({one.tobytes() for one in made}) > 1


def test_negatives_are_reader_pictures(digits: Digits) -> None:
    """A hundred of them are all 28x28 uint8."""
    rng = np.random.default_rng(1)
    made = [negatives.negative(digits, rng) for _ in range(100)]

    assert {((28, 28), np.dtype(np.uint8))} == {(one.shape, one.dtype) for one in made}


def test_no_half_is_taken_that_is_another_digit() -> None:
    """Halves that people read as 0, 1 or 3 are never taught as something to refuse."""
    assert {1, 7}.isdisjoint(label for labels in negatives.HALVES.values() for label in labels)
    assert 8 not in negatives.HALVES["right"]
    assert 8 not in negatives.HALVES["top"]


def test_letters_that_are_digits_are_left_out() -> None:
    """O, l, S, Z and their like are never taught as something to refuse."""
    assert set("OoIlSsZzBbGgqQDiYyUu").isdisjoint(negatives.LETTERS)
