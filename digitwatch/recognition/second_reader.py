"""Two unlike readers of a line: `ok` only where the crop recogniser reads the same digits, at a fitted confidence."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from digitwatch.log_codes import Reason, ReasonCode, Status
from digitwatch.recognition.arrays import Logs, Pixels
from digitwatch.recognition.decoding import review_reason
from digitwatch.recognition.decoding.ctc import Text, alternatives, likely_texts, log_probabilities, spans
from digitwatch.recognition.networks import model_files
from digitwatch.recognition.networks.crop_recognizer import FRAME, HEIGHT, LABELS, OTHER, CropRecognizer, level
from digitwatch.recognition.networks.digit_classifier import ModelError
from digitwatch.recognition.networks.digit_image import SIZE, fit
from digitwatch.recognition.result import Box, Digit, Reading
from digitwatch.recognition.segmentation.crop_views import View, around, views

Weights = tuple[float, float, float]

DIGITS = 10  # the first of LABELS
CANDIDATES = 5  # texts that each view proposes
OTHERS = LABELS.index(OTHER)
LEAST_CHANCE = 1e-6  # probabilities nearer to 0 or 1 are not told apart
PREFERRED = 0.5  # probability of the second text from which on it may replace the first
LIKELY = 0.2  # and from which on it makes an empty page doubtful


@dataclass(frozen=True)
class Line:
    """What the crop recogniser reads: indices in LABELS, their probability, and the view and frames that say so."""

    symbols: Text
    probability: float
    view: View
    frames: Logs

    @property
    def text(self) -> str:
        """The line as written; other ink is `?`."""
        return "".join("?" if symbol == OTHERS else LABELS[symbol] for symbol in self.symbols)

    @property
    def digits(self) -> str:
        """Its digits alone."""
        return "".join(LABELS[symbol] for symbol in self.symbols if symbol < DIGITS)

    @property
    def plain(self) -> bool:
        """True when there are digits and nothing else."""
        return all(symbol < DIGITS for symbol in self.symbols)


class SecondReader:
    """Asks the crop recogniser about pages of one line. Not to be shared between threads or forks."""

    def __init__(self, model: CropRecognizer, agreement: Weights, labels: Sequence[str], review_below: float) -> None:
        """Take the model, the weights of a logistic regression, and the confidence below which a reading is reviewed.

        `labels` are the first reader's answers, in the order of `Digit.probabilities`; digits are among them.
        `agreement` weighs 1, the logit of the first reader's confidence, and the logit of the second's probability,
        where both read the same digits.
        """
        self._model, self._agreement = model, agreement
        self._labels, self._review_below = labels, review_below

    @classmethod
    def load(cls, stem: Path, labels: Sequence[str], review_below: float) -> "SecondReader":
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
        return cls(model, (constant, first, second), labels, review_below)

    def check(self, grey: Pixels, reading: Reading) -> Reading:
        """Return the reading of an (H, W) uint8 page, with the status and confidence that both readers give it."""
        if len(reading.rows) > 1:
            return self._check_rows(grey, reading)
        line = self.read(views(grey, reading.digits))
        if line.digits == reading.text:
            return self._agreed(reading, line)
        chance = reading.confidence if reading.digits else 0.0
        if line.plain and line.symbols and line.probability >= max(PREFERRED, chance):
            return self._replaced(grey, reading, line)
        if not reading.digits and line.probability < LIKELY:
            return reading
        seen = f"a second reader sees {line.text} instead" if line.symbols else "a second reader sees no digits"
        return for_review(reading, min(chance, 1 - line.probability), Reason(ReasonCode.DISAGREEMENT, seen))

    def read(self, places: list[View]) -> Line:
        """Return the text whose mean probability over the views is highest."""
        chances: dict[Text, float] = defaultdict(float)
        best: dict[Text, tuple[float, View, Logs]] = {}
        for view in places:
            frames = self._model(view.grey)
            texts = likely_texts(frames, CANDIDATES)
            for text, log in zip(texts, log_probabilities(frames, texts), strict=True):
                chance = float(np.exp(log))
                chances[text] += chance / len(places)
                if text not in best or chance > best[text][0]:
                    best[text] = chance, view, frames
        text = max(chances, key=chances.__getitem__)
        return Line(text, chances[text], *best[text][1:])

    def _check_rows(self, grey: Pixels, reading: Reading) -> Reading:
        """Return the reading of several rows, for review where the second reader sees something else in one of them."""
        for number, row in enumerate(reading.rows if reading.status == Status.OK else (), 1):
            view = around(grey, row)
            line = self.read([view]) if view else None
            if line is None or line.text != "".join(digit.text for digit in row):
                seen = line.text or "no digits" if line else "nothing to read"
                confidence = float(min(reading.confidence, np.nextafter(self._review_below, 0)))
                reason = Reason(ReasonCode.DISAGREEMENT, f"a second reader sees {seen} in row {number}")
                return for_review(reading, confidence, reason)
        return reading

    def _agreed(self, reading: Reading, line: Line) -> Reading:
        """Return the reading with the probability that digits are right which both readers see."""
        if not reading.digits:
            return reading
        if not line.plain:
            return for_review(reading, reading.confidence, Reason(ReasonCode.SIGN, f"a second reader sees {line.text}"))
        logits = np.array([1.0, _logit(reading.confidence), _logit(line.probability)])
        confidence = float(1 / (1 + np.exp(-(logits @ self._agreement))))
        if confidence >= self._review_below:
            notes = (review_reason.turned(reading.turn),) if reading.turn else ()
            return _with(reading, Status.OK, confidence, notes)
        if reading.status == Status.REVIEW:
            return replace(reading, confidence=confidence)
        return for_review(reading, confidence, Reason(ReasonCode.DISAGREEMENT, "a second reader is not sure"))

    def _replaced(self, grey: Pixels, reading: Reading, line: Line) -> Reading:
        """Return the second reader's digits, for review."""
        first = f"a first reader sees {reading.text} instead" if reading.text else "only a second reader sees digits"
        confidence = float(min(line.probability, np.nextafter(self._review_below, 0)))
        found = replace(reading, rows=(self._digits(grey, line),))
        return _with(found, Status.REVIEW, confidence, (Reason(ReasonCode.DISAGREEMENT, first),))

    def _digits(self, grey: Pixels, line: Line) -> tuple[Digit, ...]:
        """Return the digits of a line without signs, where they stand on the (H, W) page."""
        box = line.view.box
        scale = max(box.height / HEIGHT, box.width / (FRAME * len(line.frames)))  # page pixels a column of the crop
        chances = np.exp(alternatives(line.frames, line.symbols, DIGITS))
        read = []
        for symbol, (first, last), chance in zip(line.symbols, spans(line.frames, line.symbols), chances, strict=True):
            left = min(round(first * FRAME * scale), box.width - 1)
            width = max(1, min(round((last - first) * FRAME * scale), box.width - left))
            place = Box(box.left + left, box.top, width, box.height)
            probabilities = np.zeros(len(self._labels), np.float32)
            probabilities[[self._labels.index(label) for label in LABELS[:DIGITS]]] = chance
            read.append(Digit(LABELS[symbol], float(chance[symbol]), place, _glyph(grey, place), probabilities))
        return tuple(read)


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


def _logit(probability: float) -> float:
    """Return the logarithm of the odds."""
    chance = min(max(probability, LEAST_CHANCE), 1 - LEAST_CHANCE)
    return float(np.log(chance / (1 - chance)))
