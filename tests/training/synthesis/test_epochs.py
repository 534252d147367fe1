"""Facts about what an epoch is made of."""

import numpy as np
import pytest

from digitwatch.recognition.networks.digit_image import normalise
from digitwatch.training.data.digits import Digits
from digitwatch.training.synthesis import epochs, strokes


@pytest.fixture(scope="module")
def digits() -> Digits:
    """Return a hundred training digits, drawn by program."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10, dtype=np.uint8), 10)
    return Digits(np.stack([normalise(strokes.digit(int(label), rng)) for label in labels]), labels)


def test_epoch_holds_every_digit_once_and_the_extras(digits: Digits) -> None:
    """An epoch is all training digits, the drawn ones and the non-digits, with as many labels."""
    [(pictures, labels)] = epochs.generate(digits, count=1, seed=0, processes=0)

    assert (epochs.size(digits), 28, 28) == pictures.shape
    assert round(len(digits) * epochs.OTHERS) == (labels == epochs.NOT_A_DIGIT).sum()
    assert all((labels == digit).sum() >= 10 for digit in range(10))


def test_some_digits_stay_untouched(digits: Digits) -> None:
    """A share of each epoch is the training data as it is."""
    [(pictures, _)] = epochs.generate(digits, count=1, seed=0, processes=0)
    known = {picture.tobytes() for picture in digits.pictures}

    assert 2 <= sum(picture.tobytes() in known for picture in pictures) <= 30


def test_epochs_differ_and_seeds_repeat(digits: Digits) -> None:
    """Two epochs vary the digits differently; the same seed gives the same two again."""
    first, second = (list(epochs.generate(digits, count=2, seed=4, processes=0)) for _ in range(2))

    assert not np.array_equal(first[0][0], first[1][0])
    assert all(np.array_equal(a[0], b[0]) and np.array_equal(a[1], b[1]) for a, b in zip(first, second, strict=True))


def test_a_worker_process_makes_the_same_epoch(digits: Digits) -> None:
    """How many processes share the work does not change the pictures."""
    [here], [there] = (list(epochs.generate(digits, count=1, seed=2, processes=p)) for p in (0, 1))

    assert np.array_equal(here[0], there[0])
