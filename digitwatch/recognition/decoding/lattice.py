"""All ways to take a row's parts as digits, and what they say together: the best one, and how probable a text is."""

from dataclasses import dataclass
from itertools import groupby

import numpy as np

from digitwatch.recognition.arrays import Logs
from digitwatch.recognition.decoding.candidate import Candidate
from digitwatch.recognition.decoding.ctc import Text, add

UNLIKELY = 1e-6  # the least probability that a digit is given
BEST_DIGITS = 3  # digits of a step that the search for texts goes on with


@dataclass(frozen=True)
class Edge:
    """A step of a reading: the parts from `start` to before `end` taken as one digit, or None for dirt.

    `log` is the log probability that the parts are one digit of any kind, `logs` (10,) that they are each of them;
    a digit's logs may sum to less, when the picture's own doubts are weighed by its width.
    """

    start: int
    end: int
    guess: Candidate | None
    log: float
    logs: Logs


class Lattice:
    """The ways through a row of parts, from the first to the last."""

    def __init__(self, ways: list[Edge]) -> None:
        """Take the ways; the last part is where the furthest of them ends."""
        self._ways = sorted(ways, key=lambda way: way.end)
        self._size = self._ways[-1].end + 1
        every = np.full(self._size, -np.inf)
        every[0] = 0.0
        for way in self._ways:
            every[way.end] = np.logaddexp(every[way.end], every[way.start] + way.log)
        self._all = float(every[-1])

    def likely_texts(self, count: int) -> list[Text]:
        """Return up to `count` of the most probable texts, best first."""
        texts: list[dict[Text, float]] = [{} for _ in range(self._size)]
        texts[0][()] = 0.0
        for end, ways in groupby(self._ways, key=lambda way: way.end):
            found: dict[Text, float] = {}
            for way in ways:
                more = _digits(way)
                for text, log in texts[way.start].items():
                    for digit, its_log in more:
                        longer = (*text, *digit)
                        found[longer] = add(found.get(longer, -np.inf), log + its_log)
            texts[end] = dict(sorted(found.items(), key=lambda item: -item[1])[:count])
        return list(texts[-1])

    def log_probability(self, text: Text) -> float:
        """Return the log of the share of all readings' probability that spells the text, however it is parted."""
        spelt = np.full((self._size, len(text) + 1), -np.inf)
        spelt[0, 0] = 0.0
        for way in self._ways:
            if way.guess is None:
                spelt[way.end] = np.logaddexp(spelt[way.end], spelt[way.start] + way.log)
            else:
                more = spelt[way.start, :-1] + way.logs[list(text)]
                spelt[way.end, 1:] = np.logaddexp(spelt[way.end, 1:], more)
        return float(spelt[-1, -1]) - self._all

    def spelling(self, text: Text) -> list[Candidate] | None:
        """Return the most probable digits that spell the text, None when no way through has as many."""
        best = np.full((self._size, len(text) + 1), -np.inf)
        best[0, 0] = 0.0
        steps: dict[tuple[int, int], tuple[Edge, int]] = {}
        for way in self._ways:
            taken = int(way.guess is not None)
            for done in range(len(text) + 1 - taken):
                log = way.logs[text[done]] if taken else way.log
                if best[way.start, done] + log > best[way.end, done + taken]:
                    best[way.end, done + taken] = best[way.start, done] + log
                    steps[way.end, done + taken] = way, done
        if not np.isfinite(best[-1, -1]):
            return None
        chosen, at = [], (self._size - 1, len(text))
        while at != (0, 0):
            way, done = steps[at]
            chosen.append(way)
            at = way.start, done
        return [way.guess for way in chosen[::-1] if way.guess is not None]


def _digits(way: Edge) -> list[tuple[Text, float]]:
    """Return what the way may add to a text, with the log probability of each."""
    if way.guess is None:
        return [((), way.log)]
    return [((int(digit),), float(way.logs[digit])) for digit in np.argsort(way.logs)[-BEST_DIGITS:]]
