"""One row of pieces to its digits: joins what belongs together and parts what touches, as it reads best."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from digitwatch.reading.cuts import split
from digitwatch.reading.looks import looks
from digitwatch.reading.normalise import normalise
from digitwatch.reading.segment import Piece, join

Pixels = NDArray[np.uint8]
Probabilities = NDArray[np.float32]
Classify = Callable[[Pixels], Probabilities]  # (N, 28, 28) uint8 to (N, classes) float32

# The shape of a connected piece says how likely it is to be one digit: (width / height, probability).
SINGLE = np.array([[0.0, 0.995], [0.8, 0.98], [1.1, 0.8], [1.5, 0.3], [2.0, 0.02], [2.5, 1e-6]])
PARTED = 0.1  # how likely two pieces are parts of one digit, when they stand side by side
SIZES = 0.3  # standard deviation of the logarithm of digits' heights within a row
USUAL, BREADTH = 0.6, 1.5  # digits' usual width by height; doubts weigh more in wider ones, to this power
SURE = 0.9  # a piece of usual shape that is read with this probability is a digit, and is not taken apart
SLIM = 0.85  # usual shape: no wider than this share of the digits' height
WIDEST = 1.5  # no digit is wider than this share of the digits' height
NEAR = 0.25  # pieces further apart than this share of the digits' height are not parts of one digit
CLOSE = 0.05  # and this, when one of them is surely a digit for itself
LOOSE = 0.15  # ink below this share of a usual digit's may be left out as dirt
DIRT = -1.5  # and this is the log probability that it is
SAMPLE = 40  # pieces that tell how a page lies


@dataclass(frozen=True)
class Guess:
    """One digit that may stand in a row: its ink, its picture and what the model thinks of it."""

    piece: Piece
    glyph: Pixels
    probabilities: Probabilities


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
class Way:
    """A step of a reading: the parts from `start` to before `end` taken as one digit, or None for dirt.

    `best` is the log probability of its most probable digit, `digit` that it is any digit.
    """

    start: int
    end: int
    guess: Guess | None
    best: float
    digit: float


@dataclass(frozen=True)
class Row:
    """The best reading of a row: its digits, and the share of all readings' probability that it has."""

    guesses: tuple[Guess, ...]
    certainty: float


def read_rows(rows: list[list[Piece]], classify: Classify, digits: list[int]) -> list[Row]:
    """Read rows of pieces.

    Args:
        rows: pieces in reading order, as `segment.find_rows` gives them.
        classify: the model.
        digits: which of the model's classes are digits; the others say that a picture is none.
    """
    pieces = [piece for row in rows for piece in row]
    first = iter(_guess(pieces, classify))
    read = [_read_row([next(first) for _ in row], classify, digits) for row in rows]
    again = iter(_look_again([guess for row in read for guess in row.guesses], classify))
    return [Row(tuple(next(again) for _ in row.guesses), row.certainty) for row in read]


def legibility(rows: list[list[Piece]], classify: Classify, digits: list[int]) -> float:
    """Return how much pieces look like digits as they lie: the mean probability of the best digit in a sample."""
    pieces = [piece for row in rows for piece in row]
    guesses = _guess(pieces[:: len(pieces) // SAMPLE + 1], classify)
    return float(np.mean([guess.probabilities[digits].max() for guess in guesses])) if guesses else 0.0


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


def _guess(pieces: list[Piece], classify: Classify) -> list[Guess]:
    """Return each piece with its picture and probabilities; the model is called once."""
    if not pieces:
        return []
    glyphs = np.stack([normalise(piece.glyph) for piece in pieces])
    return [Guess(*each) for each in zip(pieces, glyphs, classify(glyphs), strict=True)]


def _read_row(whole: list[Guess], classify: Classify, digits: list[int]) -> Row:
    """Return the best reading of one row."""
    height = float(np.median([guess.piece.height for guess in whole]))
    sure = [_is_sure(guess, height, digits) for guess in whole]
    if all(sure):
        return Row(tuple(whole), 1.0)
    parts: list[Part] = []
    known: dict[tuple[int, int], Guess] = {}
    for number, (guess, certain) in enumerate(zip(whole, sure, strict=True)):
        pieces = [guess.piece] if certain else split(guess.piece, height)
        known[len(parts), len(parts) + len(pieces)] = guess
        single = 1.0 if certain else float(np.interp(guess.piece.width / height, *SINGLE.T))
        parts += [Part(piece, number, certain, single, piece is pieces[0]) for piece in pieces]
    spans = [span for span in _spans(parts, height) if span not in known]
    joined = _guess([join([part.piece for part in parts[start:end]]) for start, end in spans], classify)
    known.update(zip(spans, joined, strict=True))
    ways = [Way(*span, guess, *_logs(span, guess, parts, digits, height)) for span, guess in known.items()]
    return _best(ways, parts, digits)


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


def _logs(
    span: tuple[int, int], guess: Guess, parts: list[Part], digits: list[int], height: float
) -> tuple[float, float]:
    """Return the log probabilities that the parts are the best digit, and that they are a digit at all."""
    start, end = span
    used = parts[start:end]
    cut_before = not used[0].first
    cut_behind = end < len(parts) and not parts[end].first
    log = -0.5 * (np.log(guess.piece.height / height) / SIZES) ** 2
    # Each piece that is taken apart is counted once, where its first part is.
    if (cut_behind and used[-1].number != used[0].number) or (not cut_before and cut_behind):
        log += np.log(1 - used[-1].single)
    elif not cut_before:
        log += np.log(used[0].single)
    log += np.log(PARTED) * (used[-1].number - used[0].number)
    # A reading of few wide digits would else win over one of many narrow ones just by having fewer doubts.
    weight = (np.clip(guess.piece.width / height, 0.3, 0.9) / USUAL) ** BREADTH
    p = guess.probabilities[digits]
    best, digit = np.log(max(float(p.max()), 1e-6)), np.log(max(float(p.sum()), 1e-6))
    return float(log + weight * best), float(log + weight * digit)


def _best(ways: list[Way], parts: list[Part], digits: list[int]) -> Row:
    """Return the most probable sequence of digits that uses the parts from left to right."""
    usual = float(np.median([way.guess.piece.glyph.sum(dtype=np.int64) for way in ways if way.guess]))
    dirt = [k for k, part in enumerate(parts) if part.piece.glyph.sum(dtype=np.int64) < LOOSE * usual]
    ways = ways + [Way(k, k + 1, None, DIRT, DIRT) for k in dirt]
    ways.sort(key=lambda way: way.end)
    best = [0.0] + [-np.inf] * len(parts)
    steps: list[Way | None] = [None] * (len(parts) + 1)
    for way in ways:
        if best[way.start] + way.best > best[way.end]:
            best[way.end], steps[way.end] = best[way.start] + way.best, way
    chosen = []
    step = steps[-1]
    while step is not None:
        chosen.append(step)
        step = steps[step.start]
    return Row(tuple(way.guess for way in chosen[::-1] if way.guess), _certainty(ways, chosen[::-1], digits))


def _certainty(ways: list[Way], chosen: list[Way], digits: list[int]) -> float:
    """Return the share of all readings' probability that the chosen text has, however it is parted.

    The probabilities of the chosen digits themselves are not counted in it.
    """
    text = [int(way.guess.probabilities[digits].argmax()) for way in chosen if way.guess]
    size = max(way.end for way in ways) + 1
    any_digits = [0.0] + [-np.inf] * (size - 1)  # log probability of all readings of the parts before each
    spelt = np.full((size, len(text) + 1), -np.inf)  # and of those that spell the first digits of the text
    spelt[0, 0] = 0.0
    for way in ways:
        any_digits[way.end] = float(np.logaddexp(any_digits[way.end], any_digits[way.start] + way.digit))
        if way.guess is None:
            spelt[way.end] = np.logaddexp(spelt[way.end], spelt[way.start] + way.digit)
            continue
        p = way.guess.probabilities[digits]
        logs = way.digit + np.log(np.maximum(p[text] / p.sum(), 1e-6))
        spelt[way.end, 1:] = np.logaddexp(spelt[way.end, 1:], spelt[way.start, :-1] + logs)
    probability = spelt[-1, -1] - any_digits[-1]
    answers = [way.guess.probabilities[digits] for way in chosen if way.guess]
    own = sum(float(np.log(p.max() / p.sum())) for p in answers)
    return float(np.exp(min(0.0, probability - own)))
