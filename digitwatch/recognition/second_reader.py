"""Two unlike readers of a line: `ok` only where the crop recogniser reads the same digits, at a fitted confidence."""

import re
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from digitwatch.log_codes import Reason, ReasonCode, Status
from digitwatch.recognition.arrays import Logs, Pixels
from digitwatch.recognition.decoding import review_reason
from digitwatch.recognition.decoding.ctc import Text, alternatives, likely_texts, log_probabilities, spans
from digitwatch.recognition.decoding.expected import PRIOR_ODDS, Expected, Texts, beginnings, with_prior
from digitwatch.recognition.evidence import is_sure, unsure
from digitwatch.recognition.foreground.binarise import THUMBNAIL_PX
from digitwatch.recognition.networks import model_files
from digitwatch.recognition.networks.crop_recognizer import FRAME, HEIGHT, LABELS, OTHER, CropRecognizer, level
from digitwatch.recognition.networks.digit_classifier import ModelError
from digitwatch.recognition.networks.digit_image import SIZE, fit
from digitwatch.recognition.number_groups import groups
from digitwatch.recognition.result import Box, Digit, Reading
from digitwatch.recognition.segmentation.crop_views import View, around, views

Weights = tuple[float, float, float]
LookAgain = Callable[[View, Expected | None], Reading]

DIGITS = 10  # the first of LABELS
CANDIDATES = 5  # texts that each view proposes
STEERED_CANDIDATES = 20  # of those that may stand there: their probabilities are added up
OTHERS, HALF = LABELS.index(OTHER), LABELS.index("½")
HALF_DIGITS = "12"
WITH_DIGITS = {*range(DIGITS), HALF}
LEAST_CHANCE = 1e-6  # probabilities nearer to 0 or 1 are not told apart
SURE = 0.97  # confidence of the first reader from which on it does not look again
CONTRADICTING = (
    0.6  # probability of the line below which it does not make a first reader that read otherwise look again
)
SLASHES = {"/": "1"}  # signs of the second reader that are a digit to the first
PREFERRED = 0.5  # probability of the second text from which on it replaces the first; a thumbnail needs no segmentation
SURER = 0.3  # by how much the confidence of the first text may be higher than that probability
SEPARATED = re.compile(r"\d+([.,:/-]\d+)+")  # texts with signs that may be `ok`; a lone stroke may be a minus, or dirt
FEWEST_TURNED = 6  # digits that prove how a page lies: "the" upside down resembles 247
FEWEST_TALLIES = 3  # strokes side by side that may count something; of numbers of three digits one in 900 is 111
MARK_SHAPES = "01"  # digits that a punched hole, a staple or a stroke beside the writing resembles


@dataclass(frozen=True)
class Line:
    """What the crop recogniser reads: indices in LABELS, their probability, and the view and frames that say so.

    Where something is expected, `free` is the most probable text of all, and `excluded` the share of the other texts'
    probability on those that may not stand there.
    """

    symbols: Text
    probability: float
    view: View
    frames: Logs
    free: Text = ()
    excluded: float = 0.0

    @property
    def text(self) -> str:
        """The line as written; other ink is `?`."""
        return _spelt(self.symbols)

    @property
    def digits(self) -> str:
        """Its digits alone; a half is written with two."""
        return "".join(
            HALF_DIGITS if symbol == HALF else LABELS[symbol] for symbol in self.symbols if symbol in WITH_DIGITS
        )

    @property
    def known(self) -> bool:
        """True when there is no other ink."""
        return OTHERS not in self.symbols

    @property
    def plain(self) -> bool:
        """True when there are digits and nothing else."""
        return all(symbol < DIGITS for symbol in self.symbols)


class SecondReader:
    """Asks the crop recogniser about pages of one line. Not to be shared between threads or forks."""

    def __init__(
        self,
        model: CropRecognizer,
        agreement: Weights,
        labels: Sequence[str],
        review_below: float,
        look_again: LookAgain | None = None,
    ) -> None:
        """Take the model, the weights of a logistic regression, and the confidence below which a reading is reviewed.

        `labels` are the first reader's answers, in the order of `Digit.probabilities`; digits are among them.
        `agreement` weighs 1, the logit of the first reader's confidence, and the logit of the second's probability,
        where both read the same digits. `look_again` returns what the first reader sees in the writing of a crop alone.
        """
        self._model, self._agreement = model, agreement
        self._labels, self._review_below = labels, review_below
        self._look_again = look_again

    @classmethod
    def load(
        cls, stem: Path, labels: Sequence[str], review_below: float, look_again: LookAgain | None = None
    ) -> "SecondReader":
        """Return the reader of the crop model `stem`.tflite and its card.

        Raises:
            ModelError: a file is missing, or is not what a crop model needs.
        """
        content, card = model_files.read(stem)
        try:
            constant, first, second = map(float, card["agreement"])
        except (KeyError, ValueError, TypeError) as error:
            raise ModelError(f"the card of {stem.name} needs three numbers as `agreement`: {error!r}") from error
        model = CropRecognizer(content, float(card["temperature"]))
        return cls(model, (constant, first, second), labels, review_below, look_again)

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
        line = self.read(views(grey, reading.digits), expected)
        if line.free not in (line.symbols, ()):
            reading = replace(reading, free=_spelt(line.free))
        same = self.same_digits(reading, line, expected)
        if same is not None:
            return self._agreed(replace(same, free=reading.free), line)
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

    def read(self, places: list[View], expected: Expected | None = None) -> Line:
        """Return the text whose mean probability over the views, by its prior, is highest."""
        begins = None if expected is None else beginnings(expected.written, LABELS)
        chances: dict[Text, float] = defaultdict(float)
        best: dict[Text, tuple[float, View, Logs]] = {}
        for view in places:
            frames = self._model(view.grey)
            texts = likely_texts(frames, CANDIDATES)
            if begins is not None:
                texts = list(dict.fromkeys(texts + likely_texts(frames, STEERED_CANDIDATES, begins)))
            for text, log in zip(texts, log_probabilities(frames, texts), strict=True):
                chance = float(np.exp(log))
                chances[text] += chance / len(places)
                if text not in best or chance > best[text][0]:
                    best[text] = chance, view, frames
        free = max(chances, key=chances.__getitem__)
        if expected is None:
            return Line(free, chances[free], *best[free][1:])
        excluded = {text for text in chances if text and not _may_be(text, expected.written)}
        text = max(chances, key=lambda each: chances[each] * (1.0 if each in excluded else PRIOR_ODDS))
        share = sum(chances[each] for each in excluded) / max(1 - chances[text], LEAST_CHANCE)
        return Line(text, chances[text], *best[text][1:], free=free, excluded=0.0 if text in excluded else share)

    def _check_rows(self, grey: Pixels, reading: Reading) -> Reading:
        """Return the reading of several rows; where it is for review, that of one line if the page is likely one.

        The parts of a fraction, or a digit with something above it, are rows to the first reader.
        """
        checked = self._each_row(grey, reading)
        if checked.status == Status.OK:
            return checked
        line = self.read(views(grey, reading.digits))
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
            line = self.read([view]) if view else None
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
        rows = (self._digits(grey, line),) if line.digits else ()
        found = replace(reading, rows=rows, signs=line.text if line.known and not line.plain else "")
        reasons = [Reason(ReasonCode.DISAGREEMENT, first)]
        if not line.known:
            reasons.append(Reason(ReasonCode.NOT_A_DIGIT, f"other ink beside the digits: {line.text}"))
        return _with(found, Status.REVIEW, confidence, tuple(reasons))

    def _digits(self, grey: Pixels, line: Line) -> tuple[Digit, ...]:
        """Return the digits of a line, where they stand on the (H, W) page."""
        box = line.view.box
        scale = max(box.height / HEIGHT, box.width / (FRAME * len(line.frames)))  # page pixels a column of the crop
        chances = np.exp(alternatives(line.frames, line.symbols, DIGITS))
        read = []
        for symbol, (first, last), chance in zip(line.symbols, spans(line.frames, line.symbols), chances, strict=True):
            left = min(round(first * FRAME * scale), box.width - 1)
            width = max(1, min(round((last - first) * FRAME * scale), box.width - left))
            place = Box(box.left + left, box.top, width, box.height)
            if symbol < DIGITS:
                read.append(self._digit(grey, symbol, place, chance))
            elif symbol == HALF:
                half = np.eye(DIGITS) * line.probability
                read += [self._digit(grey, int(each), place, half[int(each)]) for each in HALF_DIGITS]
        return tuple(read)

    def _digit(self, grey: Pixels, symbol: int, place: Box, chance: Logs) -> Digit:
        """Return the digit at a place of the (H, W) page, with the probabilities of all ten there."""
        probabilities = np.zeros(len(self._labels), np.float32)
        probabilities[[self._labels.index(label) for label in LABELS[:DIGITS]]] = chance
        return Digit(LABELS[symbol], float(chance[symbol]), place, _glyph(grey, place), probabilities)


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


def _may_be(symbols: Text, expected: Texts) -> bool:
    """Return whether indices in LABELS may be a text that is expected: other ink may be any, badly written."""
    return OTHERS in symbols or expected.accepts(_spelt(symbols))


def _spelt(symbols: Text) -> str:
    """Return the text of indices in LABELS; other ink is `?`."""
    return "".join("?" if symbol == OTHERS else LABELS[symbol] for symbol in symbols)


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


def _glyph(grey: Pixels, box: Box) -> Pixels:
    """Return (28, 28) uint8 of what is in the box of a grey page, dark as 255."""
    part = fit(255 - level(grey[box.top : box.top + box.height, box.left : box.left + box.width]), SIZE)
    rows, columns = SIZE - part.shape[0], SIZE - part.shape[1]
    return np.pad(part, ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)))


def logit(probability: float) -> float:
    """Return the logarithm of the odds."""
    chance = min(max(probability, LEAST_CHANCE), 1 - LEAST_CHANCE)
    return float(np.log(chance / (1 - chance)))
