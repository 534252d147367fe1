"""The lattice of a text line: its segmentations into digits, their best texts, and the probability of a text."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from digitwatch.recognition.arrays import Logs
from digitwatch.recognition.decoding.candidate import Candidate
from digitwatch.recognition.decoding.ctc import Text, add

MIN_PROBABILITY = 1e-6  # that any digit has in a candidate
BEAM_DIGITS = 3  # digits of an edge that the search for texts continues with


@dataclass(frozen=True)
class Edge:
    """The parts from `start` to before `end` taken as one digit, or as dirt where the candidate is None.

    `log` is the log probability that the parts are one digit of any kind, `logs` (10,) that they are each of them;
    a digit's logs may sum to less, where its probability is weighted by its width.
    """

    start: int
    end: int
    candidate: Candidate | None
    log: float
    logs: Logs


class Lattice:
    """A directed graph from before the first part to after the last one; a path is a segmentation."""

    def __init__(self, edges: list[Edge]) -> None:
        """Take the edges; the last part is where the furthest of them ends."""
        self._edges = sorted(edges, key=lambda edge: edge.end)
        self._size = self._edges[-1].end + 1
        every = np.full(self._size, -np.inf)
        every[0] = 0.0
        for edge in self._edges:
            every[edge.end] = np.logaddexp(every[edge.end], every[edge.start] + edge.log)
        self._all = float(every[-1])

    def likely_texts(self, count: int, begins: Callable[[Text], bool] | None = None) -> list[Text]:
        """Return up to `count` of the most probable texts, best first; `begins`: whether one may begin with some."""
        texts: list[dict[Text, float]] = [{} for _ in range(self._size)]
        texts[0][()] = 0.0
        for end, edges in groupby(self._edges, key=lambda edge: edge.end):
            found: dict[Text, float] = {}
            for edge in edges:
                additions = _digits(edge, BEAM_DIGITS if begins is None else len(edge.logs))
                for text, log in texts[edge.start].items():
                    for digit, its_log in additions:
                        longer = (*text, *digit)
                        if begins is not None and not begins(longer):
                            continue
                        found[longer] = add(found.get(longer, -np.inf), log + its_log)
            texts[end] = dict(sorted(found.items(), key=lambda item: -item[1])[:count])
        return list(texts[-1])

    def log_probability(self, text: Text) -> float:
        """Return the log of the share of all readings' probability that spells the text, over all segmentations."""
        spelt = np.full((self._size, len(text) + 1), -np.inf)
        spelt[0, 0] = 0.0
        for edge in self._edges:
            if edge.candidate is None:
                spelt[edge.end] = np.logaddexp(spelt[edge.end], spelt[edge.start] + edge.log)
            else:
                additions = spelt[edge.start, :-1] + edge.logs[list(text)]
                spelt[edge.end, 1:] = np.logaddexp(spelt[edge.end, 1:], additions)
        return float(spelt[-1, -1]) - self._all

    def spelling(self, text: Text) -> list[Candidate] | None:
        """Return the most probable digits that spell the text, None when no path has as many."""
        best = np.full((self._size, len(text) + 1), -np.inf)
        best[0, 0] = 0.0
        steps: dict[tuple[int, int], tuple[Edge, int]] = {}
        for edge in self._edges:
            taken = int(edge.candidate is not None)
            for done in range(len(text) + 1 - taken):
                log = edge.logs[text[done]] if taken else edge.log
                if best[edge.start, done] + log > best[edge.end, done + taken]:
                    best[edge.end, done + taken] = best[edge.start, done] + log
                    steps[edge.end, done + taken] = edge, done
        if not np.isfinite(best[-1, -1]):
            return None
        chosen, at = [], (self._size - 1, len(text))
        while at != (0, 0):
            edge, done = steps[at]
            chosen.append(edge)
            at = edge.start, done
        return [edge.candidate for edge in chosen[::-1] if edge.candidate is not None]


def _digits(edge: Edge, count: int) -> list[tuple[Text, float]]:
    """Return what the edge may append to a text: its `count` most probable digits, with the log probability of each."""
    if edge.candidate is None:
        return [((), edge.log)]
    return [((int(digit),), float(edge.logs[digit])) for digit in np.argsort(edge.logs)[-count:]]
