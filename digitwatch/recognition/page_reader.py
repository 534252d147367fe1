"""One look at a page: the chain of ink, pieces, pictures and probabilities, and how far to trust it."""

from dataclasses import dataclass

import numpy as np

from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.decoding.candidate import Candidate
from digitwatch.recognition.decoding.clutter import CROWDED, glimpse, is_crowd
from digitwatch.recognition.decoding.line_decoder import legibility, read_rows
from digitwatch.recognition.decoding.review_reason import doubt
from digitwatch.recognition.decoding.split_digit import mend
from digitwatch.recognition.foreground.binarise import FAINTEST, find_ink
from digitwatch.recognition.foreground.form_removal import without_rules
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.networks.line_recognizer import LineRecognizer
from digitwatch.recognition.result import Box, Digit, Reading
from digitwatch.recognition.segmentation.border_fragments import CUT_OFF, Paper, spanning, without_rests
from digitwatch.recognition.segmentation.components import LEGIBLE
from digitwatch.recognition.segmentation.lost_strokes import SEVERED, wholeness
from digitwatch.recognition.segmentation.text_lines import Component, find_rows

FEW = 3  # digits from which on a page can be told to lie on its side: alone, a 9 may be a 6
WELL = 0.9  # legibility of a page that lies right; upside down hardly any page has it
# What makes one digit doubtful, pen or paper, makes its neighbours so: this power of the product of their probabilities
TOGETHER = 0.8  # fits better. On rows of held-out writers' digits a smaller one would; but what is called sure must be.
MANY, TURN_TRUST = 6, 0.9  # with fewer marks that is doubtful: "the" upside down is much like 247
TURN_GAIN = 0.08  # by how much a page must be more legible turned


class PageReader:
    """Looks at pages with one model of single digits, and the line model."""

    def __init__(self, classifier: DigitClassifier, line: LineRecognizer, review_below: float) -> None:
        """Take the models, and the confidence under which a reading's status is "review"."""
        self._classifier = classifier
        self._line = line
        self._digits = [k for k in range(len(classifier.labels)) if k != classifier.reject]
        self._review_below = review_below

    def look(
        self, page: Page, *, faintest: int = FAINTEST, legible: int = LEGIBLE, boost: float = 1.0
    ) -> tuple[Page, Reading]:
        """Return the page as it was read, and its reading, from these grey levels of ink and pixels of height on.

        With a `boost` marks count for so many times stronger when strokes are told from stains.
        """
        ink = find_ink(page.grey, faintest=faintest)
        mask = without_rules(ink.strength)
        rows = find_rows(ink.strength * np.float32(boost) if boost != 1 else ink.strength, mask, legible)
        whole = wholeness(ink.strength, mask, rows)
        turn, rows = self._best_turn(ink.strength, mask, rows)
        high, wide = mask.shape[::-1] if turn in (90, 270) else mask.shape
        paper = (0, 0, wide, high) if turn or ink.sheet is None else ink.sheet
        return turned(page, turn), self._read_rows(_Layout(rows, ink.factor, turn, paper, whole))

    def _best_turn(
        self, strength: Floats, mask: Pixels, upright: list[list[Component]]
    ) -> tuple[int, list[list[Component]]]:
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
        digits = tuple(tuple(self.digit(guess, page.factor) for guess in row.guesses) for row in read)
        parted = [joined, *(row.certainty for row in read)]
        confidence = float(np.prod([digit.probability for row in digits for digit in row]) * np.prod(parted))
        confidence = (confidence * own * laid * page.whole) ** (TOGETHER if sum(map(len, digits)) > 1 else 1.0)
        reasons = [f"turned by {page.turn} degrees"] if page.turn else []
        if confidence >= self._review_below:
            return Reading(digits, confidence, "ok", "; ".join(reasons), page.turn)
        if not min(own, laid, page.whole) < min(parted):
            reasons.append(self.doubt(digits, parted))
        reasons += [CUT_OFF] * (own < 1) + [SEVERED] * (page.whole < 1) + [CROWDED] * crowd
        return Reading(digits, confidence, "review", "; ".join(reasons), page.turn)

    def doubt(self, rows: tuple[tuple[Digit, ...], ...], certainties: list[float]) -> str:
        """Say in a few words what makes a reading doubtful."""
        chances = [digit.probabilities for row in rows for digit in row]
        return doubt(np.stack(chances), min(certainties), self._classifier.labels, self._classifier.reject)

    def digit(self, guess: Candidate, factor: int) -> Digit:
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

    rows: list[list[Component]]
    factor: int
    turn: int
    paper: Paper
    whole: float


def turned(page: Page, turn: int) -> Page:
    """Return the page after a turn clockwise by 0, 90, 180 or 270 degrees."""
    return Page(page.number, np.ascontiguousarray(np.rot90(page.image, -turn // 90))) if turn else page
