"""Crops composed for training the crop recogniser."""

from collections.abc import Iterator

import numpy as np
import pytest
from drawn_digits import drawn

from digitwatch.training.synthesis import strokes

crops = pytest.importorskip("digitwatch.training.synthesis.crops", reason="needs the extra `train`")
handwriting = pytest.importorskip("digitwatch.training.synthesis.handwriting", reason="needs the extra `train`")
surroundings = pytest.importorskip("digitwatch.training.synthesis.surroundings", reason="needs the extra `train`")
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


def test_a_struck_out_number_is_other_ink(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line through a number, or through its first digits, leaves one symbol of them, which is no digit."""
    monkeypatch.setattr(handwriting, "CANCELLED", 1.0)
    rng, digits = np.random.default_rng(0), drawn(40)
    numbers = [row.symbols for row in (handwriting.written(digits, rng) for _ in range(60)) if len(row.symbols) > 1]

    assert len(numbers) > 10
    assert all(symbols[0] == handwriting.INDEX[handwriting.OTHER] for symbols in numbers)


def test_a_ring_is_print_around_the_writing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has ink on all four sides of the writing, and none in its middle."""
    for kind in ("FRAME", "SIDE", "RULE", "DOTTED", "GRID", "CAPTION"):
        monkeypatch.setattr(surroundings, kind, 0.0)
    monkeypatch.setattr(surroundings, "RING", 1.0)
    lines = surroundings.printed((120, 240), (80, 40, 160, 80), np.random.default_rng(0))

    assert all(part.any() for part in (lines[:60], lines[60:], lines[:, :120], lines[:, 120:]))
    assert not lines[50:70, 100:140].any()
