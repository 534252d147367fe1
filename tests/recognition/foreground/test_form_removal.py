"""Ruled lines and boxes: gone, while the writing on them stays."""

import cv2
import numpy as np
import pytest

from digitwatch.recognition.foreground.form_removal import without_printed_lines


def writing() -> np.ndarray:
    """Three digits, 40 pixels high, as strength: 2 on the strokes, 0 elsewhere."""
    picture = np.zeros((120, 260), np.uint8)
    for number, text in enumerate("358"):
        cv2.putText(picture, text, (50 + 60 * number, 80), cv2.FONT_HERSHEY_SIMPLEX, 1.8, (2,), 4)
    return picture.astype(np.float32)


def lost(strength: np.ndarray, clean: np.ndarray) -> float:
    """The share of the writing that is no longer there."""
    ink = writing() > 0
    return 1 - float(clean[ink].mean())


@pytest.mark.parametrize(("left", "right"), [(90, 90), (60, 60), (58, 66), (95, 85)])
def test_a_line_across_the_page_goes_and_the_digits_stay(left: int, right: int) -> None:
    """Level or tilted, below the digits or through them."""
    strength = writing()
    line = cv2.line(np.zeros(strength.shape, np.uint8), (0, left), (259, right), (1,), 2) > 0
    strength[line] = np.maximum(strength[line], 1.2)
    clean = without_printed_lines(strength)

    assert clean[line & (writing() == 0)].mean() < 0.1
    assert lost(strength, clean) < 0.05


@pytest.mark.parametrize("columns", [(4,), (255,), (3, 250)])
def test_the_sides_of_a_box_that_run_from_edge_to_edge_go(columns: tuple[int, ...]) -> None:
    """A cell cut from a form keeps its vertical lines, which look like a 1 at its left or right."""
    strength = writing()
    for column in columns:
        strength[:, column : column + 3] = 1.8
    clean = without_printed_lines(strength)

    assert not clean[:, [*columns]].any()
    assert lost(strength, clean) < 0.01


def test_a_one_that_is_as_high_as_its_crop_stays() -> None:
    """Cut as tight as can be, digits touch the upper and lower edge as well."""
    strength = np.ascontiguousarray(writing()[44:82, 50:])
    strength[:, 2:6] = 2
    clean = without_printed_lines(strength)

    assert clean[:, 2:6].all()


def test_vertical_lines_of_a_large_box_are_no_ones() -> None:
    """Low digits between lines as high as the page are what is written there."""
    strength = np.zeros((420, 240), np.float32)
    strength[:, 8:15] = strength[:, 225:232] = 2
    for row in (60, 150, 240):
        strength[row : row + 40, 100:106] = 2
    clean = without_printed_lines(strength)

    assert not clean[:, :20].any() and not clean[:, 220:].any()
    assert clean[:, 100:106].sum() == 3 * 40 * 6


def test_squared_paper_goes_and_the_digits_stay() -> None:
    """Its squares are not boxes with something in them."""
    strength = writing()
    squared = np.zeros(strength.shape, np.float32)
    squared[8::26] = squared[:, 11::26] = 1.1
    clean = without_printed_lines(np.maximum(strength, squared))

    assert lost(strength, clean) < 0.05
    assert clean.sum() < 1.15 * (writing() > 0).sum()


def test_what_stands_in_a_box_is_kept_and_the_rest_is_not() -> None:
    """The frame, its bars and the caption outside it go."""
    strength = writing()
    for left in (40, 100, 160):
        cv2.rectangle(strength, (left, 30), (left + 60, 92), (2,), 2)
    caption = np.zeros((120, 260), np.uint8)
    cv2.putText(caption, "Amount", (40, 20), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (2,), 1)
    strength = np.maximum(strength, caption)
    clean = without_printed_lines(strength)

    assert lost(strength, clean) < 0.05
    assert clean.sum() < 1.1 * (writing() > 0).sum()


def test_specks_in_a_box_do_not_make_it_a_table() -> None:
    """The frame of a box with digits goes, whatever dust lies between them."""
    strength = np.zeros((120, 320), np.float32)
    cv2.rectangle(strength, (20, 20), (300, 90), (2.0,), 4)
    for left in (40, 110, 180, 250):
        cv2.ellipse(strength, (left + 15, 55), (14, 24), 0, 0, 360, (2.0,), 4)
    strength[30:33, 85:88] = strength[75:78, 155:158] = 2.0
    clean = without_printed_lines(strength)

    assert not clean[:26].any() and not clean[86:].any()
    assert not clean[:, :26].any() and not clean[:, 296:].any()
    assert clean[30:80, 35:75].any()


def test_a_digit_is_not_a_box() -> None:
    """An 8 that is drawn with a ruler stays whole."""
    strength = np.zeros((200, 200), np.float32)
    cv2.rectangle(strength, (60, 40), (130, 160), (2,), 3)
    cv2.line(strength, (60, 100), (130, 100), (2,), 3)

    assert np.array_equal(without_printed_lines(strength), strength > 0)


def test_the_bars_of_digits_are_no_rules() -> None:
    """Writing without any lines comes back as it was."""
    assert np.array_equal(without_printed_lines(writing()), writing() > 0)


def test_an_empty_page_stays_empty() -> None:
    """There is nothing to find."""
    assert not without_printed_lines(np.zeros((50, 50), np.float32)).any()
