"""Crops composed for training the crop recogniser."""

from collections.abc import Iterator

import numpy as np
import pytest
from drawn_digits import drawn

from digitwatch.training.synthesis import strokes

crops = pytest.importorskip("digitwatch.training.synthesis.crops", reason="needs the extra `train`")
handwriting = pytest.importorskip("digitwatch.training.synthesis.handwriting", reason="needs the extra `train`")
signs = pytest.importorskip("digitwatch.training.synthesis.signs", reason="needs the extra `train`")


def made(seed: int) -> Iterator[tuple[bytes, tuple[int, ...]]]:
    """Yield thirty crops as bytes and symbols."""
    rng, digits = np.random.default_rng(seed), drawn(40)
    for crop in (crops.crop(digits, rng) for _ in range(30)):
        if crop is not None:
            yield crop.picture.tobytes(), crop.symbols


def test_a_seed_decides_the_crops() -> None:
    """The same seed gives the same pictures and texts."""
    assert list(made(1)) == list(made(1))
    assert list(made(1)) != list(made(2))


def test_a_crop_is_wide_enough_for_its_symbols() -> None:
    """Each is 40 high, of a width that the reader uses, with a frame for every symbol."""
    rng, digits = np.random.default_rng(0), drawn(40)
    for crop in filter(None, (crops.crop(digits, rng) for _ in range(60))):
        assert crop.picture.shape[0] == 40
        assert crop.picture.dtype == np.uint8
        assert crops.frames(crop.symbols) <= crop.picture.shape[1] // 4


@pytest.mark.parametrize("text", signs.SIGNS)
def test_every_sign_is_drawn(text: str) -> None:
    """Each has ink, and hangs around the base line."""
    rng = np.random.default_rng(0)
    for _ in range(20):
        ink, below = signs.sign(text, 40, lambda label: strokes.digit(int(label), rng), rng)
        assert ink.max() > 0
        assert -40 < below < 40


def test_a_label_that_no_digit_has_is_drawn() -> None:
    """A date needs certain digits; a small set of digits may lack one of them."""
    few = drawn(60)
    label, ink = handwriting.digit(few[few.labels != 7], 7, np.random.default_rng(0))

    assert label == 7
    assert ink.any()
