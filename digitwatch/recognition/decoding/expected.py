"""What may stand on a page whose field is known: it steers the decoders, and its weight is that of a prior."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from digitwatch.recognition.arrays import Floats
from digitwatch.recognition.decoding.ctc import Text

# Prior probability of a text that may stand there by that of one that may not. One field in a hundred holds something
# that its template does not allow: a slip of the pen, a number that is missing in the list.
PRIOR_ODDS = 100.0
PRIOR_LOG_ODDS = math.log(PRIOR_ODDS)
BEAM = 40  # texts with which the search for a spelling continues


@dataclass(frozen=True)
class Texts:
    """A set of texts: whether one of them begins with some characters, and whether a text is one of them."""

    begins: Callable[[str], bool]
    accepts: Callable[[str], bool]


@dataclass(frozen=True)
class Expected:
    """The texts that may stand on a page, as they are written, and as a reader of digits alone sees them."""

    written: Texts
    digits: Texts


def beginnings(texts: Texts, labels: tuple[str, ...]) -> Callable[[Text], bool]:
    """Return whether one of the texts begins with some symbols; a symbol whose label is a word stands in none."""
    known = {symbol for symbol, label in enumerate(labels) if len(label) == 1}

    @cache
    def begins(symbols: Text) -> bool:
        return known.issuperset(symbols) and texts.begins("".join(labels[symbol] for symbol in symbols))

    return begins


def best_spelling(logs: Floats, texts: Texts) -> str:
    """Return the digits that are most probable together, or those of one of the texts where the prior prefers it.

    Args:
        logs: (N, 10) log probabilities of the digits in N places.
        texts: which may stand there.
    """
    free = "".join(map(str, logs.argmax(axis=1)))
    if texts.accepts(free):
        return free
    beam = {"": 0.0}
    for place in logs.tolist():
        longer = {f"{text}{digit}": log + place[digit] for text, log in beam.items() for digit in range(10)}
        possible = sorted((text for text in longer if texts.begins(text)), key=lambda text: -longer[text])
        beam = {text: longer[text] for text in possible[:BEAM]}
    allowed = [text for text in beam if texts.accepts(text)]
    if not allowed:
        return free
    best = max(allowed, key=lambda text: beam[text])
    return best if beam[best] + PRIOR_LOG_ODDS >= float(logs.max(axis=1).sum()) else free


def with_prior(confidence: float, excluded: float) -> float:
    """Return the probability of a text that may stand there, of which a reader that knows nothing is so confident.

    Only what is excluded loses probability, and not all of it. So a text is not sure just because the others are
    excluded: where most of the probability is on one of those, it stays doubtful.

    Args:
        confidence: probability that the text is right, of all texts.
        excluded: share of the other texts' probability on those that may not stand there.
    """
    wrong = (1 - confidence) * (1 - excluded + excluded / PRIOR_ODDS)
    return confidence / max(confidence + wrong, 1e-300)
