"""The reader: a scan to the reading of each of its pages."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np

from digitwatch.log_codes import Reason, ReasonCode, Status
from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.completeness import left_out
from digitwatch.recognition.evidence import unsure
from digitwatch.recognition.foreground.page_ink import PageInk
from digitwatch.recognition.hypotheses import hypotheses, object_hypotheses
from digitwatch.recognition.image.decode import ImageError, Page, decode
from digitwatch.recognition.isolated_line import IsolatedLine
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.networks.foreground_network import ForegroundNetwork
from digitwatch.recognition.networks.line_recognizer import LineRecognizer
from digitwatch.recognition.page_reader import PageReader
from digitwatch.recognition.result import Reading
from digitwatch.recognition.second_reader import SecondReader, for_review

BUNDLED = Path(str(resources.files("digitwatch.models")))


class Reader:
    """Reads scans with one model. Not to be shared between threads or across a fork."""

    def __init__(
        self, model: Path | str = "cnn", *, review_below: float | None = None, max_pixels: int = 200_000_000
    ) -> None:
        """Load the model.

        Args:
            model: the name of a bundled model, or the path of one with or without its ending.
            review_below: confidence under which a reading's status is "review"; None takes the model's own.
            max_pixels: pages with more pixels are refused before they are decoded.

        Raises:
            ModelError: the model cannot be used.
        """
        self._classifier = DigitClassifier.load(locate(model))
        threshold = self._classifier.card["review_below"] if review_below is None else review_below
        self._page_reader = PageReader(self._classifier, LineRecognizer.load(BUNDLED / "line"), threshold)
        self._foreground = ForegroundNetwork.load(BUNDLED / "foreground")
        isolated = IsolatedLine(self._foreground, self._page_reader)
        self._second_reader = SecondReader.load(BUNDLED / "crop", self._classifier.labels, threshold, isolated.read)
        self._review_below = threshold
        self._max_pixels = max_pixels

    @property
    def model(self) -> str:
        """The model's name and the short hash of its file."""
        return self._classifier.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The model's answers, in the order of `Digit.probabilities`."""
        return self._classifier.labels

    def read(self, source: Path | str | bytes | Pixels) -> Reading:
        """Return the reading of a scan of one page.

        Args:
            source: a path, the bytes of a file, or an image: (H, W) or (H, W, 3) uint8 in blue, green, red.

        Raises:
            ImageError: it cannot be decoded, or it has several pages.
            OSError: the path cannot be opened.
        """
        if isinstance(source, np.ndarray):
            return self._read(Page(1, source))[1]
        data = source if isinstance(source, bytes) else Path(source).read_bytes()
        pages = iter(decode(data, self._max_pixels))
        page = next(pages)
        if next(pages, None) is not None:
            raise ImageError("The scan has several pages: use read_pages, which gives a reading for each.")
        return self._read(page)[1].for_review(page.caveats)

    def read_pages(self, data: bytes) -> Iterator[tuple[Page, Reading]]:
        """Yield each page, turned as it was read, with its reading; one page is in memory at a time.

        Raises:
            ImageError: the data, or one of its pages, cannot be decoded.
        """
        for page in self.pages(data):
            yield self.read_page(page)

    def pages(self, data: bytes, first: int = 1) -> Iterator[Page]:
        """Yield the pages of a scan from number `first` on, unread.

        Raises:
            ImageError: the data, or one of its pages, cannot be decoded.
        """
        return decode(data, self._max_pixels, first)

    def read_page(self, page: Page) -> tuple[Page, Reading]:
        """Return the page turned as it was read, and its reading."""
        upright, reading = self._read(page)
        return upright, reading.for_review(page.caveats)

    def _read(self, page: Page) -> tuple[Page, Reading]:
        """Return the page as it was read, and its reading."""
        found = PageInk(page, self._foreground)
        if self._classifier.sorts_pictures:
            best = self._page_reader.read(found, object_hypotheses(self._classifier))
            return page, self._checked(page, best.reading(self._classifier.labels))
        best = self._page_reader.read(found, hypotheses(page.grey))
        upright = found.turned(best.turn)
        reading = self._second_reader.check(upright.page.grey, best.reading(), page.expected)
        return upright.page, self._checked(page, self._complete(upright, reading))

    def _complete(self, page: PageInk, reading: Reading) -> Reading:
        """Return the reading of a page, for review where handwriting is left out."""
        boxes = left_out(page, reading) if reading.status == Status.OK else ()
        if not boxes:
            return reading
        reason = Reason(ReasonCode.INK_LEFT_OUT, "there is more handwriting than these digits")
        return replace(for_review(reading, unsure(reading.confidence, self._review_below), reason), left_out=boxes)

    def _checked(self, page: Page, reading: Reading) -> Reading:
        """Return the reading, for review where a part of the picture is missing: digits may be lost with it."""
        if not page.damage:
            return reading
        return for_review(
            reading, unsure(reading.confidence, self._review_below), Reason(ReasonCode.DAMAGED_FILE, page.damage)
        )


def locate(model: Path | str) -> Path:
    """Return the path of a bundled model given by its name, or the given path."""
    bundled = BUNDLED / f"{model}.tflite"
    return bundled if bundled.exists() else Path(model)
