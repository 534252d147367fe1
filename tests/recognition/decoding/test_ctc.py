"""Texts from frames: their probability and the most probable ones."""

import numpy as np

from digitwatch.recognition.decoding.ctc import alternatives, likely_texts, log_probabilities, spans

NOTHING = 3


def frames(*shown: int, sure: float = 0.9) -> np.ndarray:
    """Log probabilities of three symbols and nothing: in each frame mostly the given one."""
    p = np.full((len(shown), 4), (1 - sure) / 3)
    p[np.arange(len(shown)), shown] = sure
    return np.log(p)


def every_text(longest: int) -> list[tuple[int, ...]]:
    """All texts of three symbols up to a length."""
    texts: list[tuple[int, ...]] = [()]
    for text in texts:
        if len(text) < longest:
            texts += [(*text, symbol) for symbol in range(3)]
    return texts


def test_the_probabilities_of_all_texts_sum_to_one() -> None:
    """What four frames can say is some text of at most four symbols."""
    logs = log_probabilities(frames(0, 0, NOTHING, 1, sure=0.6), every_text(4))

    assert np.isclose(np.exp(logs).sum(), 1)


def test_a_symbol_that_lasts_is_one_and_nothing_parts_two() -> None:
    """0 0 is one 0; 0 nothing 0 are two."""
    assert likely_texts(frames(0, 0, 0), 1) == [(0,)]
    assert likely_texts(frames(0, NOTHING, 0), 1) == [(0, 0)]


def test_the_search_finds_the_text_that_is_most_probable_of_all() -> None:
    """Beam search agrees with trying every text."""
    shown = np.log(np.random.default_rng(0).dirichlet(np.ones(4), 5))
    texts = every_text(5)
    best = texts[int(log_probabilities(shown, texts).argmax())]

    assert likely_texts(shown, 20)[0] == best


def test_more_symbols_than_frames_are_impossible() -> None:
    """Two frames cannot say three symbols, nor the same one twice."""
    logs = log_probabilities(frames(0, 1), [(0, 1, 2), (1, 1), (0, 1)])

    assert np.isneginf(logs[:2]).all()
    assert np.isfinite(logs[2])


def test_each_place_of_a_text_has_its_own_doubts() -> None:
    """The second place may be 1 or 2, the first is 0."""
    shown = frames(0, NOTHING, 1)
    shown[2] = np.log([0.01, 0.5, 0.48, 0.01])
    p = np.exp(alternatives(shown, (0, 1), 3))

    assert p[0].argmax() == 0 and p[0, 0] > 0.9
    assert np.allclose(p[1], [0.02, 0.5, 0.48], atol=0.05)


def test_each_symbol_has_its_frames() -> None:
    """0 lasts for two frames, then nothing, then another 0, then 1."""
    assert spans(frames(0, 0, NOTHING, 0, 1), (0, 0, 1)) == [(0, 2), (3, 4), (4, 5)]


def test_symbols_without_frames_of_their_own_get_some() -> None:
    """A text that is not what is seen is laid as well as it can be."""
    places = spans(frames(0, 0, 0, 0), (0, 1))

    assert [first < last for first, last in places] == [True, True]
    assert places[0][1] <= places[1][0]
