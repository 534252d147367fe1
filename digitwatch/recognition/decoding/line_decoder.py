"""One row of pieces to its digits: joins what belongs together and parts what touches, as it reads best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from digitwatch.recognition.arrays import Logs, Pixels
from digitwatch.recognition.decoding.candidate import Candidate, Classify, guess
from digitwatch.recognition.decoding.ctc import Text, alternatives, likely_texts, log_probabilities, spans
from digitwatch.recognition.decoding.lattice import Lattice
from digitwatch.recognition.decoding.segmentation_graph import Sides, all_ways, is_sure
from digitwatch.recognition.decoding.test_time_augmentation import looks
from digitwatch.recognition.networks.line_image import Strip, strip
from digitwatch.recognition.networks.line_recognizer import FRAME
from digitwatch.recognition.segmentation.text_lines import Component, join

Glance = Callable[[Pixels], Logs]  # (32, W) uint8 to (T, 12) log probabilities of ten digits, `other` and nothing
Seconds = Sequence[Logs | None]

OTHER = 10  # the line model's symbol of what is no digit
CANDIDATES = 6  # texts that each of the two readings proposes
WEIGHT = 0.6  # of the line model's log probability of a text beside that of its parts
VOICE = 0.4  # of its doubts about each digit beside those of the model of single digits
LEAD = 3.0  # and of those where it alone could part the row
SPELT = 0.95  # probability that parts which all read as digits are the right ones
FLOOR = -30.0  # the line model's log probability of what it holds for impossible
ENDLESS: Sides = (-np.inf, np.inf)  # a page without sides
SAMPLE = 40  # pieces that tell how a page lies


@dataclass(frozen=True)
class Row:
    """The best reading of a row: its digits, and the probability that these are its parts."""

    guesses: tuple[Candidate, ...]
    certainty: float


def read_rows(
    rows: list[list[Component]], classify: Classify, glance: Glance, digits: list[int], *, sides: Sides = ENDLESS
) -> list[Row]:
    """Read rows of pieces.

    Args:
        rows: pieces in reading order, as `segment.find_rows` gives them.
        classify: the model of single digits.
        glance: the line model, which sees a row at once.
        digits: which of the classes are the digits 0 to 9, in this order; others say that a picture is none.
        sides: the first column of the page and the one behind its last; ink that reaches them may be cut off.
    """
    pieces = [piece for row in rows for piece in row]
    first = iter(guess(pieces, classify))
    read = [_read_row([next(first) for _ in row], classify, glance, digits, sides) for row in rows]
    again = iter(_look_again([guess for row, _ in read for guess in row.guesses], classify))
    return [
        Row(tuple(_agreed(next(again), doubts, digits) for doubts in seconds), row.certainty) for row, seconds in read
    ]


def legibility(rows: list[list[Component]], classify: Classify, digits: list[int]) -> float:
    """Return how much pieces look like digits as they lie: the mean probability of the best digit in a sample."""
    pieces = [piece for row in rows for piece in row]
    guesses = guess(pieces[:: len(pieces) // SAMPLE + 1], classify)
    return float(np.mean([each.probabilities[digits].max() for each in guesses])) if guesses else 0.0


def _look_again(guesses: list[Candidate], classify: Classify) -> list[Candidate]:
    """Return the guesses with the mean probabilities of several looks; the model is called once."""
    if not guesses:
        return []
    more = [looks(guess.piece.glyph, guess.glyph) for guess in guesses]
    answers = classify(np.stack([picture for pictures in more for picture in pictures]))
    answers = answers.reshape(len(guesses), -1, answers.shape[1])  # (N, looks, classes)
    return [
        replace(guess, probabilities=np.vstack([guess.probabilities, answer]).mean(axis=0))
        for guess, answer in zip(guesses, answers, strict=True)
    ]


def _agreed(single: Candidate, second: Logs | None, digits: list[int]) -> Candidate:
    """Return the guess with the digits' probabilities multiplied by what the line model thinks of them.

    Where the two name different digits neither is sure: the mean of single and product is.
    """
    if second is None:
        return single
    probabilities = single.probabilities.copy()
    alone = single.probabilities[digits]
    both = alone * np.exp(second)
    both *= alone.sum() / both.sum()
    probabilities[digits] = both if both.argmax() == alone.argmax() else (both + alone) / 2
    return replace(single, probabilities=probabilities)


def _read_row(
    whole: list[Candidate], classify: Classify, glance: Glance, digits: list[int], sides: Sides
) -> tuple[Row, Seconds]:
    """Return the best reading of one row, and for each digit the line model's log probabilities (10,)."""
    height = float(np.median([each.piece.height for each in whole]))
    sure = [is_sure(each, height, digits) for each in whole]
    if all(sure) and len(whole) == 1:
        return Row(tuple(whole), 1.0), [None]
    row = strip([each.piece for each in whole], height)
    frames = glance(row.picture)
    lattice = all_ways(whole, sure, height, classify, digits, sides=sides)
    misjudged = _misjudged(lattice, digits)
    text, certainty = _best_text(lattice, frames, misjudged)
    doubts = alternatives(frames, text, len(digits))
    spelt = lattice.spelling(text)
    # A text with more symbols than frames, from a row of many narrow strokes, stands where the parts say.
    fits = len(text) + sum(one == other for one, other in pairwise(text)) <= len(frames)
    if spelt and (not fits or lattice.log_probability(text) >= misjudged(text)):
        return Row(tuple(spelt), certainty), list(VOICE * doubts)
    parts = _between(join([each.piece for each in whole]), row, spans(frames, text))
    return Row(tuple(guess(parts, classify)), certainty), list(LEAD * doubts)


def _between(piece: Component, row: Strip, places: list[tuple[int, int]]) -> list[Component]:
    """Return the piece cut upright, halfway between the places (first frame, behind the last) of its digits."""
    middles = [(before[1] + after[0]) / 2 * FRAME for before, after in pairwise(places)]
    edges = [piece.left, *(row.on_page(column) for column in middles), piece.right]
    cuts = [min(max(edge - piece.left, k), piece.width - len(places) + k) for k, edge in enumerate(edges)]
    parts = []
    for left, right in pairwise(np.maximum.accumulate(cuts)):
        parts.append(Component(piece.left + int(left), piece.top, piece.glyph[:, left : max(right, left + 1)]))
    return parts


def _misjudged(lattice: Lattice, digits: list[int]) -> Callable[[Text], float]:
    """Return the log probability that the parts are misjudged and a text stands there whatever they spell.

    It is the higher the less the best parts look like digits; which digit a lone one is, its own model knows best.
    """
    best = next(iter(lattice.likely_texts(1)), ())
    guesses = lattice.spelling(best) or []
    look = float(np.prod([guess.probabilities[digits].max() for guess in guesses]))
    return lambda text: float(np.log1p(-SPELT * (1.0 if len(text) == len(best) == 1 else look)))


def _best_text(lattice: Lattice, frames: Logs, misjudged: Callable[[Text], float]) -> tuple[Text, float]:
    """Return the text on which the parts and the line model agree best, and how sure its length is.

    What else the line model sees counts against that, letters among it; where the parts cannot be right, being
    too few or too many, it is followed; `misjudged` gives the log probability of that.
    """
    seen = likely_texts(frames, CANDIDATES)
    known = lattice.likely_texts(CANDIDATES) + [text for text in seen if OTHER not in text]
    texts = [text for text in dict.fromkeys(known) if text]  # where there is ink, something stands
    strange = [text for text in seen if text not in texts]
    logs = np.array([misjudged(text) for text in texts + strange])
    logs[: len(texts)] = np.maximum(logs[: len(texts)], [lattice.log_probability(text) for text in texts])
    logs += WEIGHT * np.maximum(log_probabilities(frames, texts + strange), FLOOR)
    best = texts[int(logs[: len(texts)].argmax())]
    same = [text in texts and len(text) == len(best) for text in texts + strange]
    certainty = np.exp(np.logaddexp.reduce(logs[same]) - np.logaddexp.reduce(logs))
    return best, float(certainty)
