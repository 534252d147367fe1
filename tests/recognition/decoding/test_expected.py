"""What is expected steers the decoders by its prior, and the confidence stays honest."""

import numpy as np
import pytest

from digitwatch.recognition.decoding.ctc import likely_texts
from digitwatch.recognition.decoding.expected import PRIOR_ODDS, Texts, beginnings, best_spelling, with_prior

LABELS = (*"0123456789", "other", "")


def listed(*known: str) -> Texts:
    """Return the set of some texts."""
    return Texts(lambda text: any(each.startswith(text) for each in known), known.__contains__)


def logs(*places: dict[int, float]) -> np.ndarray:
    """Return (N, 10) log probabilities; digits that are not named share 1 %."""
    found = np.full((len(places), 10), 0.001)
    for row, place in zip(found, places, strict=True):
        row[list(place)] = list(place.values())
    return np.log(found)


def test_a_doubtful_digit_is_read_as_expected() -> None:
    """A 4 that may be a 9 is one where only that number is in the list."""
    assert best_spelling(logs({4: 0.7, 9: 0.29}, {2: 0.99}), listed("92", "13")) == "92"


def test_a_clear_digit_is_read_as_it_is() -> None:
    """A number that is not in the list is not taken for another one that is."""
    assert best_spelling(logs({4: 0.99}, {2: 0.99}), listed("92", "13")) == "42"


def test_the_best_expected_text_need_not_be_near_the_best() -> None:
    """The search among what is expected finds texts that a search among all has dropped."""
    frames = np.log(np.full((7, 12), 0.002))
    for frame, symbol in zip(frames, (11, 3, 11, 5, 11, 7, 11), strict=True):
        frame[symbol] = np.log(0.97)
    begins = beginnings(listed("998"), LABELS)

    assert (9, 9, 8) not in likely_texts(frames, 5)
    assert (9, 9, 8) in likely_texts(frames, 5, begins)
    assert not begins((10,))


@pytest.mark.parametrize(("confidence", "excluded"), [(0.9, 0.0), (0.9, 0.5), (0.9, 1.0), (0.02, 1.0), (0.0, 1.0)])
def test_only_what_is_excluded_loses_probability(confidence: float, excluded: float) -> None:
    """The confidence rises with the share that is excluded, by the prior odds at most."""
    found = with_prior(confidence, excluded)
    odds = confidence / (1 - confidence)

    assert confidence <= found <= odds * PRIOR_ODDS / (1 + odds * PRIOR_ODDS) + 1e-12
    assert excluded or found == pytest.approx(confidence)
