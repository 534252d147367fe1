"""The picture that explains a reading."""

import warnings
from dataclasses import replace

import cv2
import numpy as np
import pytest

from digitwatch.recognition.annotation import header
from digitwatch.recognition.annotation.palette import AMBER, BLUE, CREAM, GREEN, GREY, PALETTE, Colour
from digitwatch.recognition.annotation.render import annotate
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.result import Box, Digit, Reading

SHAPES = [(28, 28), (300, 200, 3), (2, 900), (900, 2), (1, 1), (40, 5000, 3), (3000, 4000, 3)]


def digit(text: str, box: Box, probability: float = 0.99) -> Digit:
    """A find of the given certainty."""
    probabilities = np.full(10, (1 - probability) / 9, np.float32)
    probabilities[int(text)] = probability
    return Digit(text, probability, box, np.zeros((28, 28), np.uint8), probabilities)


def reading(*rows: str, status: str = "ok", weak: int | None = None, turn: int = 0, confidence: float = 0.9) -> Reading:
    """Digits on a grid of 20 by 30 pixels; the one numbered `weak` is uncertain, and a `?` is probably no digit."""
    numbers = iter(range(10_000))
    digits = tuple(
        tuple(
            digit(text.replace("?", "0"), Box(10 + 20 * x, 30 + 30 * y, 12, 20), chance(text, next(numbers) == weak))
            for x, text in enumerate(row)
        )
        for y, row in enumerate(rows)
    )
    reasons = {"ok": "", "review": "not sure of every digit", "empty": "no ink on the page"}
    return Reading(digits, confidence, status, reasons[status], turn)


def chance(text: str, is_weak: bool) -> float:
    """How probable a digit is."""
    return 0.1 if text == "?" else 0.7 if is_weak else 0.99


def drawn(what: Reading, shape: tuple[int, ...] = (300, 300), title: str = "scan.png") -> np.ndarray:
    """The picture of a reading on blank paper, decoded again."""
    png = annotate(Page(1, np.full(shape, 255, np.uint8)), what, title)
    picture: np.ndarray = cv2.imdecode(np.frombuffer(png, np.uint8), cv2.IMREAD_COLOR)
    return picture


def shows(picture: np.ndarray, colour: Colour) -> bool:
    """Whether a colour takes up a visible part of a picture."""
    return int((picture == PALETTE[colour]).all(axis=2).sum()) > 40


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("rows", [(), ("7",), ("90210", "12")])
def test_any_page_can_be_drawn(shape: tuple[int, ...], rows: tuple[str, ...]) -> None:
    """Whatever the size of the page, the picture is of a size that fits a screen's width."""
    picture = drawn(reading(*rows, status="ok" if rows else "empty"), shape)

    assert picture.shape[1] in (652, 960)
    assert picture.shape[0] < 1100


def test_status_is_shown_by_text_and_position_too() -> None:
    """A reading to be checked has a strip that says so, which others have not."""
    sure, doubtful = drawn(reading("7")), drawn(reading("7", status="review", weak=0))

    assert shows(sure, GREEN)
    assert not shows(sure, CREAM)
    assert shows(doubtful, CREAM)
    assert doubtful.shape[0] > sure.shape[0]


def test_only_the_doubtful_digit_is_highlighted() -> None:
    """On a page to be checked the certain digits keep the ordinary frame."""
    picture = drawn(reading("902", status="review", weak=1))[140:400]

    assert shows(picture, AMBER)
    assert shows(picture, BLUE)
    assert not shows(drawn(reading("902", weak=1))[140:400], AMBER)


def test_boxes_lie_around_the_digits() -> None:
    """The frame of a digit is at its place, scaled with the page."""
    page = np.full((300, 340), 255, np.uint8)  # drawn at its own size
    found = Reading(((digit("7", Box(100, 60, 80, 120)),),), 0.99, "ok", "", 0)
    blank = Reading((), 1, "ok", "", 0)

    with_box, without = (
        cv2.imdecode(np.frombuffer(annotate(Page(1, page), what, "x"), np.uint8), 1)[-308:, left : left + 342]
        for what, left in ((found, 20), (blank, 155))  # a page without digits is in the middle
    )
    rows, columns = np.nonzero((with_box != without).any(axis=2))

    assert (columns.min(), columns.max()) == pytest.approx((100, 180), abs=6)
    assert rows.max() == pytest.approx(180, abs=6)


@pytest.mark.parametrize("count", [25, 200, 1150])
def test_many_digits_give_one_clear_picture(count: int) -> None:
    """A full page shows all boxes, but close up only the least certain digits."""
    rows = ["5" * 25] * (count // 25) + ["5" * (count % 25)]

    picture = drawn(reading(*[row for row in rows if row], status="review", weak=3), (1500, 1100))

    assert picture.shape[0] < 2000
    assert shows(picture[-300:], AMBER)


@pytest.mark.parametrize("title", ["", "$x_{1}^2$.png", "\udcff\u4e00\u202e\n\x00.jpg", "long " * 500])
def test_names_do_no_harm(title: str) -> None:
    """Any file name can be the title, without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert drawn(reading("7"), title=title).shape[1] == 652


def test_a_turned_page_says_so() -> None:
    """The note that the page was turned appears on a line of its own below the value."""
    plain, turned = drawn(reading("7")), drawn(reading("7", turn=90))
    more = len(turned) - len(plain)

    assert more > 10
    assert (plain[90:] == turned[90 + more :]).all()


def test_a_word_is_one_grey_box() -> None:
    """Neighbours that are probably no digits have no tag and no card of their own, and nothing is amber or blue."""
    word, number = drawn(reading("?1??2?", status="review")), drawn(reading("915726", status="review"))

    assert not shows(word[90:], AMBER)
    assert not shows(word, BLUE)
    assert shows(word[90:], GREY)
    assert len(word) < len(number) - 200


def test_a_number_beside_a_word_keeps_its_boxes() -> None:
    """Only the word becomes a grey box; the digits of the number have their cards."""
    picture = drawn(reading("????12345", status="review"))

    assert shows(picture[90:], GREY)
    assert shows(picture[-100:], BLUE)


def test_an_unlikely_value_is_grey_and_small() -> None:
    """What is probably wrong does not look like a result."""
    likely, unlikely = (
        drawn(reading("915", status="review", weak=1, confidence=confidence))[30:80, :300] for confidence in (0.9, 0.1)
    )

    assert (likely < 60).all(axis=2).any(axis=1).sum() > 20  # rows of pixels with ink
    assert not (unlikely < 60).all(axis=2).any()


def test_long_values_are_never_cut() -> None:
    """A value that is too long for one line takes several; each digit of it is in the header."""
    short, long = reading("9" * 5), reading(*["9" * 40] * 6)

    assert len(drawn(long)) - len(drawn(short)) > 60
    assert "…" not in "".join(header._value(long, 700)[1])


def test_small_digits_on_a_large_page_are_shown_close() -> None:
    """Where the whole page would make them unreadable, only the part that holds the digits is shown."""
    page = np.full((3000, 4000), 255, np.uint8)
    page[2500:2540, 3000:3020] = 0
    found = Reading(((digit("1", Box(3000, 2500, 20, 40)),),), 0.99, "ok", "", 0)

    picture = cv2.imdecode(np.frombuffer(annotate(Page(1, page), found, "x"), np.uint8), 0)[88:, :370]

    assert (picture == 0).sum() > 500


def test_the_same_reading_gives_the_same_picture() -> None:
    """What is kept between drawings leaves no traces in later ones."""
    first = drawn(reading("7"))
    drawn(reading("90210", status="review", weak=2))

    assert (drawn(reading("7")) == first).all()


def test_a_sorted_picture_is_shown_with_its_names() -> None:
    """No box hides it; what it may be stands beside it, also in doubt, also where there is nothing."""
    names = ("ant", "bee", "a very long name that does not fit into the width of any card")
    glyph = np.full((32, 32, 3), 90, np.uint8)
    chances = np.array([0.2, 0.7, 0.1], np.float32)
    answer = Digit("bee", 0.7, Box(0, 0, 300, 200), glyph, chances)
    page = Page(1, np.full((200, 300, 3), (40, 200, 90), np.uint8))
    for status, rows in (("ok", ((answer,),)), ("review", ((answer,),)), ("empty", ())):
        picture = annotate(page, Reading(rows, 0.7, status, "may be bee or ant", 0, names), "a.png")

        shown = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
        assert (shown[100:, 100:300] == (40, 200, 90)).all(axis=2).mean() > 0.3


def test_writing_that_was_left_out_is_dashed() -> None:
    """A certain digit is blue; the writing beside it is framed in the colour of what is to be checked."""
    certain = reading("7")

    assert not shows(drawn(certain), AMBER)
    assert shows(drawn(replace(certain, left_out=(Box(200, 100, 40, 60),))), AMBER)
