"""Two unlike readers of a line: `ok` only where the crop recogniser reads the same digits, at a fitted confidence."""

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from digitwatch.log_codes import Reason, ReasonCode, Status
from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.decoding import review_reason
from digitwatch.recognition.decoding.expected import Expected, with_prior
from digitwatch.recognition.evidence import is_sure, unsure
from digitwatch.recognition.foreground.binarise import THUMBNAIL_PX
from digitwatch.recognition.line_reader import HALF, LEAST_CHANCE, Line, LineReader, spelt
from digitwatch.recognition.networks import model_files
from digitwatch.recognition.networks.crop_recognizer import CropRecognizer
from digitwatch.recognition.networks.digit_classifier import ModelError
from digitwatch.recognition.number_groups import groups
from digitwatch.recognition.result import Reading
from digitwatch.recognition.segmentation.crop_views import View, around, views

Weights = tuple[float, float, float]
LookAgain = Callable[[View, Expected | None], Reading]

SURE = 0.97  # confidence of the first reader from which on it does not look again
CONTRADICTING = 0.6  # probability of a line from which on it makes a first reader that read otherwise look again
SLASHES = {"/": "1"}  # signs of the second reader that are a digit to the first
PREFERRED = 0.5  # probability of the second text from which on it replaces the first; a thumbnail needs no segmentation
SURER = 0.15  # by how much the confidence of the first text may be higher than that probability
SEPARATED = re.compile(r"\d+([.,:/-]\d+)+")  # texts with signs that may be `ok`; a lone stroke may be a minus, or dirt
FEWEST_TURNED = 6  # digits that prove how a page lies: "the" upside down resembles 247
FEWEST_TALLIES = 3  # strokes side by side that may count something; of numbers of three digits one in 900 is 111
MARK_SHAPES = "01"  # digits that a punched hole, a staple or a stroke beside the writing resembles


class SecondReader:
    """Asks the crop recogniser about pages of one line. Not to be shared between threads or forks."""

    def __init__(
        self,
        lines: LineReader,
        agreement: Weights,
        review_below: float,
        look_again: LookAgain | None = None,
    ) -> None:
        """Take what reads a line, the weights of a logistic regression, and the confidence below which one reviews.

        `agreement` weighs 1, the logit of the first reader's confidence, and the logit of the second's probability,
        where both read the same digits. `look_again` returns what the first reader sees in the writing of a crop alone.
        """
        self._lines, self._agreement, self._review_below = lines, agreement, review_below
        self._look_again = look_again

    @classmethod
    def load(
        cls, stem: Path, labels: Sequence[str], review_below: float, look_again: LookAgain | None = None
    ) -> "SecondReader":
        """Return the reader of the crop model `stem`.tflite and its card; `labels` are a digit's classes.

        Raises:
            ModelError: a file is missing, or is not what a crop model needs.
        """
        content, card = model_files.read(stem)
        try:
            constant, first, second = map(float, card["agreement"])
        except (KeyError, ValueError, TypeError) as error:
            raise ModelError(f"the card of {stem.name} needs three numbers as `agreement`: {error!r}") from error
        model = CropRecognizer(content, float(card["temperature"]))
        return cls(LineReader(model, labels), (constant, first, second), review_below, look_again)

    def check(self, grey: Pixels, reading: Reading, expected: Expected | None = None) -> Reading:
        """Return the reading of an (H, W) uint8 page, with the status and confidence that both readers give it.

        Numbers that stand side by side are parted, except where a sign was read between digits, and where it is known
        what may stand on the page: that is one line.
        """
        if expected is not None:
            return self._check_line(grey, reading, expected)
        checked = self._check_rows(grey, reading) if len(reading.rows) > 1 else self._check_line(grey, reading, None)
        if checked.signs:
            return checked
        parted = [groups(row) for row in checked.rows]
        checked = replace(checked, rows=tuple(number for row in parted for number in row.numbers))
        if checked.status != Status.OK or all(row.clear for row in parted):
            return checked
        reason = Reason(ReasonCode.AMBIGUOUS, "one number with a gap, or several", "gap")
        return for_review(checked, self._unsure(checked.confidence), reason)

    def _check_line(self, grey: Pixels, reading: Reading, expected: Expected | None) -> Reading:
        """Return the reading of one line, or of nothing, with the status and confidence that both readers give it."""
        line = self._lines.read(views(grey, reading.digits), expected)
        if line.free not in (line.symbols, ()):
            reading = replace(reading, free=spelt(line.free))
        same = self.same_digits(reading, line, expected)
        if same is not None:
            agreed = self._agreed(replace(same, free=reading.free), line)
            if reading.digits or agreed.status != Status.OK:
                return agreed
            # All digits were missed at first, so that some may be missed still.
            return for_review(agreed, self._unsure(agreed.confidence), review_reason.FAINT)
        chance = reading.confidence if reading.digits else 0.0
        is_thumbnail = max(grey.shape) <= THUMBNAIL_PX
        needed = max(PREFERRED, chance) if is_thumbnail else max(min(PREFERRED, chance), chance - SURER)
        if (line.digits or line.known) and line.probability >= (needed if line.digits else PREFERRED):
            return self._replaced(grey, reading, line)
        seen = f"a second reader sees {line.text} instead" if line.symbols else "a second reader sees no digits"
        return for_review(reading, min(chance, 1 - line.probability), Reason(ReasonCode.DISAGREEMENT, seen))

    def same_digits(self, reading: Reading, line: Line, expected: Expected | None = None) -> Reading | None:
        """Return the first reader's reading that has the digits of the line, if need be that of the writing alone."""
        same = _without_slashes(reading, line)
        if not line.digits or self._look_again is None or (same is not None and same.confidence >= SURE):
            return same
        is_forced = line.free not in (line.symbols, ())  # and its view may be the one that lacks a digit
        if (same is None or is_forced) and reading.digits and line.probability < CONTRADICTING:
            return same
        again = self._look_again(line.view, expected)
        found = None if again.turn else _without_slashes(replace(again, turn=reading.turn), line)
        if found is None or (same is not None and same.confidence >= found.confidence):
            return same
        return found

    def _check_rows(self, grey: Pixels, reading: Reading) -> Reading:
        """Return the reading of several rows; where it is for review, that of one line if the page is likely one.

        The parts of a fraction, or a digit with something above it, are rows to the first reader.
        """
        checked = self._each_row(grey, reading)
        if checked.status == Status.OK:
            return checked
        line = self._lines.read(views(grey, reading.digits))
        is_a_row = line.digits in ("".join(digit.text for digit in row) for row in reading.rows)
        if line.known and line.digits and line.probability >= PREFERRED and not is_a_row:
            return self._replaced(grey, reading, line)
        return checked

    def _each_row(self, grey: Pixels, reading: Reading) -> Reading:
        """Return the reading of several rows, for review where one may be no number, or the second reader differs.

        Where it agrees on all rows, the one of which it is least sure decides.
        """
        lines = []
        for number, row in enumerate(reading.rows, 1):
            if len(row) == 1 and row[0].text in MARK_SHAPES:
                reason = Reason(ReasonCode.AMBIGUOUS, f"the {row[0].text} in row {number} may be a mark", row[0].text)
                return for_review(reading, self._unsure(reading.confidence), reason)
            view = around(grey, row)
            line = self._lines.read([view]) if view else None
            if line is None or line.text != "".join(digit.text for digit in row):
                seen = line.text or "no digits" if line else "nothing to read"
                reason = Reason(ReasonCode.DISAGREEMENT, f"a second reader sees {seen} in row {number}")
                return for_review(reading, self._unsure(reading.confidence), reason)
            lines.append(line)
        return self._agreed(reading, min(lines, key=lambda line: line.probability))

    def _unsure(self, confidence: float) -> float:
        """Return the confidence, below the threshold."""
        return unsure(confidence, self._review_below)

    def _agreed(self, reading: Reading, line: Line) -> Reading:
        """Return the reading with the probability that digits are right which both readers see."""
        if not reading.digits:
            return reading
        if line.known and not line.plain:
            reading = replace(reading, signs=line.text)
        doubt = _doubt(reading, line)
        if doubt is not None:
            return for_review(reading, self._unsure(reading.confidence), doubt)
        confidence = float(1 / (1 + np.exp(-np.dot(features(reading, line), self._agreement))))
        confidence = with_prior(confidence, line.excluded)
        if is_sure(confidence, self._review_below):
            notes = (review_reason.turned(reading.turn),) if reading.turn else ()
            return _with(reading, Status.OK, confidence, notes)
        if reading.status == Status.REVIEW:
            return replace(reading, confidence=confidence)
        return for_review(reading, confidence, Reason(ReasonCode.DISAGREEMENT, "a second reader is not sure"))

    def _replaced(self, grey: Pixels, reading: Reading, line: Line) -> Reading:
        """Return what the second reader sees, for review."""
        first = f"a first reader sees {reading.text} instead" if reading.text else "only a second reader sees digits"
        confidence = self._unsure(line.probability)
        rows = (self._lines.digits(grey, line),) if line.digits else ()
        found = replace(reading, rows=rows, signs=line.text if line.known and not line.plain else "")
        reasons = [Reason(ReasonCode.DISAGREEMENT, first)]
        if not line.known:
            reasons.append(Reason(ReasonCode.NOT_A_DIGIT, f"other ink beside the digits: {line.text}"))
        return _with(found, Status.REVIEW, confidence, tuple(reasons))


def _doubt(reading: Reading, line: Line) -> Reason | None:
    """Return why digits on which both readers agree are for review nevertheless; None where nothing speaks for it."""
    if not line.plain and not SEPARATED.fullmatch(line.text):
        return Reason(ReasonCode.SIGN, f"a second reader sees {line.text}")
    if reading.turn and len(reading.text) < FEWEST_TURNED:
        return review_reason.turned(reading.turn)
    if len(reading.text) >= FEWEST_TALLIES and set(reading.text) == {"1"}:
        return Reason(ReasonCode.AMBIGUOUS, f"{reading.text} may be tally marks", reading.text)
    return None


def _without_slashes(reading: Reading, line: Line) -> Reading | None:
    """Return the reading with the digits of the line; a slash, which the first reader takes for a 1, is left out."""
    if reading.text == line.digits:
        return reading
    seen = [each for each in line.text if each.isdigit() or each in SLASHES]
    if HALF in line.symbols or reading.text != "".join(SLASHES.get(each, each) for each in seen):
        return None
    row = tuple(digit for digit, each in zip(reading.digits, seen, strict=True) if each not in SLASHES)
    return replace(reading, rows=(row,))


def features(reading: Reading, line: Line) -> Weights:
    """Return what the weights of the agreement are for: 1, and the logits of both readers' confidences."""
    return 1.0, logit(reading.confidence), logit(line.probability)


def for_review(reading: Reading, confidence: float, reason: Reason) -> Reading:
    """Return the same digits for a person to check, with one more reason."""
    text = "; ".join(filter(None, [reading.reason if reading.digits else "", reason.text]))
    codes = (*(reading.codes if reading.digits else ()), reason.coded)
    return replace(reading, confidence=confidence, status=Status.REVIEW, reason=text, codes=codes)


def _with(reading: Reading, status: Status, confidence: float, reasons: tuple[Reason, ...]) -> Reading:
    """Return the same digits with these reasons alone."""
    text, codes = "; ".join(each.text for each in reasons), tuple(each.coded for each in reasons)
    return replace(reading, confidence=confidence, status=status, reason=text, codes=codes)


def logit(probability: float) -> float:
    """Return the logarithm of the odds."""
    chance = min(max(probability, LEAST_CHANCE), 1 - LEAST_CHANCE)
    return float(np.log(chance / (1 - chance)))
