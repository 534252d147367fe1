"""Rows composed of single digits for the line model."""

import numpy as np
from drawn_digits import drawn

from digitwatch.training.synthesis.lines import FRAME, LONGEST, OTHER, WIDTHS, frames, line


def rows(count: int, seed: int = 1) -> list:
    """Rows as the training would be given them."""
    digits, rng = drawn(50), np.random.default_rng(seed)
    return [made for made in (line(digits, rng) for _ in range(count)) if made is not None]


def test_a_row_is_a_strip_of_one_of_the_widths_with_ink() -> None:
    """32 pixels high, paper 0, and as wide as the batches need it."""
    made = rows(40)

    assert len(made) > 30
    assert all(row.picture.shape[0] == 32 and row.picture.shape[1] in WIDTHS for row in made)
    assert all(row.picture.max() > 100 and np.median(row.picture) < 60 for row in made)


def test_a_row_says_one_to_nine_symbols_that_fit_it() -> None:
    """Digits mostly, now and then something that is none; the network has a frame for each."""
    said = [row.symbols for row in rows(80)]

    assert {len(symbols) for symbols in said} >= {1, LONGEST}
    assert all(0 <= symbol <= OTHER for symbols in said for symbol in symbols)
    assert 0 < np.mean([symbol == OTHER for symbols in said for symbol in symbols]) < 0.15
    assert all(frames(row.symbols) <= row.picture.shape[1] // FRAME for row in rows(20))


def test_the_seed_decides_every_row() -> None:
    """The same seed composes the same, another one something else."""
    one, same, other = rows(3)[0], rows(3)[0], rows(3, seed=2)[0]

    assert np.array_equal(one.picture, same.picture) and one.symbols == same.symbols
    assert one.picture.shape != other.picture.shape or not np.array_equal(one.picture, other.picture)


def test_two_of_a_kind_need_a_frame_between_them() -> None:
    """1 1 takes three frames, 1 2 takes two."""
    assert [frames((1, 1)), frames((1, 2)), frames(())] == [3, 2, 0]
