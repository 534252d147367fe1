"""A page to its reading: the chain of ink, segments, pictures and probabilities, and how far to trust it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitwatch.reading.afar import DOTS, blurred, is_screened, surer
from digitwatch.reading.broken import mend
from digitwatch.reading.classifier import Classifier
from digitwatch.reading.crowd import CROWDED, glimpse, is_crowd
from digitwatch.reading.doubt import doubt
from digitwatch.reading.guess import Guess
from digitwatch.reading.images import ImageError, Page, decode
from digitwatch.reading.ink import FAINTEST, STAMP, find_ink
from digitwatch.reading.line import LineModel
from digitwatch.reading.marks import LEGIBLE
from digitwatch.reading.readings import Box, Digit, Reading
from digitwatch.reading.rests import CUT_OFF, Paper, spanning, without_rests
from digitwatch.reading.rows import legibility, read_rows
from digitwatch.reading.rules import without_rules
from digitwatch.reading.segment import Piece, find_rows
from digitwatch.reading.severed import SEVERED, wholeness
from digitwatch.reading.stamp import agreed, as_it_is
from digitwatch.reading.whole import frame

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]

BUNDLED = Path(str(resources.files("digitwatch.models")))
FEW = 3  # digits from which on a page can be told to lie on its side: alone, a 9 may be a 6
WELL = 0.9  # legibility of a page that lies right; upside down hardly any page has it
# What seems to be an empty page is looked at again, for what no person would take for one.
VERY_FAINT = 10  # grey levels by which ink differs from paper
VERY_SMALL = 5  # pixels that writing is high
CLOSE_TRUST = 0.5  # what is left of the confidence
# What makes one digit doubtful, pen or paper, makes its neighbours so: this power of the product of their probabilities
TOGETHER = 0.8  # fits better. On rows of held-out writers' digits a smaller one would; but what is called sure must be.
SHORT = 20  # digits up to which a page is looked at twice; a longer one is hardly ever sure as a whole
MANY, TURN_TRUST = 6, 0.9  # with fewer marks that is doubtful: "the" upside down is much like 247
TURN_GAIN = 0.08  # by how much a page must be more legible turned


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
        self._line = LineModel.load(BUNDLED / "line")
        self._digits = [k for k in range(len(labels)) if k != self._classifier.reject]
        self._review_below = self._classifier.card["review_below"] if review_below is None else review_below
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
            _, reading = self._look(Page(page.number, blurred(page.grey, DOTS)), FAINTEST, LEGIBLE)
            return _turned(page, reading.turn), reading
        seen = self._look(page, FAINTEST, LEGIBLE)
        if max(page.grey.shape) <= STAMP:
            seen = self._look_at_whole(page, seen)
        elif seen[1].status != "ok" and len(seen[1].digits) <= SHORT:
            seen = self._look_from_afar(page, seen)
        return (self._look_closely(page) or seen) if seen[1].status == "empty" else seen

    def _look_at_whole(self, page: Page, ink: tuple[Page, Reading]) -> tuple[Page, Reading]:
        """Return what the ink of a tiny picture and all of it say together."""
        if ink[1].status == "empty":
            return ink
        picture = as_it_is(find_ink(page.grey).strength)
        guess = Guess(Piece(0, 0, picture), picture, self._classifier(picture[None])[0])
        digit = self._digit(guess, 1)
        height, width = page.grey.shape
        whole = Reading(((replace(digit, box=Box(0, 0, width, height)),),), digit.probability, "review", "", 0)
        return ink[0], agreed(ink[1], whole, self._review_below)

    def _look_from_afar(self, page: Page, near: tuple[Page, Reading]) -> tuple[Page, Reading]:
        """Return what can be read of the page from further away, where that is surer than what was from near."""
        _, far = self._look(Page(page.number, blurred(page.grey)), FAINTEST, LEGIBLE)
        reading = surer(near[1], far, self._review_below)
        return near if reading is None else (_turned(page, reading.turn), reading)

    def _look_closely(self, page: Page) -> tuple[Page, Reading] | None:
        """Return what can be made out on a page that seems empty, for a person to check; None when that is nothing."""
        page, reading = self._look(page, VERY_FAINT, VERY_SMALL)
        likely = [digit.probability > 0.5 for digit in reading.digits]
        if not any(likely) or 2 * sum(likely) < len(likely):  # the paper's own shadows and fibres
            return None
        reason = "; ".join(filter(None, [reading.reason, "very faint or small writing"]))
        return page, replace(reading, confidence=reading.confidence * CLOSE_TRUST, status="review", reason=reason)

    def _look(self, page: Page, faintest: int, legible: int) -> tuple[Page, Reading]:
        """Return the page as it was read, and its reading, from these grey levels of ink and pixels of height on."""
        ink = find_ink(page.grey, faintest=faintest)
        mask = without_rules(ink.strength)
        rows = find_rows(ink.strength, mask, legible)
        whole = wholeness(ink.strength, mask, rows)
        turn, rows = self._best_turn(ink.strength, mask, rows)
        high, wide = mask.shape[::-1] if turn in (90, 270) else mask.shape
        paper = (0, 0, wide, high) if turn or ink.sheet is None else ink.sheet
        return _turned(page, turn), self._read_rows(_Layout(rows, ink.factor, turn, paper, whole))

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
        return Reading(((answer,),), sure, "review", self._doubt(((answer,),), [1.0]), 0, model.labels)

    def _best_turn(self, strength: Floats, mask: Pixels, upright: list[list[Piece]]) -> tuple[int, list[list[Piece]]]:
        """Return by how many degrees the page must be turned clockwise to be read best, and its rows then."""
        if sum(map(len, upright)) < FEW:
            return 0, upright
        well = legibility(upright, self._classifier, self._digits)
        best, most = (0, upright), max(WELL, well + TURN_GAIN)
        for turn in (90, 180, 270) if well < WELL else ():
            rows = find_rows(np.rot90(strength, -turn // 90), np.rot90(mask, -turn // 90))
            well = legibility(rows, self._classifier, self._digits)
            if well > most and sum(map(len, rows)) >= FEW:
                best, most = (turn, rows), well
        return best

    def _read_rows(self, page: "_Layout") -> Reading:
        """Read the pieces of a page."""
        rows, own = without_rests(page.rows, page.paper)
        own *= spanning(rows, page.paper)
        laid = TURN_TRUST if page.turn and sum(map(len, rows)) < MANY else 1.0
        rows, joined = mend(rows, self._classifier, self._digits)
        crowd = is_crowd(rows, self._classifier, self._digits)
        models = self._classifier, self._line, self._digits
        read = glimpse(rows, self._classifier) if crowd else read_rows(rows, *models, sides=page.paper[::2])
        read = [row for row in read if row.guesses]
        if not read:
            return Reading((), 1.0, "empty", "no ink on the page", page.turn)
        digits = tuple(tuple(self._digit(guess, page.factor) for guess in row.guesses) for row in read)
        parted = [joined, *(row.certainty for row in read)]
        confidence = float(np.prod([digit.probability for row in digits for digit in row]) * np.prod(parted))
        confidence = (confidence * own * laid * page.whole) ** (TOGETHER if sum(map(len, digits)) > 1 else 1.0)
        reasons = [f"turned by {page.turn} degrees"] if page.turn else []
        if confidence >= self._review_below:
            return Reading(digits, confidence, "ok", "; ".join(reasons), page.turn)
        if not min(own, laid, page.whole) < min(parted):
            reasons.append(self._doubt(digits, parted))
        reasons += [CUT_OFF] * (own < 1) + [SEVERED] * (page.whole < 1) + [CROWDED] * crowd
        return Reading(digits, confidence, "review", "; ".join(reasons), page.turn)

    def _doubt(self, rows: tuple[tuple[Digit, ...], ...], certainties: list[float]) -> str:
        """Say in a few words what makes a reading doubtful."""
        chances = [digit.probabilities for row in rows for digit in row]
        return doubt(np.stack(chances), min(certainties), self._classifier.labels, self._classifier.reject)

    def _digit(self, guess: Guess, factor: int) -> Digit:
        """Return the most probable digit for one guess."""
        best = max(self._digits, key=lambda k: guess.probabilities[k])
        piece = guess.piece
        box = Box(piece.left * factor, piece.top * factor, piece.width * factor, piece.height * factor)
        probability = float(guess.probabilities[best])
        return Digit(self._classifier.labels[best], probability, box, guess.glyph, guess.probabilities)


@dataclass(frozen=True)
class _Layout:
    """The pieces of a page, turned clockwise by `turn` degrees, on its paper (left, top, right, bottom).

    `factor` pixels of the page are one of theirs, and `whole` is how sure it is that they have all their strokes.
    """

    rows: list[list[Piece]]
    factor: int
    turn: int
    paper: Paper
    whole: float


def _turned(page: Page, turn: int) -> Page:
    """Return the page after a turn clockwise by 0, 90, 180 or 270 degrees."""
    return Page(page.number, np.ascontiguousarray(np.rot90(page.image, -turn // 90))) if turn else page


def locate(model: Path | str) -> Path:
    """Return the path of a bundled model given by its name, or the given path."""
    bundled = BUNDLED / f"{model}.tflite"
    return bundled if bundled.exists() else Path(model)
