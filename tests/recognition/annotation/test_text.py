"""Text, colours and rectangles in pixels."""

import numpy as np
import pytest

from digitwatch.recognition.annotation.palette import BLUE, CREAM, INK, PALETTE, WHITE
from digitwatch.recognition.annotation.text import fill, fitted, lettering, paste, printable, text_width, wrapped


@pytest.mark.parametrize("text", ["scan-001.jpg", "Müller_Größe$x^2{}.png", "Счётчик 4"])
def test_ordinary_names_are_kept(text: str) -> None:
    """Letters that the font has stay as they are, signs that mean something to TeX included."""
    assert printable(text) == text


@pytest.mark.parametrize("text", ["a\nb", "a\udcffb", "a\u202eb", "a\x00b"])
def test_what_cannot_be_drawn_becomes_a_box(text: str) -> None:
    """Line ends, undecodable bytes and direction marks take the place of one box."""
    assert printable(text) == "a□b"


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("扫描 7.jpg", "SaoMiao 7.jpg"),
        ("मीटर", "mitr"),
        ("قراءة", "qr'h"),
        ("📷.png", ":camera:.png"),
        ("한글", "HanGeul"),
    ],
)
def test_other_scripts_are_transliterated(text: str, latin: str) -> None:
    """Names in scripts that the font lacks, or that run from right to left, can be told from one another."""
    pytest.importorskip("anyascii")

    assert printable(text) == latin


def test_a_combining_accent_is_joined_to_its_letter() -> None:
    """A name as macOS writes it, with the accent behind the letter, looks like any other."""
    assert printable("e\u0301te\u0301") == "été"


@pytest.mark.parametrize("text", ["12 " * 60, "7" * 300, "12345 67890"])
def test_wrapped_lines_hold_all_of_the_text(text: str) -> None:
    """No line is wider than the space, and only the spaces at which lines were broken are missing."""
    lines = wrapped(text, 16, 200)

    assert max(text_width(line, 16) for line in lines) <= 200
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


def test_lines_of_one_size_are_equally_high() -> None:
    """Pieces of text can be laid side by side: the baseline is always at the same height."""
    stamps = [lettering(text, 20, ink=INK, ground=WHITE) for text in ("0", "x", "gy", " ")]

    assert {stamp.shape[0] for stamp in stamps} == {25}
    bottoms = [np.flatnonzero((stamp < WHITE // 2).any(axis=1)).max() for stamp in stamps[:2]]
    assert bottoms[0] == pytest.approx(bottoms[1], abs=1)


def test_ink_stands_on_its_ground() -> None:
    """The text has the colours that were asked for."""
    stamp = lettering("8", 30, bold=True, ink=WHITE, ground=BLUE)

    assert PALETTE[stamp[0, 0]].tolist() == PALETTE[BLUE].tolist()
    assert PALETTE[WHITE].tolist() in PALETTE[stamp].reshape(-1, 3).tolist()


@pytest.mark.parametrize("text", ["x" * 5000, "W" * 300, "7", ""])
def test_long_lines_are_shortened_in_the_middle(text: str) -> None:
    """Beginning and end of a long name are kept, and it fits."""
    short = fitted(text, 13, 200)

    assert lettering(short, 13, ink=INK, ground=WHITE).shape[1] <= 200
    assert short == text if len(text) < 10 else "…" in short[2:-2]


def test_nothing_is_drawn_outside() -> None:
    """Rectangles and stamps that reach over the edge are cut there."""
    sheet = np.zeros((10, 10), np.uint8)

    fill(sheet, (-5, -5, 7, 7), WHITE)
    paste(sheet, np.full((9, 9), 7, np.uint8), 8, 8)
    fill(sheet, (-9, 2, 5, 5), WHITE)

    assert np.count_nonzero(sheet == WHITE) == 2 * 2
    assert np.count_nonzero(sheet == 7) == 2 * 2


def test_colour_pictures_take_the_colours_themselves() -> None:
    """On three bytes for each pixel, fills and stamps appear in blue, green, red."""
    sheet = np.zeros((4, 4, 3), np.uint8)

    fill(sheet, (0, 0, 2, 2), CREAM)
    paste(sheet, np.full((2, 2), INK, np.uint8), 2, 2)

    assert (sheet[0, 0] == PALETTE[CREAM]).all()
    assert (sheet[3, 3] == PALETTE[INK]).all()
