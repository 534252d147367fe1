"""One row of pieces to its digits: joins what belongs together and parts what touches, as it reads best."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from digitwatch.reading.ctc import Text, alternatives, likely_texts, log_probabilities, spans
from digitwatch.reading.cuts import split
from digitwatch.reading.guess import Classify, Guess, guess
from digitwatch.reading.lattice import UNLIKELY, Lattice, Way
from digitwatch.reading.line import FRAME
from digitwatch.reading.looks import looks
from digitwatch.reading.segment import Piece, join
from digitwatch.reading.strip import Strip, strip

Pixels = NDArray[np.uint8]
Logs = NDArray[np.float64]
Glance = Callable[[Pixels], Logs]  # (32, W) uint8 to (T, 12) log probabilities of ten digits, `other` and nothing
Seconds = Sequence[Logs | None]
Sides = tuple[float, float]

# The shape of a connected piece says how likely it is to be one digit: (width / height, probability).
SINGLE = np.array([[0.0, 0.995], [0.8, 0.98], [1.1, 0.8], [1.5, 0.3], [2.0, 0.02], [2.5, 1e-6]])
PARTED = np.array([[0.0, 0.1], [0.4, 0.5]])  # how likely two pieces are parts of one digit: (overlap, probability)
SIZES = 0.3  # standard deviation of the logarithm of digits' heights within a row
USUAL, BREADTH = 0.6, 1.5  # digits' usual width by height; doubts weigh more in wider ones, to this power
SURE = 0.9  # a piece of usual shape that is read with this probability is a digit, and is not taken apart
SLIM = 0.85  # usual shape: no wider than this share of the digits' height
WIDEST = 1.5  # no digit is wider than this share of the digits' height
NEAR = 0.25  # pieces further apart than this share of the digits' height are not parts of one digit
CLOSE = 0.05  # and this, when one of them is surely a digit for itself
LOOSE = 0.15  # ink below this share of a usual digit's may be left out as dirt
DIRT = -1.5  # and this is the log probability that it is
CUT_OFF = -1.5  # and this, that a part which the side of the page cuts off belongs to a neighbour of the row
OTHER = 10  # the line model's symbol of what is no digit
CANDIDATES = 6  # texts that each of the two readings proposes
WEIGHT = 0.6  # of the line model's log probability of a text beside that of its parts
VOICE = 0.4  # of its doubts about each digit beside those of the model of single digits
LEAD = 3.0  # and of those where it alone could part the row
UNSPELT = -3.0  # log probability that the parts are misjudged altogether, and what else the line model sees is true
FLOOR = -30.0  # the line model's log probability of what it holds for impossible
ENDLESS: Sides = (-np.inf, np.inf)  # a page without sides
SAMPLE = 40  # pieces that tell how a page lies


@dataclass(frozen=True)
class Part:
    """What a row is made of: a piece of ink, or what is between two cuts through one.

    `number` counts the pieces of the row, `sure` says that it is a digit for itself, `single` how likely the
    whole piece is to be one digit, and `first` that nothing of the piece is left of it.
    """

    piece: Piece
    number: int
    sure: bool
    single: float
    first: bool


@dataclass(frozen=True)
class Row:
    """The best reading of a row: its digits, and the probability that these are its parts."""

    guesses: tuple[Guess, ...]
    certainty: float


def read_rows(
    rows: list[list[Piece]], classify: Classify, glance: Glance, digits: list[int], *, sides: Sides = ENDLESS
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


def legibility(rows: list[list[Piece]], classify: Classify, digits: list[int]) -> float:
    """Return how much pieces look like digits as they lie: the mean probability of the best digit in a sample."""
    pieces = [piece for row in rows for piece in row]
    guesses = guess(pieces[:: len(pieces) // SAMPLE + 1], classify)
    return float(np.mean([each.probabilities[digits].max() for each in guesses])) if guesses else 0.0


def _look_again(guesses: list[Guess], classify: Classify) -> list[Guess]:
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


def _agreed(single: Guess, second: Logs | None, digits: list[int]) -> Guess:
    """Return the guess with the digits' probabilities multiplied by what the line model thinks of them."""
    if second is None:
        return single
    probabilities = single.probabilities.copy()
    both = probabilities[digits] * np.exp(second)
    probabilities[digits] *= both / both.sum() * probabilities[digits].sum() / np.maximum(probabilities[digits], 1e-12)
    return replace(single, probabilities=probabilities)


def _read_row(
    whole: list[Guess], classify: Classify, glance: Glance, digits: list[int], sides: Sides
) -> tuple[Row, Seconds]:
    """Return the best reading of one row, and for each digit the line model's log probabilities (10,)."""
    height = float(np.median([each.piece.height for each in whole]))
    sure = [_is_sure(each, height, digits) for each in whole]
    if all(sure) and len(whole) == 1:
        return Row(tuple(whole), 1.0), [None]
    row = strip([each.piece for each in whole], height)
    frames = glance(row.picture)
    lattice = _lattice(whole, sure, height, classify, digits, sides=sides)
    text, certainty = _best_text(lattice, frames)
    doubts = alternatives(frames, text, len(digits))
    spelt = lattice.spelling(text)
    if spelt and lattice.log_probability(text) >= UNSPELT:
        return Row(tuple(spelt), certainty), list(VOICE * doubts)
    parts = _between(join([each.piece for each in whole]), row, spans(frames, text))
    return Row(tuple(guess(parts, classify)), certainty), list(LEAD * doubts)


def _between(piece: Piece, row: Strip, places: list[tuple[int, int]]) -> list[Piece]:
    """Return the piece cut upright, halfway between the places (first frame, behind the last) of its digits."""
    middles = [(before[1] + after[0]) / 2 * FRAME for before, after in pairwise(places)]
    edges = [piece.left, *(row.on_page(column) for column in middles), piece.right]
    cuts = [min(max(edge - piece.left, k), piece.width - len(places) + k) for k, edge in enumerate(edges)]
    parts = []
    for left, right in pairwise(np.maximum.accumulate(cuts)):
        parts.append(Piece(piece.left + int(left), piece.top, piece.glyph[:, left : max(right, left + 1)]))
    return parts


def _best_text(lattice: Lattice, frames: Logs) -> tuple[Text, float]:
    """Return the text on which the parts and the line model agree best, and how sure its length is.

    What else the line model sees counts against that, letters among it; where the parts cannot be right, being
    too few or too many, it is followed.
    """
    seen = likely_texts(frames, CANDIDATES)
    known = lattice.likely_texts(CANDIDATES) + [text for text in seen if OTHER not in text]
    texts = [text for text in dict.fromkeys(known) if text]  # where there is ink, something stands
    strange = [text for text in seen if text not in texts]
    parted = np.maximum([lattice.log_probability(text) for text in texts], UNSPELT)
    logs = np.concatenate([parted, np.full(len(strange), UNSPELT)])
    logs += WEIGHT * np.maximum(log_probabilities(frames, texts + strange), FLOOR)
    best = texts[int(logs[: len(texts)].argmax())]
    same = [text in texts and len(text) == len(best) for text in texts + strange]
    certainty = np.exp(np.logaddexp.reduce(logs[same]) - np.logaddexp.reduce(logs))
    return best, float(certainty)


def _lattice(
    whole: list[Guess], sure: list[bool], height: float, classify: Classify, digits: list[int], *, sides: Sides
) -> Lattice:
    """Return all ways to read the row: pieces taken as they are, apart or together."""
    parts: list[Part] = []
    known: dict[tuple[int, int], Guess] = {}
    for number, (each, certain) in enumerate(zip(whole, sure, strict=True)):
        pieces = [each.piece] if certain else split(each.piece, height)
        known[len(parts), len(parts) + len(pieces)] = each
        single = 1.0 if certain else float(np.interp(each.piece.width / height, *SINGLE.T))
        parts += [Part(piece, number, certain, single, piece is pieces[0]) for piece in pieces]
    spans = [] if all(sure) else [span for span in _spans(parts, height) if span not in known]
    joined = guess([join([part.piece for part in parts[start:end]]) for start, end in spans], classify)
    known.update(zip(spans, joined, strict=True))
    ways = [_way(span, each, parts, digits, height) for span, each in known.items()]
    usual = float(np.median([each.piece.glyph.sum(dtype=np.int64) for each in known.values()]))
    dirt = {k: DIRT for k, part in enumerate(parts) if part.piece.glyph.sum(dtype=np.int64) < LOOSE * usual}
    cut = [
        k
        for k, part in enumerate(parts)
        if not part.sure and (part.piece.left <= sides[0] or part.piece.right >= sides[1])
    ]
    dirt |= dict.fromkeys(cut if len(parts) > 1 else [], CUT_OFF)
    return Lattice(ways + [Way(k, k + 1, None, log, np.zeros(0)) for k, log in dirt.items()])


def _is_sure(guess: Guess, height: float, digits: list[int]) -> bool:
    """Tell whether the piece is one digit without a doubt."""
    return bool(guess.probabilities[digits].max() >= SURE and guess.piece.width <= SLIM * height)


def _spans(parts: list[Part], height: float) -> list[tuple[int, int]]:
    """Return which neighbouring parts may make one digit: (first, behind the last)."""
    spans = []
    for start, first in enumerate(parts):
        left, right = first.piece.left, first.piece.right
        for end in range(start + 1, len(parts) + 1):
            last = parts[end - 1]
            near = CLOSE if first.sure or last.sure else NEAR
            if last is not first and last.piece.left - right > near * height:
                break
            left, right = min(left, last.piece.left), max(right, last.piece.right)
            if right - left > WIDEST * height:
                break
            spans.append((start, end))
    return spans


def _way(span: tuple[int, int], each: Guess, parts: list[Part], digits: list[int], height: float) -> Way:
    """Return what it means to take the parts of the span as one digit."""
    start, end = span
    used = parts[start:end]
    cut_before = not used[0].first
    cut_behind = end < len(parts) and not parts[end].first
    log = -0.5 * float(np.log(each.piece.height / height) / SIZES) ** 2
    # Each piece that is taken apart is counted once, where its first part is.
    if (cut_behind and used[-1].number != used[0].number) or (not cut_before and cut_behind):
        log += float(np.log(1 - used[-1].single))
    elif not cut_before:
        log += float(np.log(used[0].single))
    log += sum(float(np.log(_parted(one, other))) for one, other in pairwise(used) if one.number != other.number)
    if end < len(parts) and not cut_behind:
        log += float(np.log1p(-_parted(used[-1], parts[end])))
    # A reading of few wide digits would else win over one of many narrow ones just by having fewer doubts.
    weight = (np.clip(each.piece.width / height, 0.3, 0.9) / USUAL) ** BREADTH
    p = np.maximum(each.probabilities[digits].astype(np.float64), UNLIKELY)
    log += float(weight * np.log(p.sum()))
    return Way(start, end, each, log, log + np.log(p / p.sum()))


def _parted(one: Part, other: Part) -> float:
    """Return how likely two neighbours are parts of one digit, by how far one stands over the other."""
    shared = min(one.piece.right, other.piece.right) - max(one.piece.left, other.piece.left)
    return float(np.interp(shared / min(one.piece.width, other.piece.width), *PARTED.T))
