"""A row of components to digits: joined and parted as it reads best."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from digitwatch.recognition.decoding.candidate import Candidate, classify_components
from digitwatch.recognition.decoding.lattice import Edge, Lattice
from digitwatch.recognition.decoding.line_decoder import _best_text, _combined, _missegmented, read_rows
from digitwatch.recognition.segmentation.text_lines import Component

DIGITS = list(range(10))


def classify(batch: np.ndarray) -> np.ndarray:
    """Take a picture whose left half and right half both have a clear upright stroke for an 8, one stroke for a 1."""
    answers = np.full((len(batch), 11), 0.001, np.float32)
    for answer, picture in zip(answers, batch, strict=True):
        strokes = np.diff((picture[14] > 128).astype(int)).clip(0).sum()
        answer[{1: 1, 2: 8}.get(int(strokes), 10)] = 0.99
    return answers / answers.sum(axis=1, keepdims=True)


def undecided(strip: np.ndarray) -> np.ndarray:
    """A line model that holds everything for equally probable in every frame."""
    return np.full((strip.shape[1] // 4, 12), -np.log(12))


def seeing(text: str) -> Callable[[np.ndarray], np.ndarray]:
    """A line model that sees this text in every row, evenly spread."""

    def recognise_line(strip: np.ndarray) -> np.ndarray:
        p = np.full((strip.shape[1] // 4, 12), 0.001)
        p[:, 11] = 0.99
        for place, digit in zip(np.linspace(0, len(p) - 1, 2 * len(text) + 1)[1::2].astype(int), text, strict=True):
            p[place] = 0.001
            p[place, int(digit)] = 0.99
        return np.log(p / p.sum(axis=1, keepdims=True))

    return recognise_line


def bar(left: int, width: int = 6, height: int = 50) -> Component:
    """An upright stroke."""
    return Component(left, 0, np.full((height, width), 255, np.uint8))


def text(*components: Component) -> str:
    """What one row of components reads as."""
    row = read_rows([list(components)], classify, undecided, DIGITS)[0]
    return "".join(str(candidate.probabilities[:10].argmax()) for candidate in row.candidates)


def test_pieces_apart_are_digits_of_their_own() -> None:
    """Three strokes with gaps between them are three ones."""
    assert text(bar(0), bar(60), bar(120)) == "111"


def test_what_is_no_digit_is_taken_apart() -> None:
    """Four strokes that hang together are not a digit, but can be parted into some."""
    glyph = np.zeros((50, 120), np.uint8)
    for left in (0, 38, 76, 114):
        glyph[:, left : left + 6] = 255
    glyph[48:] = 255
    row = read_rows([[Component(0, 0, glyph)]], classify, undecided, DIGITS)[0]

    assert len(row.candidates) >= 2


def test_several_rows_stay_apart() -> None:
    """Each row is read for itself, in one call of the model for their first look."""
    rows = read_rows([[bar(0)], [bar(0), bar(70)]], classify, undecided, DIGITS)

    assert [len(row.candidates) for row in rows] == [1, 2]


def test_a_row_is_never_left_out_altogether() -> None:
    """All of it may be dirt, and neither model sees a digit: where there is ink, something stands all the same."""
    [speck] = classify_components([bar(0, 1, 1)], classify)
    ways = [Edge(0, 1, None, -1.5, np.zeros(0)), Edge(0, 1, speck, -17.0, np.full(10, -19.0))]
    frames = np.log(np.full((4, 12), 0.001) + np.eye(12)[11])

    assert len(_best_text(Lattice(ways), frames, lambda text: -3.0)[0]) == 1


def test_a_plain_row_is_certain_and_a_parted_one_less_so() -> None:
    """The certainty depends on other possible segmentations of the row."""
    glyph = np.zeros((50, 80), np.uint8)
    for left in (0, 37, 74):
        glyph[:, left : left + 6] = 255
    glyph[48:] = 255

    plain = read_rows([[bar(0), bar(60)]], classify, seeing("11"), DIGITS)[0]
    parted = read_rows([[Component(0, 0, glyph)]], classify, undecided, DIGITS)[0]

    assert plain.certainty > 0.95 > parted.certainty


def test_no_rows_give_no_reading() -> None:
    """The model is not called for an empty page."""
    assert read_rows([], classify, undecided, DIGITS) == []


def test_the_line_model_decides_where_the_parts_cannot() -> None:
    """Three strokes that hang together are what is seen in the row as a whole."""
    glyph = np.zeros((50, 80), np.uint8)
    for left in (0, 37, 74):
        glyph[:, left : left + 6] = 255
    glyph[48:] = 255
    row = read_rows([[Component(0, 0, glyph)]], classify, seeing("111"), DIGITS)[0]

    assert "".join(str(candidate.probabilities[:10].argmax()) for candidate in row.candidates) == "111"


def test_the_less_the_parts_look_like_digits_the_more_the_line_model_counts() -> None:
    """A stroke that is surely a digit makes two digits unlikely, one that looks like no digit hardly does."""
    [stroke] = classify_components([bar(0)], classify)
    doubtful = replace(stroke, probabilities=np.where(np.arange(11) == 10, 0.6, 0.04).astype(np.float32))
    sure, unsure = (
        _missegmented(Lattice([Edge(0, 1, each, 0.0, np.log(each.probabilities[:10]))]), DIGITS)
        for each in (stroke, doubtful)
    )

    assert sure((1, 1)) < np.log(0.1) < np.log(0.9) < unsure((1, 1))
    assert sure((7,)) == unsure((7,)) < np.log(0.1)


def test_a_line_model_that_sees_another_digit_takes_the_trust_away() -> None:
    """Two clear ones of which it holds the second for a 7 are read as 11, the second less surely."""
    agreed = read_rows([[bar(0), bar(60)]], classify, seeing("11"), DIGITS)[0].candidates
    doubted = read_rows([[bar(0), bar(60)]], classify, seeing("17"), DIGITS)[0].candidates

    assert doubted[1].probabilities[1] < agreed[1].probabilities[1]
    assert doubted[0].probabilities[1] > 0.9


def test_two_models_that_name_different_digits_are_never_sure() -> None:
    """Where the line model turns a doubtful 4 into a 2, the 2 is for review, however sure of it that model is."""
    single = np.full(11, 0.01, np.float32)
    single[[2, 4]] = 0.35, 0.56
    seen = np.log(np.where(np.arange(10) == 2, 0.999, 0.0001))
    agreed = _combined(Candidate(bar(0), np.zeros((28, 28), np.uint8), single), seen, DIGITS).probabilities

    assert agreed[:10].argmax() == 2 and agreed[2] < 0.75
    assert abs(float(agreed.sum()) - float(single.sum())) < 1e-5


def test_pieces_above_each_other_sooner_make_one_digit() -> None:
    """Two strokes of which neither is surely a digit are an 8 more probably where one stands over the other."""
    low = np.full((30, 6), 255, np.uint8)
    apart = read_rows([[Component(0, 0, low), Component(8, 0, low)]], classify, undecided, DIGITS)[0]
    over = read_rows([[Component(0, 0, low), Component(3, 12, low)]], classify, undecided, DIGITS)[0]

    assert len(apart.candidates) == 2
    assert over.certainty < apart.certainty
