"""The page reader: prepares a page by one hypothesis after another, decodes each, and keeps the best evidence."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitwatch.log_codes import Reason
from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.decoding import review_reason
from digitwatch.recognition.decoding.clutter import classify_only, is_cluttered
from digitwatch.recognition.decoding.expected import Expected
from digitwatch.recognition.decoding.line_decoder import Row, mean_digit_probability, read_rows
from digitwatch.recognition.decoding.split_digit import merge_split_digit
from digitwatch.recognition.evidence import Evidence, choose
from digitwatch.recognition.foreground.page_ink import PageInk
from digitwatch.recognition.hypotheses import Foreground, Hypothesis, Picture
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.networks.line_recognizer import LineRecognizer
from digitwatch.recognition.result import Box, Digit
from digitwatch.recognition.segmentation.text_lines import Component, find_rows

MIN_TURN_COMPONENTS = 3  # components from which on the orientation is judged: alone, a 9 may be a 6
UPRIGHT_PROBABILITY = 0.9  # mean digit probability of an upright page; hardly any page has it upside down
TURN_GAIN = 0.08  # by how much the mean digit probability must be higher after a turn
# The digits of a page share their doubts (pen, paper): the product of their probabilities is too low, and this power
# of it calibrates the confidence. On rows of held-out writers a smaller power fits better; it would be less safe.
CALIBRATION_EXPONENT = 0.8


@dataclass(frozen=True)
class _Layout:
    """The text lines of a foreground `width` pixels wide, turned clockwise by `turn` degrees.

    `scale` is page pixels per pixel of the components.
    """

    rows: list[list[Component]]
    scale: int
    turn: int
    width: int


class PageReader:
    """Reads pages with one model of single digits, and the line recogniser."""

    def __init__(self, classifier: DigitClassifier, line: LineRecognizer, review_below: float) -> None:
        """Take the models, and the confidence under which a reading's status is "review"."""
        self._classifier = classifier
        self._line = line
        self._digits = [k for k in range(len(classifier.labels)) if k != classifier.reject]
        self._review_below = review_below

    def read(self, page: PageInk, hypotheses: Sequence[Hypothesis]) -> Evidence:
        """Return the graded evidence of the hypotheses together: of the first, and of those others that apply."""
        first, *fallbacks = hypotheses
        best = self._decode(page, first).graded(self._review_below)
        for hypothesis in fallbacks:
            if not hypothesis.applies(best):
                continue
            found = self._decode(page, hypothesis).graded(self._review_below)
            if hypothesis.accepts(found):
                best = choose(best, found, hypothesis.trust).graded(self._review_below)
        return best

    def _decode(self, page: PageInk, hypothesis: Hypothesis) -> Evidence:
        """Return what is found on the page as the hypothesis prepares it."""
        prepared = hypothesis.prepare(page)
        if isinstance(prepared, Foreground):
            return self._decode_foreground(prepared, page.page.expected)
        if prepared is None:
            return Evidence((), 1.0, notes=(review_reason.ONE_COLOUR,))
        return self._classify(page.page, prepared)

    def _classify(self, page: Page, picture: Picture) -> Evidence:
        """Return what a picture shows as a whole."""
        probabilities = self._classifier(picture.pixels[None])[0]
        digit = self._digit(picture.pixels, probabilities, _all_of(page))
        return Evidence(((digit,),), digit.probability, doubts=(self._weakest([digit], 1.0),))

    def _decode_foreground(self, page: Foreground, expected: Expected | None) -> Evidence:
        """Return the digits of a foreground, on which something may be expected."""
        rows = find_rows(page.strength, page.mask, page.min_height_px)
        turn, rows = self._best_turn(page.strength, page.mask, rows)
        width = page.mask.shape[0 if turn in (90, 270) else 1]
        return self._read_rows(_Layout(rows, page.scale, turn, width), expected)

    def _best_turn(
        self, strength: Floats, mask: Pixels, upright: list[list[Component]]
    ) -> tuple[int, list[list[Component]]]:
        """Return by how many degrees the page must be turned clockwise to be read best, and its rows then."""
        if sum(map(len, upright)) < MIN_TURN_COMPONENTS:
            return 0, upright
        probability = mean_digit_probability(upright, self._classifier, self._digits)
        best, most = (0, upright), max(UPRIGHT_PROBABILITY, probability + TURN_GAIN)
        for turn in (90, 180, 270) if probability < UPRIGHT_PROBABILITY else ():
            rows = find_rows(np.rot90(strength, -turn // 90), np.rot90(mask, -turn // 90))
            probability = mean_digit_probability(rows, self._classifier, self._digits)
            if probability > most and sum(map(len, rows)) >= MIN_TURN_COMPONENTS:
                best, most = (turn, rows), probability
        return best

    def _read_rows(self, page: _Layout, expected: Expected | None) -> Evidence:
        """Return the digits of a page's text lines; what is expected stands in one."""
        rows, merged = merge_split_digit(page.rows, self._classifier, self._digits)
        cluttered = is_cluttered(rows, self._classifier, self._digits)
        if cluttered:
            read = classify_only(rows, self._classifier)
        else:
            steered = None if expected is None or len(rows) > 1 else expected.digits
            sides = 0, page.width
            read = read_rows(rows, self._classifier, self._line, self._digits, sides=sides, expected=steered)
        read = [row for row in read if row.candidates]
        if not read:
            return Evidence((), 1.0, page.turn, notes=(review_reason.EMPTY,))
        digits = tuple(self._placed(row, page.scale) for row in read)
        every = [digit for row in digits for digit in row]
        segmented = [merged, *(row.certainty for row in read)]
        confidence = float(np.prod([digit.probability for digit in every]) * np.prod(segmented))
        confidence **= CALIBRATION_EXPONENT if len(every) > 1 else 1.0
        doubts = self._weakest(every, min(segmented)), *((review_reason.CLUTTER,) if cluttered else ())
        notes = (review_reason.turned(page.turn),) if page.turn else ()
        return Evidence(digits, confidence, page.turn, notes, doubts)

    def _weakest(self, digits: list[Digit], certainty: float) -> Reason:
        """Return the reason that the weakest digit, or a segmentation of this least probability, gives for review."""
        probabilities = np.stack([digit.probabilities for digit in digits])
        return review_reason.weakest(probabilities, certainty, self._classifier.labels, self._classifier.reject)

    def _placed(self, row: Row, scale: int) -> tuple[Digit, ...]:
        """Return the digits of a row, those of its text or else the most probable ones, at their places on the page."""
        placed = []
        for number, each in enumerate(row.candidates):
            part = each.component
            box = Box(part.left * scale, part.top * scale, part.width * scale, part.height * scale)
            known = self._digits[int(row.text[number])] if row.text else None
            placed.append(self._digit(each.glyph, each.probabilities, box, known))
        return tuple(placed)

    def _digit(self, glyph: Pixels, probabilities: Floats, box: Box, known: int | None = None) -> Digit:
        """Return the digit of a known class, or the most probable one."""
        best = max(self._digits, key=lambda k: probabilities[k]) if known is None else known
        return Digit(self._classifier.labels[best], float(probabilities[best]), box, glyph, probabilities)


def _all_of(page: Page) -> Box:
    """Return the box that holds the whole page."""
    height, width = page.image.shape[:2]
    return Box(0, 0, width, height)
