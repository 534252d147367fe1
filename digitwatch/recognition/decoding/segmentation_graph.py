"""The segmentation graph of a text line: components as they are, split or joined, and how probable each is."""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from digitwatch.recognition.decoding.candidate import Candidate, Classify, classify_components
from digitwatch.recognition.decoding.lattice import MIN_PROBABILITY, Edge, Lattice
from digitwatch.recognition.segmentation.oversegment import split
from digitwatch.recognition.segmentation.text_lines import Component, join

Sides = tuple[float, float]

# (width / height, probability) that a connected component is one digit.
SINGLE_DIGIT_BY_ASPECT = np.array([[0.0, 0.995], [0.8, 0.98], [1.1, 0.8], [1.5, 0.3], [2.0, 0.02], [2.5, 1e-4]])
# (horizontal overlap / width, probability) that two components are parts of one digit.
SAME_DIGIT_BY_OVERLAP = np.array([[0.0, 0.1], [0.4, 0.5]])
MAX_SAME_DIGIT = 0.99  # the highest such probability
OFFSET_FROM = 0.2  # vertical distance of the middles, by height, from which overlapping components belong together
OFFSET_EXPONENT = 10.0  # how fast the odds of that rise with the distance
HEIGHT_SIGMA = 0.3  # standard deviation of the logarithm of digits' heights within a line
USUAL_ASPECT = 0.6  # width / height of a digit
WIDTH_EXPONENT = 1.5  # the probability of a wider part weighs more, by this power of its width
SURE_PROBABILITY = 0.9  # a component of usual shape with this digit probability is not split
MAX_SURE_ASPECT = 0.85  # width of such a component, by the digits' height
MAX_DIGIT_ASPECT = 1.5  # width of a digit, by the digits' height
MAX_PART_GAP = 0.25  # between parts of one digit, by the digits' height
MAX_SURE_PART_GAP = 0.05  # the same where one of them is surely a digit by itself
MAX_DIRT_INK = 0.15  # ink of a part that may be left out as dirt, by the ink of a usual digit
DIRT_LOG_PROBABILITY = -1.5  # that such a part is dirt
CUT_OFF_LOG_PROBABILITY = -1.5  # that a part which the border cuts belongs to a neighbour of the line


@dataclass(frozen=True)
class Part:
    """A node of the graph: a component, or what is between two cuts through one.

    `number` is that of the component in its line, `sure` says that it is a digit by itself, `single` is P(the whole
    component is one digit), and `first` marks the component's leftmost part.
    """

    component: Component
    number: int
    sure: bool
    single: float
    first: bool


def is_sure(candidate: Candidate, height: float, digits: list[int]) -> bool:
    """Return whether the component is surely one digit."""
    return bool(
        candidate.probabilities[digits].max() >= SURE_PROBABILITY
        and candidate.component.width <= MAX_SURE_ASPECT * height
    )


def segmentation_lattice(
    unsplit: list[Candidate], sure: list[bool], height: float, classify: Classify, digits: list[int], *, sides: Sides
) -> Lattice:
    """Return the lattice of a text line: its components taken as they are, split and joined.

    Args:
        unsplit: each component as a candidate.
        sure: whether it is surely one digit.
        height: of the digits.
        classify: the digit classifier.
        digits: which of its classes are the digits 0 to 9.
        sides: left and right border of the page, in columns; ink that touches them may be cut off.
    """
    parts: list[Part] = []
    known: dict[tuple[int, int], Candidate] = {}
    for number, (each, certain) in enumerate(zip(unsplit, sure, strict=True)):
        components = [each.component] if certain else split(each.component, height)
        known[len(parts), len(parts) + len(components)] = each
        single = 1.0 if certain else float(np.interp(each.component.width / height, *SINGLE_DIGIT_BY_ASPECT.T))
        parts += [Part(component, number, certain, single, component is components[0]) for component in components]
    spans = [] if all(sure) else [span for span in _spans(parts, height) if span not in known]
    joined = classify_components(
        [join([part.component for part in parts[start:end]]) for start, end in spans], classify
    )
    known.update(zip(spans, joined, strict=True))
    edges = [_edge(span, each, parts, digits, height) for span, each in known.items()]
    usual = float(np.median([each.component.glyph.sum(dtype=np.int64) for each in known.values()]))
    dirt = {
        k: DIRT_LOG_PROBABILITY
        for k, part in enumerate(parts)
        if part.component.glyph.sum(dtype=np.int64) < MAX_DIRT_INK * usual
    }
    cut = [
        k
        for k, part in enumerate(parts)
        if not part.sure and (part.component.left <= sides[0] or part.component.right >= sides[1])
    ]
    dirt |= dict.fromkeys(cut if len(parts) > 1 else [], CUT_OFF_LOG_PROBABILITY)
    return Lattice(edges + [Edge(k, k + 1, None, log, np.zeros(0)) for k, log in dirt.items()])


def _spans(parts: list[Part], height: float) -> list[tuple[int, int]]:
    """Return which neighbouring parts may be one digit: (first, after the last)."""
    spans = []
    for start, first in enumerate(parts):
        left, right = first.component.left, first.component.right
        for end in range(start + 1, len(parts) + 1):
            last = parts[end - 1]
            near = MAX_SURE_PART_GAP if first.sure or last.sure else MAX_PART_GAP
            if last is not first and last.component.left - right > near * height:
                break
            left, right = min(left, last.component.left), max(right, last.component.right)
            if right - left > MAX_DIGIT_ASPECT * height:
                break
            spans.append((start, end))
    return spans


def _edge(span: tuple[int, int], each: Candidate, parts: list[Part], digits: list[int], height: float) -> Edge:
    """Return the edge that takes the parts of the span as one digit."""
    start, end = span
    used = parts[start:end]
    cut_before = not used[0].first
    cut_behind = end < len(parts) and not parts[end].first
    log = -0.5 * float(np.log(each.component.height / height) / HEIGHT_SIGMA) ** 2
    # Each component that is split counts once, at its first part.
    if (cut_behind and used[-1].number != used[0].number) or (not cut_before and cut_behind):
        log += float(np.log(1 - used[-1].single))
    elif not cut_before:
        log += float(np.log(used[0].single))
    log += sum(float(np.log(_same_digit(one, other))) for one, other in pairwise(used) if one.number != other.number)
    if end < len(parts) and not cut_behind:
        log += float(np.log1p(-_same_digit(used[-1], parts[end])))
    # Otherwise a few wide digits would win over many narrow ones, having fewer factors.
    weight = (np.clip(each.component.width / height, 0.3, 0.9) / USUAL_ASPECT) ** WIDTH_EXPONENT
    p = np.maximum(each.probabilities[digits].astype(np.float64), MIN_PROBABILITY)
    log += float(weight * np.log(p.sum()))
    return Edge(start, end, each, log, log + np.log(p / p.sum()))


def _same_digit(one: Part, other: Part) -> float:
    """Return P(two neighbours are parts of one digit), from their horizontal overlap and vertical offset."""
    shared = min(one.component.right, other.component.right) - max(one.component.left, other.component.left)
    likely = float(np.interp(shared / min(one.component.width, other.component.width), *SAME_DIGIT_BY_OVERLAP.T))
    higher = abs(one.component.top + one.component.bottom - other.component.top - other.component.bottom) / 2
    odds = likely / (1 - likely)
    if shared > 0:
        odds *= np.exp(
            OFFSET_EXPONENT * max(0.0, higher / max(one.component.height, other.component.height) - OFFSET_FROM)
        )
    return float(min(odds / (1 + odds), MAX_SAME_DIGIT))
