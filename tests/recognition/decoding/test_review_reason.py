"""What makes a reading doubtful, in words."""

import numpy as np
import pytest

from digitwatch.recognition.decoding.review_reason import weakest

LABELS = [*"0123456789", "other"]


def chances(**shares: float) -> np.ndarray:
    """One picture's probabilities; `other` is what is no digit."""
    return np.array([[shares.get(name if name == "other" else f"d{name}", 0.0) for name in LABELS]], np.float32)


@pytest.mark.parametrize(
    ("shares", "said"),
    [
        ({"d1": 0.6, "d7": 0.4}, "may be 1 or 7"),
        ({"d1": 0.6, "other": 0.4}, "may be 1 or no digit"),
        ({"d1": 0.3, "other": 0.7}, "not a digit"),
    ],
)
def test_a_doubtful_digit_is_named_by_its_likeliest_answers(shares: dict[str, float], said: str) -> None:
    """In words for people: the model's name for what is no digit is none."""
    assert weakest(chances(**shares), 1.0, LABELS, 10).text == said


def test_of_several_digits_the_weakest_is_named() -> None:
    """By its place."""
    both = np.concatenate([chances(d5=0.99, d6=0.01), chances(d4=0.7, d9=0.3)])

    assert weakest(both, 1.0, LABELS, 10).text == "digit 2 may be 4 or 9"
    assert weakest(both, 0.5, LABELS, 10).text.startswith("digits touch or are broken")
