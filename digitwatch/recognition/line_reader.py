"""The crop recogniser's reading of one line: the text that several crops of a page agree on best, and its digits."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from digitwatch.recognition.arrays import Logs, Pixels
from digitwatch.recognition.decoding.ctc import Text, alternatives, likely_texts, log_probabilities, spans
from digitwatch.recognition.decoding.expected import PRIOR_ODDS, Expected, Texts, beginnings
from digitwatch.recognition.networks.crop_recognizer import FRAME, HEIGHT, LABELS, OTHER, CropRecognizer, level
from digitwatch.recognition.networks.digit_image import SIZE, fit
from digitwatch.recognition.result import Box, Digit
from digitwatch.recognition.segmentation.crop_views import View

DIGITS = 10  # the first of LABELS
CANDIDATES = 5  # texts that each view proposes
STEERED_CANDIDATES = 20  # of those that may stand there: their probabilities are added up
OTHERS, HALF = LABELS.index(OTHER), LABELS.index("½")
HALF_DIGITS = "12"
WITH_DIGITS = {*range(DIGITS), HALF}
LEAST_CHANCE = 1e-6  # probabilities nearer to 0 or 1 are not told apart


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
        return spelt(self.symbols)

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


class LineReader:
    """Reads crops of one line. Not to be shared between threads or forks."""

    def __init__(self, model: CropRecognizer, labels: Sequence[str]) -> None:
        """Take the model, and the names of a digit's classes in the order of `Digit.probabilities`."""
        self._model, self._labels = model, labels

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

    def digits(self, grey: Pixels, line: Line) -> tuple[Digit, ...]:
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


def _may_be(symbols: Text, expected: Texts) -> bool:
    """Return whether indices in LABELS may be a text that is expected: other ink may be any, badly written."""
    return OTHERS in symbols or expected.accepts(spelt(symbols))


def spelt(symbols: Text) -> str:
    """Return the text of indices in LABELS; other ink is `?`."""
    return "".join("?" if symbol == OTHERS else LABELS[symbol] for symbol in symbols)


def _glyph(grey: Pixels, box: Box) -> Pixels:
    """Return (28, 28) uint8 of what is in the box of a grey page, dark as 255."""
    part = fit(255 - level(grey[box.top : box.top + box.height, box.left : box.left + box.width]), SIZE)
    rows, columns = SIZE - part.shape[0], SIZE - part.shape[1]
    return np.pad(part, ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)))
