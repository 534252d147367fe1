"""Renders a page and its reading as one picture: what was found where, with which probability."""

from dataclasses import replace

import numpy as np

from digitwatch.recognition.annotation.certainty import Certainty, certainty
from digitwatch.recognition.annotation.class_card import ranking
from digitwatch.recognition.annotation.digit_card import CARD, large_card, small_card
from digitwatch.recognition.annotation.header import MARGIN, header, position
from digitwatch.recognition.annotation.marks import MANY_DIGITS, marked
from digitwatch.recognition.annotation.palette import GREY, PALETTE, WHITE, blank, png
from digitwatch.recognition.annotation.text import paste, write
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.result import Reading

_GAP = 4
_NARROW, _WIDE = 652, 960  # pixels: width of four and of six cards
_MOST_CARDS = 24  # with more digits than this, only the least certain are shown


def annotate(page: Page, reading: Reading, title: str) -> bytes:
    """Return a page with its reading as a picture.

    `page` lies as it was read, that is turned by `reading.turn`; `title` is any text, usually the name of the
    file. Returns a PNG, with a palette for a grey page, in full colour for a coloured one. The picture shows the page
    with a box and a digit on each find, the 28x28 pixels that the model saw, its probabilities as bars, and
    prediction, confidence and status in words. Words are one grey box.
    """
    certain = certainty(reading)
    body = _body if len(reading.digits) > 1 else _single_body
    below = body(page, reading, certain)
    above = header(reading, title, certain, below.shape[1])
    return png(np.vstack([above if below.ndim == 2 else PALETTE[above], below]))


def _single_body(page: Page, reading: Reading, certain: Certainty) -> np.ndarray:
    bare = replace(reading, rows=()) if reading.labels else reading  # a box around the whole page would hide it
    room = 340 if reading.digits else _NARROW - 2 * MARGIN
    picture = marked(page, bare, certain, (room, 300))
    sheet = blank(max(310, picture.shape[0] + 14), _NARROW, WHITE, picture)
    paste(sheet, picture, MARGIN + (room - min(room, picture.shape[1])) // 2, 0)
    for number, digit in enumerate(reading.digits):
        colour = certain.colour(number)
        card = ranking(digit, reading.labels, colour) if reading.labels else large_card(digit, colour)
        paste(sheet, card, 382, 0)
    return sheet


def _body(page: Page, reading: Reading, certain: Certainty) -> np.ndarray:
    few = len(reading.digits) <= 8 and page.image.shape[1] < 2.5 * page.image.shape[0]
    width, cards_across = (_NARROW, 4) if few else (_WIDE, 6)
    room = width - 2 * MARGIN
    picture = marked(page, reading, certain, (room, 560 if len(reading.digits) <= MANY_DIGITS else 1300))
    shown, heading = _shown(reading, certain)
    rows = -(-len(shown) // cards_across)
    top = picture.shape[0] + 44
    sheet = blank(top + rows * (CARD[1] + _GAP) + (16 if rows else 0), width, WHITE, picture)
    paste(sheet, picture, MARGIN + max(0, room - picture.shape[1]) // 2, 0)
    write(sheet, (MARGIN, top - 28), heading, 13, GREY)
    for place, number in enumerate(shown):
        row, column = divmod(place, cards_across)
        card = small_card(reading.digits[number], _caption(reading, number), certain.colour(number))
        paste(sheet, card, MARGIN + column * (CARD[0] + _GAP), top + row * (CARD[1] + _GAP))
    return sheet


def _shown(reading: Reading, certain: Certainty) -> tuple[list[int], str]:
    """Return the numbers of the digits to show on cards, those in words left out, and the heading of the cards."""
    digits = reading.digits
    cross = " (✗ not a digit)" if len(digits[0].probabilities) > 10 else ""
    alone = [number for number in range(len(digits)) if number not in certain.in_words]
    if not alone:
        return [], "Nothing here looks like a number."
    if len(alone) <= _MOST_CARDS:
        return alone, f"Each digit as the model saw it, and how probable each answer is{cross}:"
    # digits to be checked come before marks that are probably none, which need no check
    ranked = sorted(alone, key=lambda number: (number in certain.unlikely, digits[number].probability))
    least = ranked[: _MOST_CARDS // 2]
    return least, f"The {len(least)} least certain of {len(alone):,} digits, as the model saw them{cross}:"


def _caption(reading: Reading, number: int) -> str:
    if len(reading.rows) == 1:
        return f"digit {number + 1}"
    row, column = position(reading, number)
    return f"row {row}, digit {column}"
