"""The upper part of an annotated picture: name, value, confidence and status, and what is to be checked."""

import numpy as np

from digitwatch.log_codes import Status
from digitwatch.recognition.annotation.certainty import UNLIKELY_BELOW, Certainty
from digitwatch.recognition.annotation.digit_card import label, percent
from digitwatch.recognition.annotation.palette import AMBER, CREAM, GREEN, GREY, INK, WHITE
from digitwatch.recognition.annotation.text import fill, fitted, lettering, paste, text_width, wrapped, write
from digitwatch.recognition.result import Digit, Reading

MARGIN = 20  # pixels at the left and at the right
_BADGES = {
    Status.OK: ("✔ ok", GREEN),
    Status.REVIEW: ("⚠ review – please check", AMBER),
    Status.EMPTY: ("○ empty", GREY),
}
_SIZES = (40, 28, 20)  # of a value on one line, the largest that fits
_UNLIKELY_SIZE = 20  # at most, of a value that is probably wrong
_WRAPPED_SIZE = 16  # of a value on several lines
_MOST_LINES = 12  # of a value: a thousand digits
_NOTE_LINES = 3  # of one note


def header(reading: Reading, title: str, certain: Certainty, width: int) -> np.ndarray:
    """Return the header: (H, `width`) uint8, in the colours of the palette."""
    side = _side(reading)
    room = width - 3 * MARGIN - side.shape[1]
    size, lines = _value(reading, room)
    step = size * 5 // 4
    about = _about(reading)
    down = 32 + step * len(lines)
    height = max(down + (18 if about else 0), side.shape[0]) + 6
    strip = _strip(_notes(reading, certain), width)
    sheet = np.full((height + strip.shape[0], width), WHITE, np.uint8)
    paste(sheet, side, width - MARGIN - side.shape[1], 0)
    write(sheet, (MARGIN, 12), fitted(title, 13, room), 13, GREY)
    is_likely = bool(reading.digits) and not _is_unlikely(reading)
    for number, line in enumerate(lines):
        write(sheet, (MARGIN, 32 + step * number), line, size, INK if is_likely else GREY, bold=is_likely)
    write(sheet, (MARGIN, down + 2), fitted(about, 11, width - 2 * MARGIN), 11, GREY)
    sheet[height:] = strip
    return sheet


def _is_unlikely(reading: Reading) -> bool:
    return reading.status == Status.REVIEW and reading.confidence < UNLIKELY_BELOW


def _value(reading: Reading, room: int) -> tuple[int, list[str]]:
    """Return the size of the value and its lines; nothing of it is left out unless it has a thousand digits."""
    if not reading.digits:
        return 24, ["nothing found" if reading.labels else "no digits found"]
    text, unlikely = reading.written, _is_unlikely(reading)
    for size in _SIZES:
        if text_width(text, size, bold=True) <= room and (not unlikely or size <= _UNLIKELY_SIZE):
            return size, [text]
    lines = wrapped(text, _WRAPPED_SIZE, room, bold=True)
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], "… all of it is in the log"]
    return _WRAPPED_SIZE, lines


def _side(reading: Reading) -> np.ndarray:
    """Return the right part: the status, and the confidence below it."""
    status, colour = _BADGES[reading.status]
    badge = lettering(status, 15, bold=True, ink=WHITE, ground=colour)
    text = f"confidence {percent(reading.confidence)}" if reading.digits else " "
    sure = lettering(text, 14, ink=INK, ground=WHITE)
    sheet = np.full((72, max(badge.shape[1] + 20, sure.shape[1])), WHITE, np.uint8)
    fill(sheet, (sheet.shape[1] - badge.shape[1] - 20, 12, badge.shape[1] + 20, 28), colour)
    paste(sheet, badge, sheet.shape[1] - badge.shape[1] - 10, 16)
    paste(sheet, sure, sheet.shape[1] - sure.shape[1], 50)
    return sheet


def _strip(notes: list[str], width: int) -> np.ndarray:
    """Return the notes on a strip of their own, the first one bold."""
    lines = [
        (line, number == 0)
        for number, note in enumerate(notes)
        for line in wrapped(note, 13, width - 2 * MARGIN, bold=number == 0)[:_NOTE_LINES]
    ]
    strip = np.full((18 * len(lines) + 14 if lines else 0, width), CREAM, np.uint8)
    for place, (line, is_bold) in enumerate(lines):
        paste(strip, lettering(line, 13, bold=is_bold, ink=INK, ground=CREAM), MARGIN, 4 + 18 * place)
    strip[-6:] = WHITE
    return strip


def _about(reading: Reading) -> str:
    """Return the number of digits, where there are several rows, and the turn of the page."""
    count, rows = len(reading.digits), len(reading.rows)
    parts = [f"{count:,} digits in {rows} rows"] if rows > 1 else []
    parts += [f"page turned {reading.turn}° clockwise to be read"] if reading.turn else []
    return ", ".join(parts)


def _notes(reading: Reading, certain: Certainty) -> list[str]:
    """Return in words why and where the reading should be checked."""
    if reading.status == Status.OK:
        return []
    notes = [f"{'Please check' if reading.status == Status.REVIEW else 'Nothing to read'}: {reading.reason}"]
    shown = certain.doubtful - certain.in_words or (certain.unlikely if len(reading.digits) == 1 else frozenset())
    if shown:
        least = min(shown, key=lambda number: reading.digits[number].probability)
        notes.append(f"{_place(reading, least)} {_answers(reading.digits[least], reading.labels)}")
    if len(shown) > 1:
        notes.append(f"{len(shown)} of {len(reading.digits):,} digits are marked with “?”")
    if len(reading.digits) > 1 and certain.unlikely:
        notes.append("Marks in grey boxes are probably no digits")
    return notes


def _answers(digit: Digit, labels: tuple[str, ...]) -> str:
    """Return the two most probable answers, as the end of a sentence."""
    text = f"is most likely {digit.text} ({percent(digit.probability)})"
    names = labels or tuple(label(k) if k < 10 else "not a digit" for k in range(len(digit.probabilities)))
    others = [int(k) for k in np.argsort(digit.probabilities)[::-1] if names[k] != digit.text]
    if not others or digit.probabilities[others[0]] < 0.01:
        return text
    other = float(digit.probabilities[others[0]])
    if other > digit.probability and names[others[0]] == "not a digit":
        return f"is probably none ({percent(other)}), else {digit.text} ({percent(digit.probability)})"
    return f"{text}, or {names[others[0]]} ({percent(other)})"


def _place(reading: Reading, number: int) -> str:
    if len(reading.digits) == 1:
        return "It" if reading.labels else "The digit"
    if len(reading.rows) == 1:
        return f"Least certain: digit {number + 1} of {len(reading.digits)}"
    row, column = position(reading, number)
    return f"Least certain: digit {column} in row {row}"


def position(reading: Reading, number: int) -> tuple[int, int]:
    """Return row and column, each from 1, of the digit with a number from 0."""
    for row, digits in enumerate(reading.rows, 1):
        if number < len(digits):
            return row, number + 1
        number -= len(digits)
    raise IndexError(number)
