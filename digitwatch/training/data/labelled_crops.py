"""Labelled digits from reviewed pages, cut from the originals by the code that reads them."""

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

HELD_OUT = 4  # one scan in four is not learned from but measures the result
NOT_A_NUMBER = "x"
GONE, MISMATCH, NO_NUMBER, FRACTION = (
    "the original is missing or cannot be read",
    "the number of digits differs",
    "the page holds no number",
    "the page holds a fraction",
)


@dataclass(frozen=True)
class Page:
    """A page that a person has reviewed.

    scan: SHA-256 of the original, hexadecimal. page: 1-based. text: the digits on it, rows separated by a
    space, or NOT_A_NUMBER. load: returns the bytes of the original, or raises OSError.
    """

    scan: str
    page: int
    text: str
    load: Callable[[], bytes]

    @property
    def is_held_out(self) -> bool:
        """Return whether it is only used to measure; decided by its content, so that it never changes."""
        return int(self.scan[:8] or "0", 16) % HELD_OUT == 0


@dataclass(frozen=True)
class LabelledCrops:
    """The digits of reviewed pages with labels, the number of pages read and read right, and what was skipped."""

    digits: Digits
    pages: int
    right: int
    skipped: Counter[str]

    @property
    def counts(self) -> dict[str, int]:
        """Return the numbers of pages and digits, for the card of a model."""
        return {"pages": self.pages, "digits": len(self.digits)}


def cut(reader: Reader, pages: Iterable[Page]) -> LabelledCrops:
    """Read reviewed pages, and label the digits of those where as many are found as the person entered.

    A page with another number of digits yields none but counts as read wrong.
    """
    pictures: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    skipped: Counter[str] = Counter()
    read = right = 0
    for page, reading in _readings(reader, pages):
        if page.text == NOT_A_NUMBER or reading is None:
            skipped[GONE if reading is None else NO_NUMBER] += 1
            continue
        text = page.text.replace(" ", "")
        read += 1
        if not text.isascii():
            skipped[FRACTION] += 1
            continue
        right += text == reading.text.replace(" ", "")
        if len(text) != len(reading.digits):
            skipped[MISMATCH] += 1
            continue
        pictures += [digit.glyph for digit in reading.digits]
        labels += map(int, text)
    empty = np.zeros((0, 28, 28), np.uint8)
    return LabelledCrops(
        Digits(np.stack(pictures) if pictures else empty, np.array(labels, np.uint8)), read, right, skipped
    )


def _readings(reader: Reader, pages: Iterable[Page]) -> Iterator[tuple[Page, Reading | None]]:
    """Yield each page with its reading, None if it has none; each scan is opened once."""
    for _, group in groupby(sorted(pages, key=lambda page: page.scan), key=lambda page: page.scan):
        wanted = list(group)
        found: dict[int, Reading] = {}
        try:
            for sheet, reading in reader.read_pages(wanted[0].load()):
                found[sheet.number] = reading
        except (OSError, ImageError):  # the pages before it are kept
            pass
        yield from ((page, found.get(page.page)) for page in wanted)
