"""One row of pieces to its digits: joins what belongs together and parts what touches, as it reads best."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitwatch.reading.cuts import split
from digitwatch.reading.normalise import normalise
from digitwatch.reading.segment import Piece, join

Pixels = NDArray[np.uint8]
Probabilities = NDArray[np.float32]
Classify = Callable[[Pixels], Probabilities]  # (N, 28, 28) uint8 to (N, classes) float32

SURE = 0.9  # a piece of usual shape that is read with this probability is a digit, and is not taken apart
SLIM = 0.85  # usual shape: no wider than this share of the digits' height
WIDEST = 1.5  # no digit is wider than this share of the digits' height
NEAR = 0.25  # pieces further apart than this share of the digits' height are not parts of one digit
LOOSE = 0.15  # ink below this share of a usual digit's may be left out as dirt
DIRT = -3.0  # and this is the log probability that it is


@dataclass(frozen=True)
class Guess:
    """One digit that may stand in a row: its ink, its picture and what the model thinks of it."""

    piece: Piece
    glyph: Pixels
    probabilities: Probabilities


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
    return [_read_row([next(first) for _ in row], classify, digits) for row in rows]


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
    parts: list[Piece] = []
    fixed: list[bool] = []
    known: dict[tuple[int, int], Guess] = {}
    for guess, certain in zip(whole, sure, strict=True):
        pieces = [guess.piece] if certain else split(guess.piece, height)
        known[len(parts), len(parts) + len(pieces)] = guess
        parts += pieces
        fixed += [certain] * len(pieces)
    spans = [span for span in _spans(parts, fixed, height) if span not in known]
    joined = _guess([join(parts[start:end]) for start, end in spans], classify)
    known.update(zip(spans, joined, strict=True))
    return _best(known, parts, digits)


def _is_sure(guess: Guess, height: float, digits: list[int]) -> bool:
    """Tell whether the piece is one digit without a doubt."""
    return bool(guess.probabilities[digits].max() >= SURE and guess.piece.width <= SLIM * height)


def _spans(parts: list[Piece], fixed: list[bool], height: float) -> list[tuple[int, int]]:
    """Return which neighbouring parts may make one digit: (first, behind the last)."""
    spans = []
    for start in range(len(parts)):
        right = parts[start].right
        for end in range(start + 1, len(parts) + 1):
            last = parts[end - 1]
            if end - start > 1 and (fixed[start] or fixed[end - 1] or last.left - right > NEAR * height):
                break
            right = max(right, last.right)
            if right - min(part.left for part in parts[start:end]) > WIDEST * height:
                break
            spans.append((start, end))
    return spans


def _best(known: dict[tuple[int, int], Guess], parts: list[Piece], digits: list[int]) -> Row:
    """Return the most probable sequence of digits that uses the parts from left to right."""
    ink = [float(part.glyph.sum()) for part in parts]
    usual = float(np.median([guess.piece.glyph.sum(dtype=np.int64) for guess in known.values()]))
    best = [0.0] + [-np.inf] * len(parts)
    total = [0.0] + [-np.inf] * len(parts)  # log of the sum over all sequences
    steps: list[tuple[int, Guess | None]] = [(0, None)] * (len(parts) + 1)
    by_end = sorted(known.items(), key=lambda item: item[0][1])
    for end in range(1, len(parts) + 1):
        ways: list[tuple[int, Guess | None, float, float]] = [
            (start, guess, *_logs(guess, digits)) for (start, stop), guess in by_end if stop == end
        ]
        if ink[end - 1] < LOOSE * usual:
            ways.append((end - 1, None, DIRT, DIRT))
        for start, guess, log_best, log_any in ways:
            total[end] = float(np.logaddexp(total[end], total[start] + log_any))
            if best[start] + log_best > best[end]:
                best[end], steps[end] = best[start] + log_best, (start, guess)
    chosen = []
    at = len(parts)
    while at:
        at, guess = steps[at]
        if guess is not None:
            chosen.append(guess)
    return Row(tuple(chosen[::-1]), float(np.exp(min(0.0, -total[-1]))))


def _logs(guess: Guess, digits: list[int]) -> tuple[float, float]:
    """Return the log probability of the best digit, and that it is a digit at all."""
    p = guess.probabilities[digits]
    return float(np.log(max(float(p.max()), 1e-6))), float(np.log(max(float(p.sum()), 1e-6)))
