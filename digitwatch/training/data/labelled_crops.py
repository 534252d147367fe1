"""Reviewed pages to labelled digits: cut from the originals by the very code that reads."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.image.decode import ImageError
from digitwatch.recognition.reader import Reader
from digitwatch.recognition.result import Reading
from digitwatch.training.data.digits import Digits

HELD_BACK = 4  # one scan in so many is never taught, but shows whether the teaching helped
NOT_A_NUMBER = "x"
GONE, APART, NO_NUMBER = "the original is gone or cannot be read", "the digits are parted otherwise", "no number"


@dataclass(frozen=True)
class Page:
    """A page that a person has looked at.

    scan: SHA-256 of the original, hexadecimal. page: 1-based. text: the digits that stand there, rows parted by a
    space, or NOT_A_NUMBER. load: gives the bytes of the original, or raises OSError.
    """

    scan: str
    page: int
    text: str
    load: Callable[[], bytes]

    @property
    def is_held_back(self) -> bool:
        """Tell whether it is kept from the teaching; by its content, so that it is the same each time."""
        return int(self.scan[:8] or "0", 16) % HELD_BACK == 0


@dataclass(frozen=True)
class LabelledCrops:
    """What reviewed pages hold: their digits with labels, how many pages were read right, and what was passed over."""

    digits: Digits
    pages: int
    right: int
    passed_over: Counter[str]


def cut(reader: Reader, pages: Iterable[Page]) -> LabelledCrops:
    """Read reviewed pages, and label each digit found where there are as many as a person saw.

    A page with another number of digits yields none of them but counts as one that is read, and read wrong.
    """
    pictures: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    passed_over: Counter[str] = Counter()
    read = right = 0
    for page, reading in _readings(reader, pages):
        if page.text == NOT_A_NUMBER or reading is None:
            passed_over[GONE if reading is None else NO_NUMBER] += 1
            continue
        text = page.text.replace(" ", "")
        read += 1
        right += text == reading.text.replace(" ", "")
        if len(text) != len(reading.digits):
            passed_over[APART] += 1
            continue
        pictures += [digit.glyph for digit in reading.digits]
        labels += map(int, text)
    empty = np.zeros((0, 28, 28), np.uint8)
    return LabelledCrops(
        Digits(np.stack(pictures) if pictures else empty, np.array(labels, np.uint8)), read, right, passed_over
    )


def _readings(reader: Reader, pages: Iterable[Page]) -> Iterator[tuple[Page, Reading | None]]:
    """Yield each page with its reading, or None where there is none; each scan is opened once."""
    for _, group in groupby(sorted(pages, key=lambda page: page.scan), key=lambda page: page.scan):
        wanted = list(group)
        found: dict[int, Reading] = {}
        try:
            for sheet, reading in reader.read_pages(wanted[0].load()):
                found[sheet.number] = reading
        except (OSError, ImageError):  # what was read before is kept
            pass
        yield from ((page, found.get(page.page)) for page in wanted)
