"""What a row may be made of: its pieces as they are, apart or together, and how likely each way is."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digitwatch.recognition.decoding.candidate import Candidate, Classify, guess
from digitwatch.recognition.decoding.lattice import UNLIKELY, Edge, Lattice
from digitwatch.recognition.segmentation.oversegment import split
from digitwatch.recognition.segmentation.text_lines import Component, join

Sides = tuple[float, float]

# The shape of a connected piece says how likely it is to be one digit: (width / height, probability).
SINGLE = np.array([[0.0, 0.995], [0.8, 0.98], [1.1, 0.8], [1.5, 0.3], [2.0, 0.02], [2.5, 1e-4]])
PARTED = np.array([[0.0, 0.1], [0.4, 0.5]])  # how likely two pieces are parts of one digit: (overlap, probability)
SUREST = 0.99  # at most
STEP, STEEP = 0.2, 10.0  # it is the likelier the more one is higher, from this share of their height on
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


@dataclass(frozen=True)
class Part:
    """What a row is made of: a piece of ink, or what is between two cuts through one.

    `number` counts the pieces of the row, `sure` says that it is a digit for itself, `single` how likely the
    whole piece is to be one digit, and `first` that nothing of the piece is left of it.
    """

    piece: Component
    number: int
    sure: bool
    single: float
    first: bool


def is_sure(guess: Candidate, height: float, digits: list[int]) -> bool:
    """Tell whether the piece is one digit without a doubt."""
    return bool(guess.probabilities[digits].max() >= SURE and guess.piece.width <= SLIM * height)


def all_ways(
    whole: list[Candidate], sure: list[bool], height: float, classify: Classify, digits: list[int], *, sides: Sides
) -> Lattice:
    """Return all ways to read a row: its pieces taken as they are, apart or together.

    Args:
        whole: what each piece is taken as it is.
        sure: whether it is one digit without a doubt.
        height: of the digits.
        classify: the model of single digits.
        digits: which of its classes are the digits 0 to 9.
        sides: the first column of the page and the one behind its last; ink that reaches them may be cut off.
    """
    parts: list[Part] = []
    known: dict[tuple[int, int], Candidate] = {}
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
    return Lattice(ways + [Edge(k, k + 1, None, log, np.zeros(0)) for k, log in dirt.items()])


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


def _way(span: tuple[int, int], each: Candidate, parts: list[Part], digits: list[int], height: float) -> Edge:
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
    return Edge(start, end, each, log, log + np.log(p / p.sum()))


def _parted(one: Part, other: Part) -> float:
    """Return how likely two neighbours are parts of one digit, by how far one stands over the other, and higher."""
    shared = min(one.piece.right, other.piece.right) - max(one.piece.left, other.piece.left)
    likely = float(np.interp(shared / min(one.piece.width, other.piece.width), *PARTED.T))
    higher = abs(one.piece.top + one.piece.bottom - other.piece.top - other.piece.bottom) / 2
    odds = likely / (1 - likely)
    if shared > 0:
        odds *= np.exp(STEEP * max(0.0, higher / max(one.piece.height, other.piece.height) - STEP))
    return float(min(odds / (1 + odds), SUREST))
