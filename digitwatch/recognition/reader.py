"""A page to its reading: as many looks at it as it needs, and what they say together."""

from collections.abc import Iterator
from dataclasses import replace
from importlib import resources
from pathlib import Path

import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.decoding.candidate import Candidate
from digitwatch.recognition.fallbacks.blur import DOTS, blurred, is_screened, surer
from digitwatch.recognition.fallbacks.whole_crop import agreed, as_it_is
from digitwatch.recognition.foreground.binarise import STAMP, find_ink
from digitwatch.recognition.image.decode import ImageError, Page, decode
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.networks.digit_image import SIZE, fit
from digitwatch.recognition.networks.letterbox import frame
from digitwatch.recognition.networks.line_recognizer import LineRecognizer
from digitwatch.recognition.page_reader import PageReader, turned
from digitwatch.recognition.result import Box, Digit, Reading
from digitwatch.recognition.segmentation.text_lines import Component

BUNDLED = Path(str(resources.files("digitwatch.models")))
SHORT = 20  # digits up to which a page is looked at twice; a longer one is hardly ever sure as a whole

# A page whose sides are not too different may show a single digit, spoilt; in a tiny picture the model sees past that.
OBLONG = 1.6  # times as long as it is wide, at most
HOPELESS = 0.1  # confidence below which several digits may be one as well
SMALL_TRUST, SMALL = 0.9, "clear only when made small"  # what is left of the confidence, and why

# What seems to be an empty page is looked at again. Nothing so dark is a stain, however soft its edges are.
BOLD, DARK = 1.4, 80  # how much stronger marks count; grey levels from the paper
BOLD_TRUST, SOFT = 0.9, "soft strokes"
# And there may be what no person would take for nothing.
VERY_FAINT = 10  # grey levels by which ink differs from paper
VERY_SMALL = 5  # pixels that writing is high
CLOSE_TRUST, FAINT = 0.5, "very faint or small writing"


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
        self._review_below = self._classifier.card["review_below"] if review_below is None else review_below
        self._looker = PageReader(self._classifier, LineRecognizer.load(BUNDLED / "line"), self._review_below)
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
        """Read a scan of one page.

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
        return self._read(page)[1]

    def read_pages(self, data: bytes) -> Iterator[tuple[Page, Reading]]:
        """Yield each page, turned as it was read, with its reading; one page is in memory at a time.

        Raises:
            ImageError: the data, or one of its pages, cannot be decoded.
        """
        for page in decode(data, self._max_pixels):
            yield self._read(page)

    def _read(self, page: Page) -> tuple[Page, Reading]:
        """Return the page as it was read, and its reading."""
        if self._classifier.sorts_pictures:
            return page, self._sort(page)
        if is_screened(page.grey):
            _, reading = self._looker.look(Page(page.number, blurred(page.grey, DOTS)))
            return turned(page, reading.turn), reading
        seen = self._looker.look(page)
        if max(page.grey.shape) <= STAMP:
            seen = self._look_at_whole(page, seen)
        elif seen[1].status != "ok" and len(seen[1].digits) <= SHORT:
            seen = self._look_at_it_small(page, self._look_from_afar(page, seen))
        return (self._look_boldly(page) or self._look_closely(page) or seen) if seen[1].status == "empty" else seen

    def _look_at_whole(self, page: Page, ink: tuple[Page, Reading]) -> tuple[Page, Reading]:
        """Return what the ink of a tiny picture and all of it say together."""
        if ink[1].status == "empty":
            return ink
        picture = as_it_is(find_ink(page.grey).strength)
        guess = Candidate(Component(0, 0, picture), picture, self._classifier(picture[None])[0])
        digit = self._looker.digit(guess, 1)
        height, width = page.grey.shape
        whole = Reading(((replace(digit, box=Box(0, 0, width, height)),),), digit.probability, "review", "", 0)
        return ink[0], agreed(ink[1], whole, self._review_below)

    def _look_at_it_small(self, page: Page, seen: tuple[Page, Reading]) -> tuple[Page, Reading]:
        """Return what a page that may show one spoilt digit says as a tiny picture, where that is surer, for review."""
        height, width = page.grey.shape
        reading = seen[1]
        lone = len(reading.digits) == 1 or (len(reading.rows) == 1 and reading.confidence < HOPELESS)
        if reading.status != "review" or not lone or not 1 / OBLONG <= width / height <= OBLONG:
            return seen
        tiny = Page(page.number, fit(page.grey, SIZE))
        small = self._look_at_whole(tiny, self._looker.look(tiny))[1]
        sure = small.confidence * SMALL_TRUST
        if len(small.digits) != 1 or sure <= reading.confidence or small.text == reading.text:
            return seen
        digit = replace(small.digits[0], box=Box(0, 0, width, height))
        return page, Reading(((digit,),), sure, "review", SMALL, 0)

    def _look_from_afar(self, page: Page, near: tuple[Page, Reading]) -> tuple[Page, Reading]:
        """Return what can be read of the page from further away, where that is surer than what was from near."""
        _, far = self._looker.look(Page(page.number, blurred(page.grey)))
        reading = surer(near[1], far, self._review_below)
        return near if reading is None else (turned(page, reading.turn), reading)

    def _look_boldly(self, page: Page) -> tuple[Page, Reading] | None:
        """Return what there is of dark but soft strokes, which seem to be stains, for a person to check; or None."""
        page, reading = self._looker.look(page, boost=BOLD)
        if not reading.digits or min(_contrast(page.grey, digit.box) for digit in reading.digits) < DARK:
            return None
        return page, reading.for_review(reading.confidence * BOLD_TRUST, SOFT)

    def _look_closely(self, page: Page) -> tuple[Page, Reading] | None:
        """Return what can be made out on a page that seems empty, for a person to check; None when that is nothing."""
        page, reading = self._looker.look(page, faintest=VERY_FAINT, legible=VERY_SMALL)
        likely = [digit.probability > 0.5 for digit in reading.digits]
        if not any(likely) or 2 * sum(likely) < len(likely):  # the paper's own shadows and fibres
            return None
        return page, reading.for_review(reading.confidence * CLOSE_TRUST, FAINT)

    def _sort(self, page: Page) -> Reading:
        """Say what a whole page shows."""
        model = self._classifier
        picture = frame(page.image, model.shape, model.card["input"].get("ground"))
        if picture is None:
            return Reading((), 1.0, "empty", "nothing on the page: it is of one colour", 0, model.labels)
        probabilities = model(picture[None])[0]
        best = int(probabilities.argmax())
        sure = float(probabilities[best])
        height, width = page.image.shape[:2]
        answer = Digit(model.labels[best], sure, Box(0, 0, width, height), picture, probabilities)
        if sure >= self._review_below:
            return Reading(((answer,),), sure, "ok", "", 0, model.labels)
        return Reading(((answer,),), sure, "review", self._looker.doubt(((answer,),), [1.0]), 0, model.labels)


def _contrast(grey: Pixels, box: Box) -> float:
    """Return by how many grey levels what is in the box differs from the (H, W) page."""
    inside = grey[box.top : box.top + box.height, box.left : box.left + box.width]
    return float(np.abs(np.percentile(inside, [10, 90]) - np.median(grey)).max()) if inside.size else 0.0


def locate(model: Path | str) -> Path:
    """Return the path of a bundled model given by its name, or the given path."""
    bundled = BUNDLED / f"{model}.tflite"
    return bundled if bundled.exists() else Path(model)
