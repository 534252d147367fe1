"""Two readers of a line: agreement, disagreement, signs, and digits that only the second one sees."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from digitwatch.log_codes import Status
from digitwatch.recognition.decoding.expected import Expected, Texts
from digitwatch.recognition.line_reader import Line, LineReader
from digitwatch.recognition.networks.crop_recognizer import LABELS, OTHER, CropRecognizer
from digitwatch.recognition.result import Box, Digit, Reading
from digitwatch.recognition.second_reader import SecondReader
from digitwatch.recognition.segmentation.crop_views import views

Pixels = NDArray[np.uint8]
PAGE = np.full((60, 90), 220, np.uint8)
DIGITS = tuple("0123456789")


class Seen(CropRecognizer):
    """A network that sees one text in whatever it is shown, with one probability in each frame."""

    def __init__(self, text: str, chance: float = 0.999) -> None:
        """Store the text and its probability."""
        self._text, self._chance = text, chance

    def __call__(self, grey: Pixels) -> NDArray[np.float64]:
        """Return the frames of that text."""
        chances = np.full((2 * len(self._text) + 1, len(LABELS)), (1 - self._chance) / (len(LABELS) - 1))
        chances[::2, -1] = self._chance
        for number, label in enumerate(self._text):
            chances[2 * number + 1, LABELS.index(OTHER if label == "?" else label)] = self._chance
        return np.asarray(np.log(chances))


def reading(text: str, confidence: float, status: str) -> Reading:
    """Return what a first reader might say."""
    places = [Box(10 + 20 * number, 20, 15, 25) for number in range(len(text))]
    digits = [Digit(each, confidence, box, np.zeros((28, 28), np.uint8), np.eye(10, dtype=np.float32)[int(each)])
              for each, box in zip(text, places, strict=True)]  # fmt: skip
    return Reading((tuple(digits),) if text else (), confidence, status, "" if status == "ok" else "because", 0)


def second(text: str, chance: float = 0.999) -> SecondReader:
    """Return a second reader that sees this text."""
    return SecondReader(LineReader(Seen(text, chance), DIGITS), (0.0, 1.0, 1.0), 0.95)


def test_agreement_makes_a_doubtful_reading_sure() -> None:
    """Both see 42: the probability rises above that of either."""
    checked = second("42").check(PAGE, reading("42", 0.9, "review"))

    assert (checked.status, checked.text, checked.reason) == ("ok", "42", "")
    assert checked.confidence > 0.95


def test_disagreement_is_for_review() -> None:
    """A sure first reader is not `ok` when the second sees another number."""
    checked = second("29150198", 0.9).check(PAGE, reading("29", 0.999, "ok"))

    assert (checked.status, checked.text) == ("review", "29")
    assert checked.reason == "a second reader sees 29150198 instead"


def test_signs_between_digits_are_part_of_what_is_written() -> None:
    """7.5 has the digits 75, and stands as 7.5 in the text."""
    checked = second("7.5").check(PAGE, reading("75", 0.999, "ok"))

    assert (checked.status, checked.text, checked.written) == ("ok", "75", "7.5")


@pytest.mark.parametrize("text", ["-75", "75)", "75-"])
def test_a_sign_that_may_be_dirt_is_for_review(text: str) -> None:
    """A minus, a bracket or a dash behind the number is shown and checked by a person."""
    checked = second(text).check(PAGE, reading("75", 0.999, "ok"))

    assert (checked.status, checked.written) == ("review", text)
    assert checked.reason == f"a second reader sees {text}"


def test_strokes_that_may_be_tally_marks_are_for_review() -> None:
    """111 may count three things; 11 is a number."""
    three = second("111").check(PAGE, reading("111", 0.999, "ok"))
    two = second("11").check(PAGE, reading("11", 0.999, "ok"))

    assert (three.status, three.reason) == ("review", "111 may be tally marks")
    assert two.status == "ok"


def test_a_page_that_only_seems_to_have_digits_is_for_review_without_them() -> None:
    """The first reader takes a border for a 1; the second sees no writing."""
    checked = second("").check(PAGE, reading("1", 0.99, "ok"))

    assert (checked.status, checked.text) == ("review", "")
    assert checked.reason == "a first reader sees 1 instead"


def test_the_writing_alone_may_settle_a_disagreement() -> None:
    """The first reader joins print to the digits; without the print it sees what the second one sees."""
    lines = LineReader(Seen("42"), DIGITS)
    reader = SecondReader(lines, (0.0, 1.0, 1.0), 0.95, lambda *_: reading("42", 0.9, "review"))

    checked = reader.check(PAGE, reading("412", 0.999, "ok"))

    assert (checked.status, checked.text) == ("ok", "42")


def test_a_forced_text_is_not_looked_for_again() -> None:
    """Only 12 may stand there and the second reader sees 42: a crop in which the first sees 12 is no proof."""
    only = Texts("12".startswith, lambda text: text == "12")
    weights = (0.0, 1.0, 1.0)
    reader = SecondReader(LineReader(Seen("42", 0.8), DIGITS), weights, 0.95, lambda *_: reading("12", 0.9999, "ok"))

    checked = reader.check(PAGE, reading("12", 0.3, "review"), Expected(only, only))

    assert (checked.status, checked.text, checked.free) == ("review", "12", "42")


def test_digits_that_only_the_second_reader_sees_are_for_review() -> None:
    """A page that seems empty gets them, with boxes inside the page."""
    checked = second("36").check(PAGE, reading("", 1.0, "empty"))

    assert (checked.status, checked.text) == ("review", "36")
    assert checked.confidence < 0.95
    for digit in checked.digits:
        assert 0 <= digit.box.left < digit.box.left + digit.box.width <= PAGE.shape[1]
        assert digit.glyph.shape == (28, 28)


def test_digits_that_are_found_only_on_a_second_look_are_for_review() -> None:
    """602 in ink hardly darker than its paper: where nothing was seen at first, the 2 may not be all of it."""
    lines = LineReader(Seen("2"), DIGITS)
    reader = SecondReader(lines, (0.0, 1.0, 1.0), 0.95, lambda *_: reading("2", 0.999, "ok"))

    checked = reader.check(PAGE, reading("", 1.0, "empty"))

    assert (checked.status, checked.text, checked.codes) == ("review", "2", ("faint",))


def test_a_half_is_written_as_such_with_its_two_digits() -> None:
    """2½ has the digits 2, 1 and 2, and is for review."""
    checked = second("2½").check(PAGE, reading("24", 0.999, "ok"))

    assert (checked.status, checked.text, checked.written) == ("review", "212", "2½")


def test_a_half_that_the_first_reader_does_not_see_is_not_dropped() -> None:
    """The digits of 2½ are 212, not the 2 on which both agree."""
    checked = second("2½").check(PAGE, reading("2", 0.9, "review"))

    assert (checked.status, checked.text, checked.written) == ("review", "212", "2½")


def test_other_ink_beside_a_number_leaves_its_digits() -> None:
    """A cross in an empty cell before 74 is no digit to the second reader; the page is for review with 74."""
    checked = second("?74").check(PAGE, reading("274", 0.01, "review"))

    assert (checked.status, checked.text, checked.written) == ("review", "74", "74")
    assert checked.codes == ("disagreement", "not_a_digit")


def test_rows_that_are_likelier_one_line_are_read_as_one() -> None:
    """A fraction is two rows to the first reader, and ½ to the second."""
    one, two = reading("1", 0.9, "review"), reading("2", 0.9, "review")
    checked = second("½").check(PAGE, replace(one, rows=one.rows + two.rows))

    assert (checked.status, checked.text, checked.written) == ("review", "12", "½")


def test_a_gap_that_may_part_two_numbers_is_for_review() -> None:
    """12  3 may be one number or two; with a wider gap there is no doubt."""
    digits = reading("123", 0.999, "ok").digits
    places = [Box(left, 20, 10, 20) for left in (0, 14, 50)]
    row = tuple(replace(digit, box=place) for digit, place in zip(digits, places, strict=True))

    checked = second("123").check(PAGE, Reading((row,), 0.999, Status.OK, "", 0))

    assert (checked.status, checked.text, checked.codes) == ("review", "12 3", ("ambiguous:gap",))


def test_nothing_seen_by_both_stays_empty() -> None:
    """An empty page is empty for both."""
    empty = reading("", 1.0, "empty")

    assert second("").check(PAGE, empty) == empty


def test_each_row_of_several_is_asked_about() -> None:
    """Both rows say 2: ok; where the second reader sees something else, or is not sure, they are for review."""
    page = Reading(reading("2", 0.99, "ok").rows * 2, 0.9, "review", "because", 0)

    assert second("2").check(PAGE, page).status == "ok"
    assert second("2)").check(PAGE, page).reason == "because; a second reader sees 2) in row 1"
    assert second("2", 0.4).check(PAGE, page).status == "review"


def test_a_lone_mark_beside_other_rows_is_for_review() -> None:
    """A 0 that stands alone may be a punched hole."""
    rows = (*reading("0", 0.99, "ok").rows, *reading("42", 0.99, "ok").rows)

    checked = second("0").check(PAGE, Reading(rows, 0.99, "ok", "", 0))

    assert (checked.status, checked.codes, checked.reason) == (
        "review",
        ("ambiguous:0",),
        "the 0 in row 1 may be a mark",
    )


@pytest.mark.parametrize("shape", [(3, 3), (8, 400), (400, 8), (1, 1), (2000, 3000)])
def test_a_page_of_any_size_is_read(shape: tuple[int, int]) -> None:
    """A page too small or too long for a line is asked about as it is."""
    page = np.full(shape, 200, np.uint8)
    cv2.circle(page, (shape[1] // 2, shape[0] // 2), 2, (0,), -1)

    line = LineReader(Seen("5"), DIGITS).read(views(page, ()))

    assert isinstance(line, Line)
    assert line.text == "5"
