"""Renders a page and its reading as one picture: what was found where, with which probability."""

from dataclasses import replace

import cv2
import numpy as np

from digitwatch.log_codes import Status
from digitwatch.recognition.annotation.class_card import ranking
from digitwatch.recognition.annotation.digit_card import CARD, label, large_card, percent, small_card
from digitwatch.recognition.annotation.palette import (
    AMBER,
    BLUE,
    CREAM,
    GREEN,
    GREY,
    INK,
    PALETTE,
    WHITE,
    blank,
    png,
    toned,
)
from digitwatch.recognition.annotation.text import fill, fitted, lettering, paste, write
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.result import Digit, Reading

_BADGES = {
    Status.OK: ("✔ ok", GREEN),
    Status.REVIEW: ("⚠ review – please check", AMBER),
    Status.EMPTY: ("○ empty", GREY),
}
_MARK_BELOW = 0.95  # in a reading to be reviewed, digits less probable than this are marked
_MARGIN = 20
_GAP = 4
_NARROW, _WIDE = 652, 960  # pixels: width of four and of six cards
_MOST_CARDS = 24  # with more digits than this, only the least certain are shown
_MIN_DIGIT_PX = 16  # where digits would be less than this many pixels high, only the part that holds them is shown
_MANY_DIGITS = 60  # with more digits than this, the page is shown larger and its marks smaller


def annotate(page: Page, reading: Reading, title: str) -> bytes:
    """Return a page with its reading as a picture.

    `page` lies as it was read, that is turned by `reading.turn`; `title` is any text, usually the name of the
    file. Returns a PNG, with a palette for a grey page, in full colour for a coloured one. The picture shows the page
    with a box and a digit on each find, the 28x28 pixels that the model saw, its probabilities as bars, and
    prediction, confidence and status in words.
    """
    doubtful = _doubtful(reading)
    body = _body if len(reading.digits) > 1 else _single_body
    below = body(page, reading, doubtful)
    above = _header(reading, title, doubtful, below.shape[1])
    return png(np.vstack([above if below.ndim == 2 else PALETTE[above], below]))


def _doubtful(reading: Reading) -> frozenset[int]:
    """Return the numbers of the digits to check: none unless the reading is to be reviewed."""
    if reading.status != Status.REVIEW or not reading.digits:
        return frozenset()
    probabilities = [digit.probability for digit in reading.digits]
    low = frozenset(k for k, p in enumerate(probabilities) if p < _MARK_BELOW)
    return low or frozenset([int(np.argmin(probabilities))])


# -- the head: name, prediction, status


def _header(reading: Reading, title: str, doubtful: frozenset[int], width: int) -> np.ndarray:
    notes = _notes(reading, doubtful)
    sheet = np.full((88 + (12 + 18 * len(notes) if notes else 0), width), WHITE, np.uint8)
    status, colour = _BADGES[reading.status]
    badge = lettering(status, 15, bold=True, ink=WHITE, ground=colour)
    room = width - 3 * _MARGIN - badge.shape[1]
    fill(sheet, (width - _MARGIN - badge.shape[1] - 20, 12, badge.shape[1] + 20, 28), colour)
    paste(sheet, badge, width - _MARGIN - badge.shape[1] - 10, 16)
    write(sheet, (_MARGIN, 12), fitted(title, 13, room), 13, GREY)
    about = lettering(_about(reading), 11, ink=GREY, ground=WHITE)
    paste(sheet, about, width - _MARGIN - about.shape[1], 72)
    if reading.digits:
        sure = lettering(f"confidence {percent(reading.confidence)}", 14, ink=INK, ground=WHITE)
        paste(sheet, sure, width - _MARGIN - sure.shape[1], 50)
        size = 40 if len(reading.written) < 18 else 24
        write(sheet, (_MARGIN, 32), fitted(reading.written, size, room, bold=True), size, INK, bold=True)
    else:
        write(sheet, (_MARGIN, 40), "nothing found" if reading.labels else "no digits found", 24, GREY)
    if notes:
        fill(sheet, (0, 86, width, sheet.shape[0] - 92), CREAM)
        for line, note in enumerate(notes):
            fit = fitted(note, 13, width - 2 * _MARGIN, bold=line == 0)
            words = lettering(fit, 13, bold=line == 0, ink=INK, ground=CREAM)
            paste(sheet, words, _MARGIN, 90 + 18 * line)
    return sheet


def _about(reading: Reading) -> str:
    """Return the number of digits, where there are several rows, and the turn of the page."""
    count, rows = len(reading.digits), len(reading.rows)
    parts = [f"{count:,} digits in {rows} rows"] if rows > 1 else []
    parts += [f"page turned {reading.turn}° clockwise to be read"] if reading.turn else []
    return ", ".join(parts)


def _notes(reading: Reading, doubtful: frozenset[int]) -> list[str]:
    """Return in words why and where the reading should be checked."""
    if reading.status == Status.OK:
        return []
    notes = [f"{'Please check' if reading.status == Status.REVIEW else 'Nothing to read'}: {reading.reason}"]
    if doubtful:
        least = min(doubtful, key=lambda k: reading.digits[k].probability)
        notes.append(f"{_place(reading, least)} {_answers(reading.digits[least], reading.labels)}")
    if len(doubtful) > 1:
        notes.append(f"{len(doubtful)} of {len(reading.digits):,} digits are marked with “?”")
    return notes


def _answers(digit: Digit, labels: tuple[str, ...]) -> str:
    """Return the two most probable answers, as the end of a sentence."""
    text = f"is most likely {digit.text} ({percent(digit.probability)})"
    names = labels or tuple(label(k) if k < 10 else "not a digit" for k in range(len(digit.probabilities)))
    others = [int(k) for k in np.argsort(digit.probabilities)[::-1] if names[k] != digit.text]
    if not others or digit.probabilities[others[0]] < 0.01:
        return text
    return f"{text}, or {names[others[0]]} ({percent(float(digit.probabilities[others[0]]))})"


def _place(reading: Reading, number: int) -> str:
    if len(reading.digits) == 1:
        return "It" if reading.labels else "The digit"
    if len(reading.rows) == 1:
        return f"Least certain: digit {number + 1} of {len(reading.digits)}"
    row, column = _position(reading, number)
    return f"Least certain: digit {column} in row {row}"


def _position(reading: Reading, number: int) -> tuple[int, int]:
    for row, digits in enumerate(reading.rows, 1):
        if number < len(digits):
            return row, number + 1
        number -= len(digits)
    raise IndexError(number)


# -- the page with its finds, and the digits' cards below or beside it


def _single_body(page: Page, reading: Reading, doubtful: frozenset[int]) -> np.ndarray:
    bare = replace(reading, rows=()) if reading.labels else reading  # a box around the whole page would hide it
    picture = _marked(page, bare, doubtful, (340, 300))
    sheet = blank(max(310, picture.shape[0] + 14), _NARROW, WHITE, picture)
    paste(sheet, picture, _MARGIN + (340 - picture.shape[1]) // 2, 0)
    for digit in reading.digits:
        marked = bool(doubtful)
        card = ranking(digit, reading.labels, marked) if reading.labels else large_card(digit, marked)
        paste(sheet, card, 382, 0)
    return sheet


def _body(page: Page, reading: Reading, doubtful: frozenset[int]) -> np.ndarray:
    few = len(reading.digits) <= 8 and page.image.shape[1] < 2.5 * page.image.shape[0]
    width, cards_across = (_NARROW, 4) if few else (_WIDE, 6)
    room = width - 2 * _MARGIN
    picture = _marked(page, reading, doubtful, (room, 560 if len(reading.digits) <= _MANY_DIGITS else 1300))
    shown, heading = _shown(reading)
    rows = -(-len(shown) // cards_across)
    top = picture.shape[0] + 44
    sheet = blank(top + rows * (CARD[1] + _GAP) + 16, width, WHITE, picture)
    paste(sheet, picture, _MARGIN + max(0, room - picture.shape[1]) // 2, 0)
    write(sheet, (_MARGIN, top - 28), heading, 13, GREY)
    for place, number in enumerate(shown):
        row, column = divmod(place, cards_across)
        card = small_card(reading.digits[number], _caption(reading, number), number in doubtful)
        paste(sheet, card, _MARGIN + column * (CARD[0] + _GAP), top + row * (CARD[1] + _GAP))
    return sheet


def _shown(reading: Reading) -> tuple[list[int], str]:
    """Return the numbers of the digits to show on cards, and their captions."""
    digits = reading.digits
    cross = " (✗ not a digit)" if len(digits[0].probabilities) > 10 else ""
    if len(digits) <= _MOST_CARDS:
        return list(range(len(digits))), f"Each digit as the model saw it, and how probable each answer is{cross}:"
    least = sorted(range(len(digits)), key=lambda k: digits[k].probability)[: _MOST_CARDS // 2]
    return least, f"The {len(least)} least certain of {len(digits):,} digits, as the model saw them{cross}:"


def _caption(reading: Reading, number: int) -> str:
    if len(reading.rows) == 1:
        return f"digit {number + 1}"
    row, column = _position(reading, number)
    return f"row {row}, digit {column}"


def _marked(page: Page, reading: Reading, doubtful: frozenset[int], room: tuple[int, int]) -> np.ndarray:
    """Return the page scaled into `room` (width, height) and framed, with a box and a tag on each find."""
    left, top, width, height = _view(page, reading, room)
    image = page.image[top : top + height, left : left + width]
    tallest = max((digit.box.height for digit in reading.digits), default=height)
    enough = 220 if len(reading.digits) <= 1 else 80  # small pages are enlarged until a digit is as tall as this
    scale = min(room[0] / width, room[1] / height, max(1, enough / max(1, tallest)))
    scale = 1 if 1 < scale < 1.25 else scale  # hardly worth the time of resampling
    # a page of two pixels' height must still be visible
    across, down = max(12, round(width * scale)), max(12, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = toned(cv2.resize(_reduced(image, int(1 / scale)), (across, down), interpolation=how))
    if image.shape != page.image.shape:
        paste(picture, lettering(" part of the page ", 11, ink=WHITE, ground=GREY), 0, max(0, down - 13))
    factors = across / width, down / height
    for number, digit in enumerate(reading.digits):
        box = replace(digit.box, left=digit.box.left - left, top=digit.box.top - top)
        _mark(
            picture,
            replace(digit, box=box),
            factors,
            number in doubtful,
            16 if len(reading.digits) <= _MANY_DIGITS else 11,
        )
    framed = blank(picture.shape[0] + 2, picture.shape[1] + 2, GREY, picture)
    framed[1:-1, 1:-1] = picture
    return framed


def _reduced(image: np.ndarray, factor: int) -> np.ndarray:
    """Return the image reduced by a whole factor, which takes a fraction of the time of another one."""
    width, height = (side // factor for side in image.shape[1::-1]) if factor > 1 else (0, 0)
    if not (width and height):
        return image
    whole = image[: height * factor, : width * factor]
    reduced: np.ndarray = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return reduced


def _view(page: Page, reading: Reading, room: tuple[int, int]) -> tuple[int, int, int, int]:
    """Return the part of the page to show (left, top, width, height): all of it, unless the digits would be lost."""
    height, width = page.image.shape[:2]
    boxes = [digit.box for digit in reading.digits]
    tallest = max((box.height for box in boxes), default=height)
    if not boxes or tallest * min(room[0] / width, room[1] / height) >= _MIN_DIGIT_PX:
        return 0, 0, width, height
    around = 2 * tallest
    left = max(0, min(box.left for box in boxes) - around)
    top = max(0, min(box.top for box in boxes) - around)
    right = min(width, max(box.left + box.width for box in boxes) + around)
    bottom = min(height, max(box.top + box.height for box in boxes) + around)
    return left, top, right - left, bottom - top


def _mark(picture: np.ndarray, digit: Digit, factors: tuple[float, float], doubtful: bool, size: int) -> None:
    """Draw a box just outside a digit, and its tag above it; a doubtful one thicker and with a question mark."""
    colour, thick = (AMBER, 3) if doubtful else (BLUE, 2 if size > 11 else 1)
    left = round(digit.box.left * factors[0]) - 2 - thick
    top = round(digit.box.top * factors[1]) - 2 - thick
    right = round((digit.box.left + digit.box.width) * factors[0]) + 2 + thick
    bottom = round((digit.box.top + digit.box.height) * factors[1]) + 2 + thick
    for x, y, w, h in (
        (left, top, right - left, thick),
        (left, bottom - thick, right - left, thick),
        (left, top, thick, bottom - top),
        (right - thick, top, thick, bottom - top),
    ):
        fill(picture, (x, y, w, h), colour)
    text = f"{digit.text}?" if doubtful else digit.text
    tag = lettering(f" {text} " if size > 11 else text, size, bold=True, ink=WHITE, ground=colour)
    above, below = top - tag.shape[0], min(bottom, picture.shape[0] - tag.shape[0])
    paste(picture, tag, max(0, min(left, picture.shape[1] - tag.shape[1])), above if above >= 0 else max(0, below))
