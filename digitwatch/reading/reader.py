"""A page to its reading: the chain of ink, segments, pictures and probabilities, and how far to trust it."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitwatch.reading.classifier import Classifier
from digitwatch.reading.images import ImageError, Page, decode
from digitwatch.reading.ink import Ink, find_ink
from digitwatch.reading.rows import Guess, read_rows
from digitwatch.reading.rules import without_rules
from digitwatch.reading.segment import find_rows

Pixels = NDArray[np.uint8]


BADLY = 0.8  # mean probability of the digits below which a page is also tried on its side and upside down
WELL, TURN_GAIN = 0.9, 0.15  # what that mean must be there, and by how much it must be better


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels of the page as it was read, that is after its turn."""

    left: int
    top: int
    width: int
    height: int


@dataclass(frozen=True)
class Digit:
    """One digit: its text, the probability that it is right, where it stands and what the model saw.

    `glyph` is (28, 28) uint8, 255 = ink; `probabilities` (classes,) float32 in the order of
    the model's labels.
    """

    text: str
    probability: float
    box: Box
    glyph: Pixels
    probabilities: NDArray[np.float32]


@dataclass(frozen=True)
class Reading:
    """What is on one page.

    Attributes:
        rows: the digits, row by row from the top, each row from the left.
        confidence: calibrated probability, 0 to 1, that the whole text is right.
        status: "ok" (no need to look), "review" or "empty".
        reason: why the status is not "ok", in a few words; empty when it is.
        turn: by how many degrees the page was turned clockwise to be read: 0, 90, 180 or 270.
    """

    rows: tuple[tuple[Digit, ...], ...]
    confidence: float
    status: str
    reason: str
    turn: int

    @property
    def digits(self) -> tuple[Digit, ...]:
        """All digits in reading order."""
        return tuple(digit for row in self.rows for digit in row)

    @property
    def text(self) -> str:
        """The digits as text, rows separated by one space."""
        return " ".join("".join(digit.text for digit in row) for row in self.rows)


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
        self._classifier = Classifier.load(locate(model))
        labels = self._classifier.labels
        self._digits = [k for k in range(len(labels)) if k != self._classifier.reject]
        self._review_below = self._classifier.card["review_below"] if review_below is None else review_below
        self._max_pixels = max_pixels

    @property
    def model(self) -> str:
        """The model's name and the short hash of its file."""
        return self._classifier.name

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
        ink = find_ink(page.grey)
        mask = without_rules(ink.strength)
        reading = self._read_turned(ink, mask, 0)
        if not self._may_be_turned(reading):
            return page, reading
        turned = [self._read_turned(ink, mask, turn) for turn in (90, 180, 270)]
        best = max(turned, key=_legibility)
        if len(best.digits) < 3 or _legibility(best) < max(WELL, _legibility(reading) + TURN_GAIN):
            return page, reading
        image = np.ascontiguousarray(np.rot90(page.image, -best.turn // 90))
        return Page(page.number, image), best

    def _may_be_turned(self, reading: Reading) -> bool:
        """Tell whether the page reads so badly that it may lie on its side or upside down.

        One digit or two do not tell: a 6 is a 9 then.
        """
        return len(reading.digits) >= 3 and _legibility(reading) < BADLY

    def _read_turned(self, ink: Ink, mask: Pixels, turn: int) -> Reading:
        """Read the page turned clockwise by 0, 90, 180 or 270 degrees."""
        quarters = -turn // 90
        rows = find_rows(np.rot90(ink.strength, quarters), np.rot90(mask, quarters))
        read = [row for row in read_rows(rows, self._classifier, self._digits) if row.guesses]
        if not read:
            return Reading((), 1.0, "empty", "no ink on the page", turn)
        digits = tuple(tuple(self._digit(guess, ink.factor) for guess in row.guesses) for row in read)
        confidence = float(np.prod([digit.probability for row in digits for digit in row]))
        confidence *= float(np.prod([row.certainty for row in read]))
        reasons = [f"turned by {turn} degrees"] if turn else []
        if confidence < self._review_below:
            reasons.append(self._doubt(digits, [row.certainty for row in read]))
        status = "review" if confidence < self._review_below else "ok"
        return Reading(digits, confidence, status, "; ".join(reasons), turn)

    def _doubt(self, rows: tuple[tuple[Digit, ...], ...], certainties: list[float]) -> str:
        """Say in a few words what makes a reading doubtful."""
        digits = [digit for row in rows for digit in row]
        reject = self._classifier.reject
        strange = 0 if reject is None else sum(digit.probabilities[reject] > 0.5 for digit in digits)
        if strange:
            return "not a digit" if len(digits) == 1 else f"{strange} of {len(digits)} marks are not digits"
        worst = min(digits, key=lambda digit: digit.probability)
        if min(certainties) < worst.probability:
            return "digits touch or are broken: they can be parted in several ways"
        where = "" if len(digits) == 1 else f"digit {digits.index(worst) + 1} "
        second = np.argsort(worst.probabilities)[-2]
        return f"{where}may be {worst.text} or {self._classifier.labels[second]}"

    def _digit(self, guess: Guess, factor: int) -> Digit:
        """Return the most probable digit for one guess."""
        best = max(self._digits, key=lambda k: guess.probabilities[k])
        piece = guess.piece
        box = Box(piece.left * factor, piece.top * factor, piece.width * factor, piece.height * factor)
        probability = float(guess.probabilities[best])
        return Digit(self._classifier.labels[best], probability, box, guess.glyph, guess.probabilities)


def _legibility(reading: Reading) -> float:
    """Return the mean probability of the digits, 0 when there are none."""
    return float(np.mean([digit.probability for digit in reading.digits])) if reading.digits else 0.0


def locate(model: Path | str) -> Path:
    """Return the path of a bundled model given by its name, or the given path."""
    bundled = Path(str(resources.files("digitwatch.models"))) / f"{model}.tflite"
    return bundled if bundled.exists() else Path(model)
