"""Which digits of a reading are to be checked, and which are probably none: words, drawings, rests of print."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from digitwatch.log_codes import Status
from digitwatch.recognition.annotation.palette import AMBER, BLUE, GREY, Colour
from digitwatch.recognition.result import Digit, Reading

MARK_BELOW = 0.95  # in a reading to be reviewed, digits less probable than this are marked
UNLIKELY_BELOW = 0.5  # below, a digit is probably none
_BRIDGED = 2  # so many likely digits between two unlikely ones belong to the same word
_SHORTEST_WORD = 2
_SHARE = 1 / 2  # more than this of a word is unlikely
_WHOLE_ROW = 2 / 3  # a word that takes so much of its row takes all of it


@dataclass(frozen=True)
class Certainty:
    """The numbers of the digits that are to be checked (`doubtful`) and of those that are probably none (`unlikely`).

    Both are empty unless the reading is for review. `words` are runs of numbers in one row, most of them unlikely,
    which are shown as one.
    """

    doubtful: frozenset[int] = frozenset()
    unlikely: frozenset[int] = frozenset()
    words: tuple[range, ...] = ()

    @property
    def in_words(self) -> frozenset[int]:
        """The numbers of all digits that belong to words."""
        return frozenset(number for word in self.words for number in word)

    def colour(self, number: int) -> Colour:
        """Return the colour of a digit."""
        if number in self.unlikely:
            return GREY
        return AMBER if number in self.doubtful else BLUE


def certainty(reading: Reading) -> Certainty:
    """Return which digits of a reading are to be checked."""
    if reading.status != Status.REVIEW or not reading.digits:
        return Certainty()
    probabilities = [digit.probability for digit in reading.digits]
    low = {number for number, p in enumerate(probabilities) if p < MARK_BELOW}
    doubtful = low or {min(range(len(probabilities)), key=probabilities.__getitem__)}
    unlikely = frozenset(number for number in low if probabilities[number] < UNLIKELY_BELOW)
    return Certainty(frozenset(doubtful) - unlikely, unlikely, tuple(_words(reading.rows)))


def _words(rows: Sequence[Sequence[Digit]]) -> Iterator[range]:
    first = 0
    for row in rows:
        unlikely = [number for number, digit in enumerate(row) if digit.probability < UNLIKELY_BELOW]
        for begin, end in _runs(unlikely):
            share = sum(begin <= number < end for number in unlikely) / (end - begin)
            if end - begin >= _SHORTEST_WORD and share > _SHARE:
                whole = end - begin >= _WHOLE_ROW * len(row)
                yield range(first, first + len(row)) if whole else range(first + begin, first + end)
        first += len(row)


def _runs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    """Return (first, last + 1) of the runs of increasing numbers, small gaps between them included."""
    runs: list[tuple[int, int]] = []
    for number in numbers:
        if runs and number - runs[-1][1] <= _BRIDGED:
            runs[-1] = (runs[-1][0], number + 1)
        else:
            runs.append((number, number + 1))
    return runs
