"""One digit at a glance."""

import numpy as np
import pytest

from digitwatch.reading.cards import CARD, large_card, percent, small_card
from digitwatch.reading.palette import AMBER, BLUE, PALETTE, WHITE, Colour
from digitwatch.reading.reader import Box, Digit


def digit(probability: float = 0.75, classes: int = 10) -> Digit:
    """A 3 that could be a 5."""
    probabilities = np.zeros(classes, np.float32)
    probabilities[[3, 5]] = probability, 1 - probability
    glyph = np.zeros((28, 28), np.uint8)
    glyph[4:24, 10:12] = 255
    return Digit("3", probability, Box(1, 2, 3, 4), glyph, probabilities)


def tallness(card: np.ndarray, colour: Colour, columns: slice) -> int:
    """How many rows of the lower part of a card show a colour in the given columns."""
    return int((card[66:102, columns] == colour).any(axis=1).sum())


def test_bars_are_as_tall_as_the_probabilities() -> None:
    """The plot is 36 pixels high, so 75 % is 27 and 25 % is 9."""
    card = small_card(digit(), "digit 1", doubtful=False)

    assert card.shape == (CARD[1], CARD[0])
    assert tallness(card, BLUE, slice(50, 60)) == 27
    assert tallness(card, BLUE, slice(77, 87)) == 9


def test_doubt_is_told_by_frame_and_question_mark() -> None:
    """A doubtful digit differs in more than its colour."""
    sure, doubtful = (small_card(digit(), "digit 1", doubtful=d) for d in (False, True))

    assert (doubtful[0] == AMBER).all()
    dark = [(PALETTE[card[4:28, 68:110]].min(axis=2) < 128).sum() for card in (sure, doubtful)]
    assert dark[0] < dark[1]


@pytest.mark.parametrize("classes", [10, 11])
def test_the_model_s_view_is_shown_pixel_by_pixel(classes: int) -> None:
    """Ink is dark on white, each of the 28x28 pixels a square, with or without a class for "no digit"."""
    card = large_card(digit(classes=classes), doubtful=False)

    assert (card[5 + 4 * 4 : 5 + 4 * 24, 5 + 4 * 10 : 5 + 4 * 12] == 0).all()
    assert (card[5 : 5 + 4 * 4, 5 : 5 + 4 * 28] == WHITE).all()


@pytest.mark.parametrize(("probability", "text"), [(1, ">99.9 %"), (0.9996, ">99.9 %"), (0.5, "50.0 %"), (0, "<0.1 %")])
def test_nothing_is_quite_certain(probability: float, text: str) -> None:
    """Rounding never turns a high probability into certainty."""
    assert percent(probability) == text
