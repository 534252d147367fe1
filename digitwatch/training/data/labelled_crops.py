"""Labelled digits from reviewed pages, cut from the originals by the code that reads them."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from digitwatch.forms.form_reader import FormReader
from digitwatch.forms.schema import Form
from digitwatch.recognition.image.decode import ImageError
from digitwatch.recognition.image.decode import Page as Sheet
from digitwatch.recognition.reader import Reader
from digitwatch.recognition.result import Reading
from digitwatch.training.data.digits import Digits

HELD_OUT = 4  # one scan in four is not learned from but measures the result
NOT_A_NUMBER = "x"
GONE, MISMATCH, NO_NUMBER, FRACTION, NO_FIELD = (
    "the original is missing or cannot be read",
    "the number of digits differs",
    "the page holds no number",
    "the page holds a fraction",
    "the field of a form is not found on the page",
)


@dataclass(frozen=True)
class Page:
    """A page that a person has reviewed, or a field of a form on it.

    scan: SHA-256 of the original, hexadecimal. page: 1-based. text: the digits on it, rows separated by a
    space, or NOT_A_NUMBER. load: returns the bytes of the original, or raises OSError. field: its name or "".
    """

    scan: str
    page: int
    text: str
    load: Callable[[], bytes]
    field: str = ""

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


def cut(reader: Reader, pages: Iterable[Page], forms: Sequence[Form] = ()) -> LabelledCrops:
    """Read reviewed pages, and label the digits of those where as many are found as the person entered.

    A page with another number of digits yields none but counts as read wrong. Fields are cut out by the templates
    `forms`; where none of them fits the page, the field is skipped.
    """
    pictures: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    skipped: Counter[str] = Counter()
    read = right = 0
    for page, reading in _readings(reader, pages, forms):
        if isinstance(reading, str) or page.text == NOT_A_NUMBER:
            skipped[reading if isinstance(reading, str) else NO_NUMBER] += 1
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


def _readings(reader: Reader, pages: Iterable[Page], forms: Sequence[Form]) -> Iterator[tuple[Page, Reading | str]]:
    """Yield each page with its reading, or with the reason why it has none; each scan is opened once."""
    form_reader = FormReader(forms, lambda page: reader.read_page(page)[1]) if forms else None
    for _, group in groupby(sorted(pages, key=lambda page: page.scan), key=lambda page: page.scan):
        wanted = list(group)
        found: dict[tuple[int, str], Reading | str] = {}
        try:
            for sheet in reader.pages(wanted[0].load()):
                names = {page.field for page in wanted if page.page == sheet.number}
                found |= {(sheet.number, name): each for name, each in _sheet(reader, form_reader, sheet, names)}
        except (OSError, ImageError):  # the pages before it are kept
            pass
        yield from ((page, found.get((page.page, page.field), GONE)) for page in wanted)


def _sheet(
    reader: Reader, form_reader: FormReader | None, sheet: Sheet, names: set[str]
) -> Iterator[tuple[str, Reading | str]]:
    """Yield the readings of the named fields of one page; the name "" stands for the whole page."""
    if "" in names:
        yield "", reader.read_page(sheet)[1]
    if fields := names - {""}:
        form = form_reader.read(sheet) if form_reader else None
        readings = {each.field.name: each.reading for each in form.fields} if form else {}
        yield from ((name, readings.get(name, NO_FIELD)) for name in fields)
