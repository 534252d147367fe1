"""Decodes a text line: the segmentation of its components into digits that both networks find most probable."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from digitwatch.recognition.arrays import Logs, Pixels
from digitwatch.recognition.decoding.candidate import Candidate, Classify, classify_components
from digitwatch.recognition.decoding.ctc import Text, alternatives, likely_texts, log_probabilities, spans
from digitwatch.recognition.decoding.expected import PRIOR_LOG_ODDS, Texts, beginnings, best_spelling
from digitwatch.recognition.decoding.lattice import MIN_PROBABILITY, Lattice
from digitwatch.recognition.decoding.segmentation_graph import Sides, is_sure, segmentation_lattice
from digitwatch.recognition.decoding.test_time_augmentation import augmented
from digitwatch.recognition.networks.line_image import Strip, strip
from digitwatch.recognition.networks.line_recognizer import FRAME_PX
from digitwatch.recognition.segmentation.text_lines import Component, join

RecogniseLine = Callable[[Pixels], Logs]  # (32, W) uint8 to (T, 12): ten digits, `other` and the blank
SecondOpinions = Sequence[Logs | None]

DIGIT_LABELS = tuple("0123456789")
NO_DIGIT_SYMBOL = 10  # the line recogniser's symbol of what is no digit
TEXT_CANDIDATES = 6  # texts that the lattice and the CTC search propose, each
CTC_WEIGHT = 0.6  # exponent of the line recogniser's probability of a text, beside the lattice's
CTC_DIGIT_WEIGHT = 0.4  # exponent of its probability of each digit, beside the classifier's
CTC_ONLY_DIGIT_WEIGHT = 3.0  # and where only the line recogniser could segment the line
SEGMENTATION_PROBABILITY = 0.95  # that parts which all read as digits are the right ones
MIN_CTC_LOG_PROBABILITY = -30.0  # of a text that the line recogniser rules out
NO_BORDERS: Sides = (-np.inf, np.inf)  # a page of unlimited width
ORIENTATION_SAMPLE = 40  # components by which the orientation of a page is judged


@dataclass(frozen=True)
class Row:
    """The best reading of a text line: its digits, and the probability of their segmentation.

    `text` names the digits where they are others than the most probable ones, by what is expected.
    """

    candidates: tuple[Candidate, ...]
    certainty: float
    text: str = ""


def read_rows(
    rows: list[list[Component]],
    classify: Classify,
    recognise_line: RecogniseLine,
    digits: list[int],
    *,
    sides: Sides = NO_BORDERS,
    expected: Texts | None = None,
) -> list[Row]:
    """Return the digits of text lines.

    Args:
        rows: components in reading order, as `text_lines.find_rows` returns them.
        classify: the digit classifier.
        recognise_line: the line recogniser: (32, W) uint8 to (T, 12) log probabilities.
        digits: which of the classes are the digits 0 to 9, in this order; the other class is no digit.
        sides: left and right border of the page, in columns; ink that touches them may be cut off.
        expected: what may stand there, where it is known and there is one line.
    """
    components = [component for row in rows for component in row]
    first = iter(classify_components(components, classify))
    networks = _Networks(classify, recognise_line, digits, sides)
    read = [_read_row([next(first) for _ in row], networks, expected) for row in rows]
    augmented_candidates = iter(
        _with_augmentation([candidate for row, _ in read for candidate in row.candidates], classify)
    )
    found = []
    for row, second_opinions in read:
        combined = [_combined(next(augmented_candidates), digit_logs, digits) for digit_logs in second_opinions]
        found.append(Row(tuple(combined), row.certainty, _spelling(combined, digits, expected)))
    return found


def _spelling(candidates: list[Candidate], digits: list[int], expected: Texts | None) -> str:
    """Return the digits that are expected, where they are others than the most probable ones."""
    if expected is None or not candidates:
        return ""
    probabilities = np.array([each.probabilities[digits] for each in candidates], float)
    return best_spelling(np.log(np.maximum(probabilities, MIN_PROBABILITY)), expected)


def mean_digit_probability(rows: list[list[Component]], classify: Classify, digits: list[int]) -> float:
    """Return the mean probability of the best digit over a sample of the components."""
    components = [component for row in rows for component in row]
    candidates = classify_components(components[:: len(components) // ORIENTATION_SAMPLE + 1], classify)
    return float(np.mean([each.probabilities[digits].max() for each in candidates])) if candidates else 0.0


def _with_augmentation(candidates: list[Candidate], classify: Classify) -> list[Candidate]:
    """Return the candidates with the mean probabilities over test-time augmentations; the model is called once."""
    if not candidates:
        return []
    more = [augmented(candidate.component.glyph, candidate.glyph) for candidate in candidates]
    answers = classify(np.stack([picture for pictures in more for picture in pictures]))
    answers = answers.reshape(len(candidates), -1, answers.shape[1])  # (N, augmentations, classes)
    return [
        replace(candidate, probabilities=np.vstack([candidate.probabilities, answer]).mean(axis=0))
        for candidate, answer in zip(candidates, answers, strict=True)
    ]


def _combined(single: Candidate, second: Logs | None, digits: list[int]) -> Candidate:
    """Return the candidate with the digits' probabilities multiplied by the line recogniser's.

    Where the two name different digits, the mean of the classifier's and the product is taken.
    """
    if second is None:
        return single
    probabilities = single.probabilities.copy()
    alone = single.probabilities[digits]
    both = alone * np.exp(second)
    both *= alone.sum() / both.sum()
    probabilities[digits] = both if both.argmax() == alone.argmax() else (both + alone) / 2
    return replace(single, probabilities=probabilities)


@dataclass(frozen=True)
class _Networks:
    """The networks and what is known about their classes and the page; see read_rows."""

    classify: Classify
    recognise_line: RecogniseLine
    digits: list[int]
    sides: Sides


def _read_row(unsplit: list[Candidate], networks: _Networks, expected: Texts | None) -> tuple[Row, SecondOpinions]:
    """Return the best reading of one text line, and for each digit the line recogniser's (10,) log probabilities."""
    classify, digits = networks.classify, networks.digits
    height = float(np.median([each.component.height for each in unsplit]))
    certain = [is_sure(each, height, digits) for each in unsplit]
    if all(certain) and len(unsplit) == 1:
        return Row(tuple(unsplit), 1.0), [None]
    row = strip([each.component for each in unsplit], height)
    frames = networks.recognise_line(row.picture)
    lattice = segmentation_lattice(unsplit, certain, height, classify, digits, sides=networks.sides)
    missegmented = _missegmented(lattice, digits)
    text, certainty = _best_text(lattice, frames, missegmented, expected)
    digit_logs = alternatives(frames, text, len(digits))
    spelt = lattice.spelling(text)
    # A text with more symbols than frames, from a line of many narrow strokes, is placed by its parts.
    fits = len(text) + sum(one == other for one, other in pairwise(text)) <= len(frames)
    if spelt and (not fits or lattice.log_probability(text) >= missegmented(text)):
        return Row(tuple(spelt), certainty), list(CTC_DIGIT_WEIGHT * digit_logs)
    parts = _between(join([each.component for each in unsplit]), row, spans(frames, text))
    return Row(tuple(classify_components(parts, classify)), certainty), list(CTC_ONLY_DIGIT_WEIGHT * digit_logs)


def _between(component: Component, row: Strip, places: list[tuple[int, int]]) -> list[Component]:
    """Return the component cut vertically, halfway between its digits; each is (first frame, frame after the last)."""
    middles = [(before[1] + after[0]) / 2 * FRAME_PX for before, after in pairwise(places)]
    edges = [component.left, *(row.on_page(column) for column in middles), component.right]
    cuts = [min(max(edge - component.left, k), component.width - len(places) + k) for k, edge in enumerate(edges)]
    parts = []
    for left, right in pairwise(np.maximum.accumulate(cuts)):
        parts.append(
            Component(component.left + int(left), component.top, component.glyph[:, left : max(right, left + 1)])
        )
    return parts


def _missegmented(lattice: Lattice, digits: list[int]) -> Callable[[Text], float]:
    """Return the log probability that a text is right although the parts do not spell it.

    It falls with the digit probability of the best parts. A single digit is left to the classifier.
    """
    best = next(iter(lattice.likely_texts(1)), ())
    candidates = lattice.spelling(best) or []
    probability = float(np.prod([candidate.probabilities[digits].max() for candidate in candidates]))
    return lambda text: float(
        np.log1p(-SEGMENTATION_PROBABILITY * (1.0 if len(text) == len(best) == 1 else probability))
    )


def _best_text(
    lattice: Lattice, frames: Logs, missegmented: Callable[[Text], float], expected: Texts | None = None
) -> tuple[Text, float]:
    """Return the text that lattice and line recogniser together find most probable, and P(its length).

    Other texts of the line recogniser, with non-digits too, lower that probability. A text that the parts cannot
    spell is possible with the log probability that `missegmented` returns. What is expected has a higher prior, which
    does not raise the probability that is returned.
    """
    seen = likely_texts(frames, TEXT_CANDIDATES)
    known = lattice.likely_texts(TEXT_CANDIDATES) + [text for text in seen if NO_DIGIT_SYMBOL not in text]
    if expected is not None:
        begins = beginnings(expected, DIGIT_LABELS)
        known += lattice.likely_texts(TEXT_CANDIDATES, begins) + likely_texts(frames, TEXT_CANDIDATES, begins)
    texts = [text for text in dict.fromkeys(known) if text]  # ink is never an empty text
    rejected = [text for text in seen if text not in texts]
    logs = np.array([missegmented(text) for text in texts + rejected])
    logs[: len(texts)] = np.maximum(logs[: len(texts)], [lattice.log_probability(text) for text in texts])
    logs += CTC_WEIGHT * np.maximum(log_probabilities(frames, texts + rejected), MIN_CTC_LOG_PROBABILITY)
    priors = [
        PRIOR_LOG_ODDS if expected is not None and expected.accepts("".join(map(str, text))) else 0.0 for text in texts
    ]
    best = texts[int((logs[: len(texts)] + priors).argmax())]
    same = [text in texts and len(text) == len(best) for text in texts + rejected]
    certainty = np.exp(np.logaddexp.reduce(logs[same]) - np.logaddexp.reduce(logs))
    return best, float(certainty)
