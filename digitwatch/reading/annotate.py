"""A page and its reading to one picture that explains itself: what was found where, and how far to trust it."""

import cv2
import numpy as np

from digitwatch.reading.cards import CARD, label, large_card, percent, small_card
from digitwatch.reading.images import Page
from digitwatch.reading.lettering import (
    AMBER,
    BLUE,
    CREAM,
    GREEN,
    GREY,
    INK,
    WHITE,
    fill,
    fitted,
    lettering,
    paste,
    write,
)
from digitwatch.reading.reader import Digit, Reading

_BADGES = {"ok": ("✔ ok", GREEN), "review": ("⚠ review – please check", AMBER), "empty": ("○ empty", GREY)}
_DOUBTFUL = 0.95  # in a reading to be reviewed, digits less probable than this are marked
_MARGIN = 20
_CARDS_ACROSS, _GAP = 6, 4
_MOST_CARDS = 24  # with more digits than this, only the least certain are shown
_PNG = [cv2.IMWRITE_PNG_COMPRESSION, 1, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
if hasattr(cv2, "IMWRITE_PNG_FILTER"):  # one filter instead of trying them all on each line: half the time
    _PNG += [cv2.IMWRITE_PNG_FILTER, cv2.IMWRITE_PNG_FILTER_UP]


def annotate(page: Page, reading: Reading, title: str) -> bytes:
    """Draw a page with its reading.

    `page` lies as it was read, that is turned by `reading.turn`; `title` is any text, usually the name of the
    file. Returns a PNG, 8 bits, in colour. The picture shows the page with a box and a digit on each find, the 28x28
    pixels that the model saw, its probabilities as bars, and prediction, confidence and status in words.
    """
    doubtful = _doubtful(reading)
    single = len(reading.digits) <= 1
    width = 640 if single else 960
    header = _header(reading, title, doubtful, width)
    body = _single_body(page, reading, doubtful) if single else _body(page, reading, doubtful)
    done, png = cv2.imencode(".png", np.vstack([header, body]), _PNG)
    if not done:
        raise RuntimeError("OpenCV could not write a PNG")
    return bytes(png)


def _doubtful(reading: Reading) -> frozenset[int]:
    """Return the numbers of the digits to look at: none unless the reading is to be reviewed."""
    if reading.status != "review" or not reading.digits:
        return frozenset()
    probabilities = [digit.probability for digit in reading.digits]
    low = frozenset(k for k, p in enumerate(probabilities) if p < _DOUBTFUL)
    return low or frozenset([int(np.argmin(probabilities))])


# -- the head: name, prediction, status


def _header(reading: Reading, title: str, doubtful: frozenset[int], width: int) -> np.ndarray:
    notes = _notes(reading, doubtful)
    sheet = np.full((88 + (12 + 18 * len(notes) if notes else 0), width, 3), 255, np.uint8)
    status, colour = _BADGES[reading.status]
    badge = lettering(status, 15, bold=True, ink=WHITE, ground=colour)
    room = width - 3 * _MARGIN - badge.shape[1]
    fill(sheet, (width - _MARGIN - badge.shape[1] - 20, 12, badge.shape[1] + 20, 28), colour)
    paste(sheet, badge, width - _MARGIN - badge.shape[1] - 10, 16)
    about = _about(reading)
    name = fitted(title, 13, room - 7 * len(about))
    write(sheet, (_MARGIN, 12), f"{name}   {about}", 13, GREY)
    if reading.digits:
        sure = lettering(f"confidence {percent(reading.confidence)}", 14, ink=INK, ground=WHITE)
        paste(sheet, sure, width - _MARGIN - sure.shape[1], 50)
        size = 40 if len(reading.text) < 18 else 24
        write(sheet, (_MARGIN, 32), fitted(reading.text, size, room, bold=True), size, INK, bold=True)
    else:
        write(sheet, (_MARGIN, 40), "no digits found", 24, GREY)
    if notes:
        fill(sheet, (0, 86, width, sheet.shape[0] - 92), CREAM)
        for line, note in enumerate(notes):
            fit = fitted(note, 13, width - 2 * _MARGIN, bold=line == 0)
            words = lettering(fit, 13, bold=line == 0, ink=INK, ground=CREAM)
            paste(sheet, words, _MARGIN, 90 + 18 * line)
    return sheet


def _about(reading: Reading) -> str:
    """Say how much was found, if it is more than one row, and how the page was turned to be read."""
    count, rows = len(reading.digits), len(reading.rows)
    parts = [f"{count:,} digits in {rows} rows"] if rows > 1 else []
    parts += [f"page turned {reading.turn}° clockwise to be read"] if reading.turn else []
    return f"({', '.join(parts)})" if parts else ""


def _notes(reading: Reading, doubtful: frozenset[int]) -> list[str]:
    """Say in words why somebody should look, and where."""
    if reading.status == "ok":
        return []
    notes = [f"{'Please check' if reading.status == 'review' else 'Nothing to read'}: {reading.reason}"]
    if doubtful:
        least = min(doubtful, key=lambda k: reading.digits[k].probability)
        digit = reading.digits[least]
        text = f"{_place(reading, least)} is least certain: {digit.text} ({percent(digit.probability)})"
        others = np.argsort(digit.probabilities)[::-1]
        other = next((k for k in others if label(int(k)) != digit.text), None)
        if other is not None and digit.probabilities[other] >= 0.01:
            name = "no digit at all" if other >= 10 else str(other)
            text += f", perhaps {name} ({percent(float(digit.probabilities[other]))})"
        many = f". {len(doubtful)} digits are marked with “?”" if len(doubtful) > 1 else ""
        notes.append(text + many)
    return notes


def _place(reading: Reading, number: int) -> str:
    if len(reading.digits) == 1:
        return "The digit"
    if len(reading.rows) == 1:
        return f"Digit {number + 1} of {len(reading.digits)}"
    row, column = _position(reading, number)
    return f"Row {row}, digit {column}"


def _position(reading: Reading, number: int) -> tuple[int, int]:
    for row, digits in enumerate(reading.rows, 1):
        if number < len(digits):
            return row, number + 1
        number -= len(digits)
    raise IndexError(number)


# -- the page with its finds, and the digits' cards below or beside it


def _single_body(page: Page, reading: Reading, doubtful: frozenset[int]) -> np.ndarray:
    picture = _marked(page, reading, doubtful, (330, 290))
    sheet = np.full((max(310, picture.shape[0] + 14), 640, 3), 255, np.uint8)
    paste(sheet, picture, _MARGIN + (330 - picture.shape[1]) // 2, 0)
    for digit in reading.digits:
        paste(sheet, large_card(digit, bool(doubtful)), 370, 0)
    return sheet


def _body(page: Page, reading: Reading, doubtful: frozenset[int]) -> np.ndarray:
    height = 560 if len(reading.digits) <= 60 else 1300
    picture = _marked(page, reading, doubtful, (920, height))
    shown, heading = _shown(reading)
    rows = -(-len(shown) // _CARDS_ACROSS)
    top = picture.shape[0] + 44
    sheet = np.full((top + rows * (CARD[1] + _GAP) + 16, 960, 3), 255, np.uint8)
    paste(sheet, picture, _MARGIN + (920 - picture.shape[1]) // 2, 0)
    write(sheet, (_MARGIN, top - 28), heading, 13, GREY)
    for place, number in enumerate(shown):
        row, column = divmod(place, _CARDS_ACROSS)
        card = small_card(reading.digits[number], _caption(reading, number), number in doubtful)
        paste(sheet, card, _MARGIN + column * (CARD[0] + _GAP), top + row * (CARD[1] + _GAP))
    return sheet


def _shown(reading: Reading) -> tuple[list[int], str]:
    """Return the numbers of the digits to show closely, and what to call them."""
    digits = reading.digits
    if len(digits) <= _MOST_CARDS:
        return list(range(len(digits))), "Each digit as the model saw it, and how probable each answer is:"
    least = sorted(range(len(digits)), key=lambda k: digits[k].probability)[: _MOST_CARDS // 2]
    return least, f"The {len(least)} least certain of {len(digits):,} digits, as the model saw them:"


def _caption(reading: Reading, number: int) -> str:
    if len(reading.rows) == 1:
        return f"digit {number + 1}"
    row, column = _position(reading, number)
    return f"row {row}, digit {column}"


def _marked(page: Page, reading: Reading, doubtful: frozenset[int], room: tuple[int, int]) -> np.ndarray:
    """Return the page scaled into `room` (width, height) and framed, with a box and a tag on each find."""
    height, width = page.image.shape[:2]
    scale = min(room[0] / width, room[1] / height, 12)
    # a page may be a line of two pixels: it still has to be seen
    across, down = max(12, round(width * scale)), max(12, round(height * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture: np.ndarray = cv2.resize(page.image, (across, down), interpolation=how)
    if picture.ndim == 2:
        picture = cv2.cvtColor(picture, cv2.COLOR_GRAY2BGR)
    factors = across / width, down / height
    for number, digit in enumerate(reading.digits):
        _mark(picture, digit, factors, number in doubtful, 16 if len(reading.digits) <= 60 else 11)
    return np.pad(picture, ((1, 1), (1, 1), (0, 0)), constant_values=GREY[0])


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
    x = min(max(0, left), picture.shape[1] - tag.shape[1])
    paste(picture, tag, x, top - tag.shape[0] if top >= tag.shape[0] else max(0, top))
