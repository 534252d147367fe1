"""A row of pieces to digits: joined and parted as it reads best."""

import numpy as np

from digitwatch.reading.rows import read_rows
from digitwatch.reading.segment import Piece

DIGITS = list(range(10))


def classify(batch: np.ndarray) -> np.ndarray:
    """Take a picture whose left half and right half both have a clear upright stroke for an 8, one stroke for a 1."""
    answers = np.full((len(batch), 11), 0.001, np.float32)
    for answer, picture in zip(answers, batch, strict=True):
        strokes = np.diff((picture[14] > 128).astype(int)).clip(0).sum()
        answer[{1: 1, 2: 8}.get(int(strokes), 10)] = 0.99
    return answers / answers.sum(axis=1, keepdims=True)


def bar(left: int, width: int = 6, height: int = 50) -> Piece:
    """An upright stroke."""
    return Piece(left, 0, np.full((height, width), 255, np.uint8))


def text(*pieces: Piece) -> str:
    """What one row of pieces reads as."""
    row = read_rows([list(pieces)], classify, DIGITS)[0]
    return "".join(str(guess.probabilities[:10].argmax()) for guess in row.guesses)


def test_pieces_apart_are_digits_of_their_own() -> None:
    """Three strokes with room between them are three ones."""
    assert text(bar(0), bar(60), bar(120)) == "111"


def test_what_is_no_digit_is_taken_apart() -> None:
    """Four strokes that hang together are not a digit, but can be parted into some."""
    glyph = np.zeros((50, 120), np.uint8)
    for left in (0, 38, 76, 114):
        glyph[:, left : left + 6] = 255
    glyph[48:] = 255
    row = read_rows([[Piece(0, 0, glyph)]], classify, DIGITS)[0]

    assert len(row.guesses) >= 2


def test_several_rows_stay_apart() -> None:
    """Each row is read for itself, in one call of the model for their first look."""
    rows = read_rows([[bar(0)], [bar(0), bar(70)]], classify, DIGITS)

    assert [len(row.guesses) for row in rows] == [1, 2]


def test_a_plain_row_is_certain_and_a_parted_one_less_so() -> None:
    """The certainty tells whether the row could be parted otherwise."""
    glyph = np.zeros((50, 80), np.uint8)
    for left in (0, 37, 74):
        glyph[:, left : left + 6] = 255
    glyph[48:] = 255

    assert read_rows([[bar(0), bar(60)]], classify, DIGITS)[0].certainty == 1
    assert read_rows([[Piece(0, 0, glyph)]], classify, DIGITS)[0].certainty <= 1


def test_no_rows_give_no_reading() -> None:
    """The model is not called for an empty page."""
    assert read_rows([], classify, DIGITS) == []
