"""Facts about the variations of training digits."""

import numpy as np
import pytest

from digitwatch.training.synthesis import augment


@pytest.fixture
def seven() -> np.ndarray:
    """Return a 28x28 seven of two strokes."""
    picture = np.zeros((28, 28), np.uint8)
    picture[5:8, 8:20] = 255
    for row in range(8, 24):
        picture[row, 18 - (row - 8) // 3 : 21 - (row - 8) // 3] = 255
    return picture


def test_mild_variation_stays_close(seven: np.ndarray) -> None:
    """A mild variation is a 28x28 uint8 picture with about as much ink, but not the same one."""
    varied = augment.mild(seven, np.random.default_rng(1))

    assert ((28, 28), np.uint8) == (varied.shape, varied.dtype)
    assert 0.6 < varied.sum() / seven.sum() < 1.5
    assert not np.array_equal(seven, varied)


@pytest.mark.parametrize("seed", range(20))
def test_strong_variation_is_a_reader_picture(seven: np.ndarray, seed: int) -> None:
    """A strong variation is a 28x28 picture with ink, whatever the chances bring."""
    varied = augment.strong(seven, np.random.default_rng(seed), neighbour=seven.T.copy())

    assert ((28, 28), np.uint8) == (varied.shape, varied.dtype)
    assert varied.max() > 100


def test_same_chances_give_the_same_picture(seven: np.ndarray) -> None:
    """Variation depends on nothing but the picture and the generator."""
    first, second = (augment.strong(seven, np.random.default_rng(5), neighbour=seven) for _ in range(2))

    assert np.array_equal(first, second)


def test_pen_changes_the_amount_of_ink(seven: np.ndarray) -> None:
    """Over many pens there are finer, broader and equal strokes, and none vanishes."""
    fine = np.kron(seven, np.ones((2, 2), np.uint8))
    ratios = [augment.pen(fine, np.random.default_rng(seed)).sum() / fine.sum() for seed in range(40)]

    assert min(ratios) < 0.9
    assert max(ratios) > 1.2
    assert min(ratios) > 0.3


def test_only_sevens_and_zeros_get_a_bar_or_slash(seven: np.ndarray) -> None:
    """A bar appears on some sevens; a four is never touched."""
    sevens = [augment.bar_or_slash(seven, 7, np.random.default_rng(seed)).sum() for seed in range(40)]
    fours = [augment.bar_or_slash(seven, 4, np.random.default_rng(seed)).sum() for seed in range(40)]

    assert max(sevens) > int(seven.sum())
    assert {int(seven.sum())} == set(map(int, fours))


def test_finish_normalises_and_places() -> None:
    """Any ink ends as 28x28, half of the time exactly as the reader normalises it."""
    ink = np.zeros((90, 40), np.uint8)
    ink[10:80, 15:25] = 255
    pictures = [augment.finish(ink, np.random.default_rng(seed)) for seed in range(20)]

    assert {(28, 28)} == {picture.shape for picture in pictures}
    assert 1 < len({picture.tobytes() for picture in pictures}) < 20
