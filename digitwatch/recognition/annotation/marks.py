"""The page on an annotated picture: the part that is shown, with a box and a tag on each digit."""

from dataclasses import replace

import cv2
import numpy as np

from digitwatch.recognition.annotation.certainty import Certainty
from digitwatch.recognition.annotation.palette import AMBER, BLUE, GREY, WHITE, Colour, blank, toned
from digitwatch.recognition.annotation.text import fill, lettering, paste
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.result import Box, Digit, Reading

MANY_DIGITS = 60  # with more digits than this, the page is shown larger and its marks smaller
_MIN_DIGIT_PX = 16  # where digits would be less than this many pixels high, only the part that holds them is shown
_TAG, _SMALL_TAG = 16, 11  # pixels: size of the letters
_DASH = 5  # pixels of a dash around writing that is left out, and between two
_WORD_TAG_PX = 70  # a word narrower than this gets a short tag


def marked(page: Page, reading: Reading, certain: Certainty, room: tuple[int, int]) -> np.ndarray:
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
    for box in reading.left_out:
        _dashed(picture, _scaled(box, (left, top), factors))
    boxes = [_scaled(digit.box, (left, top), factors) for digit in reading.digits]
    picture, boxes = _with_room_above(picture, boxes, len(boxes) > MANY_DIGITS)
    _draw(picture, reading, boxes, certain)
    framed = blank(picture.shape[0] + 2, picture.shape[1] + 2, GREY, picture)
    framed[1:-1, 1:-1] = picture
    return framed


def _draw(picture: np.ndarray, reading: Reading, boxes: list[Box], certain: Certainty) -> None:
    """Draw each word as one grey box, and each other digit with its tag, those to be checked last."""
    size = _TAG if len(boxes) <= MANY_DIGITS else _SMALL_TAG
    for word in _joined([_around([boxes[number] for number in word]) for word in certain.words]):
        _mark(picture, word, GREY, " no digits? " if word.width > _WORD_TAG_PX else " ✗ ", _SMALL_TAG)
    alone = [number for number in range(len(boxes)) if number not in certain.in_words]
    for number in sorted(alone, key=lambda number: certain.colour(number) != BLUE):
        colour = certain.colour(number)
        _mark(picture, boxes[number], colour, _tag(reading.digits[number], colour, size), size)


def _tag(digit: Digit, colour: Colour, size: int) -> str:
    text = digit.text if colour == BLUE else "✗" if colour == GREY else f"{digit.text}?"
    return f" {text} " if size == _TAG else text


def _scaled(box: Box, origin: tuple[int, int], factors: tuple[float, float]) -> Box:
    """Return a box in pixels of the picture."""
    left, top = (round((at - start) * by) for at, start, by in zip((box.left, box.top), origin, factors, strict=True))
    right = round((box.left + box.width - origin[0]) * factors[0])
    bottom = round((box.top + box.height - origin[1]) * factors[1])
    return Box(left, top, right - left, bottom - top)


def _around(boxes: list[Box]) -> Box:
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right, bottom = max(box.left + box.width for box in boxes), max(box.top + box.height for box in boxes)
    return Box(left, top, right - left, bottom - top)


def _joined(boxes: list[Box]) -> list[Box]:
    """Return boxes in which those that lie on each other are one."""
    found: list[Box] = []
    for box in boxes:
        joined = box
        while other := next((each for each in found if _overlaps(each, joined)), None):
            found.remove(other)
            joined = _around([other, joined])
        found.append(joined)
    return found


def _overlaps(one: Box, other: Box) -> bool:
    """Return whether two boxes share at least half of the area of the smaller one."""
    across = min(one.left + one.width, other.left + other.width) - max(one.left, other.left)
    down = min(one.top + one.height, other.top + other.height) - max(one.top, other.top)
    return 2 * max(0, across) * max(0, down) >= min(one.width * one.height, other.width * other.height)


def _with_room_above(picture: np.ndarray, boxes: list[Box], small: bool) -> tuple[np.ndarray, list[Box]]:
    """Return picture and boxes, moved down where a tag would otherwise hide the writing below it."""
    tag = (_SMALL_TAG if small else _TAG) * 5 // 4 + 5
    lack = tag - min((box.top for box in boxes), default=tag)
    if lack <= 0:
        return picture, boxes
    above = blank(min(lack, tag), picture.shape[1], WHITE, picture)
    return np.vstack([above, picture]), [replace(box, top=box.top + len(above)) for box in boxes]


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


def _mark(picture: np.ndarray, box: Box, colour: Colour, tag: str, size: int) -> None:
    """Draw a frame just outside a box, and a tag above it; a digit to be checked has a thicker frame."""
    thick = 3 if colour == AMBER else 2 if size > _SMALL_TAG or colour == GREY else 1
    if colour == GREY:
        _frame(picture, box, 4 + thick, thick, WHITE)  # a grey line alone would not show on a grey page
    _frame(picture, box, 2 + thick, thick, colour)
    words = lettering(tag, size, bold=True, ink=WHITE, ground=colour)
    above, below = box.top - 2 - thick - words.shape[0], box.top + box.height + 2 + thick
    left = max(0, min(box.left - 2 - thick, picture.shape[1] - words.shape[1]))
    paste(picture, words, left, above if above >= 0 else max(0, min(below, picture.shape[0] - words.shape[0])))


def _dashed(picture: np.ndarray, box: Box) -> None:
    """Draw a dashed frame on the sides of a box, those that lie in the picture."""
    right, bottom = box.left + box.width, box.top + box.height
    for x in range(box.left, right, 2 * _DASH):
        for y in (box.top - 1, bottom - 1):
            fill(picture, (x, y, min(_DASH, right - x), 2), AMBER)
    for y in range(box.top, bottom, 2 * _DASH):
        for x in (box.left - 1, right - 1):
            fill(picture, (x, y, 2, min(_DASH, bottom - y)), AMBER)


def _frame(picture: np.ndarray, box: Box, outside: int, thick: int, colour: Colour) -> None:
    """Draw the sides of a box, `outside` pixels larger on each side."""
    left, top = box.left - outside, box.top - outside
    across, down = box.width + 2 * outside, box.height + 2 * outside
    for x, y, w, h in (
        (left, top, across, thick),
        (left, top + down - thick, across, thick),
        (left, top, thick, down),
        (left + across - thick, top, thick, down),
    ):
        fill(picture, (x, y, w, h), colour)
