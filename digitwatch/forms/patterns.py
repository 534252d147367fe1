"""Regular expressions as automata, to know which characters may follow; Python's `re` tests whole texts only.

After Thompson, "Regular expression search algorithm", 1968. Taken are characters, classes, groups, alternatives and
repetitions; of a pattern with anything else, such as references and look-around, only whole texts are tested.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from digitwatch.errors import InputError

MAX_STATES = 2000  # of a pattern; (x{50}){50} would have more
QUANTIFIER = re.compile(r"[*+?]|\{(\d*)(,?)(\d*)\}")
CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\])*\]")
CHARACTER = re.compile(r"\\[dDwWsS]|\\[^\w]|[^\\]")
GROUP = re.compile(r"\((?:\?:|\?P<\w+>|(?!\?))")
ANY_COUNT = -1

Edges = tuple[tuple[frozenset[str], int], ...]


class UnsupportedPatternError(InputError):
    """A pattern has a part that the automaton does not have."""


@dataclass(frozen=True)
class Automaton:
    """A nondeterministic automaton.

    Attributes:
        edges: for each state the characters that lead to another; an empty set leads there without one.
        start: the states before the first character.
        end: the state after a whole text.
    """

    edges: tuple[Edges, ...]
    start: frozenset[int]
    end: int

    def step(self, states: frozenset[int], character: str) -> frozenset[int]:
        """Return the states after one more character."""
        return _closed(self.edges, {to for each in states for taken, to in self.edges[each] if character in taken})

    def without(self, dropped: Collection[str], replaced: Mapping[str, str]) -> "Automaton":
        """Return the automaton of the same texts without some characters, or with others in their place."""
        edges = tuple(tuple(_without(taken, to, dropped, replaced) for taken, to in each) for each in self.edges)
        flat = tuple(tuple(edge for several in each for edge in several) for each in edges)
        return Automaton(flat, _closed(flat, {0}), self.end)


def automaton(pattern: str, alphabet: str) -> Automaton:
    """Return the automaton of the texts of an alphabet that match a pattern as a whole.

    Raises:
        UnsupportedPatternError: the pattern has other parts than characters, classes, groups and repetitions.
    """
    parser = _Parser(pattern, alphabet)
    end = parser.alternatives(0)
    if parser.at != len(pattern):
        raise UnsupportedPatternError(f"character {parser.at + 1} of {pattern}")
    edges = tuple(map(tuple, parser.edges))
    return Automaton(edges, _closed(edges, {0}), end)


def _without(
    taken: frozenset[str], to: int, dropped: Collection[str], replaced: Mapping[str, str]
) -> list[tuple[frozenset[str], int]]:
    if not taken.intersection(dropped):
        return [(taken, to)]
    kept = taken.difference(dropped) | {replaced[each] for each in taken if each in replaced}
    return [(frozenset(), to), *([(frozenset(kept), to)] if kept else [])]


def _closed(edges: tuple[Edges, ...], states: Collection[int]) -> frozenset[int]:
    """Return the states and those that can be reached from them without a character."""
    reached, waiting = set(states), list(states)
    while waiting:
        for taken, to in edges[waiting.pop()]:
            if not taken and to not in reached:
                reached.add(to)
                waiting.append(to)
    return frozenset(reached)


class _Parser:
    """Turns a pattern into edges, from left to right; state 0 is before the first character."""

    def __init__(self, pattern: str, alphabet: str) -> None:
        self._pattern, self._alphabet = pattern, alphabet
        self.at = 0
        self.edges: list[list[tuple[frozenset[str], int]]] = [[]]

    def alternatives(self, start: int) -> int:
        """Return the state after one of several sequences."""
        ends = [self._sequence(self._after(start))]
        while self._next == "|":
            self.at += 1
            ends.append(self._sequence(self._after(start)))
        end = self._state()
        for each in ends:
            self._edge(each, end)
        return end

    def _sequence(self, state: int) -> int:
        while self._next and self._next not in "|)":
            begin = self.at
            state = self._repeated(state, begin, self._atom(state))
        return state

    def _repeated(self, start: int, begin: int, end: int) -> int:
        """Return the state after the repetitions of what was read since `begin`, from `start` to `end`."""
        found = QUANTIFIER.match(self._pattern, self.at)
        if found is None:
            return end
        low, high = _counts(found)
        behind = found.end()
        states = [start, end]
        while len(states) <= max(low, high, 1):
            self.at = begin
            states.append(self._atom(states[-1]))
        self.at = behind
        if self._next in ("?", "+"):  # lazy is the same here; possessive is not
            raise UnsupportedPatternError(self._pattern)
        last = self._state()
        if high == ANY_COUNT:
            self._edge(states[-1], states[-2])
        for state in states[low:] if high != 0 else [start]:
            self._edge(state, last)
        return last

    def _atom(self, start: int) -> int:
        """Return the state after a character, a class or a group."""
        if self._next == "(":
            found = GROUP.match(self._pattern, self.at)
            if found is None:
                raise UnsupportedPatternError(self._pattern)
            self.at = found.end()
            end = self.alternatives(self._after(start))
            self._take(")")
            return self._after(end)
        if self._next in "^$*+?{":
            raise UnsupportedPatternError(self._pattern)
        found = (CLASS if self._next == "[" else CHARACTER).match(self._pattern, self.at)
        if found is None:
            raise UnsupportedPatternError(self._pattern)
        self.at = found.end()
        end = self._state()
        self._edge(start, end, frozenset(each for each in self._alphabet if re.fullmatch(found[0], each)))
        return end

    @property
    def _next(self) -> str:
        return self._pattern[self.at : self.at + 1]

    def _take(self, character: str) -> None:
        if self._next != character:
            raise UnsupportedPatternError(self._pattern)
        self.at += 1

    def _state(self) -> int:
        if len(self.edges) >= MAX_STATES:
            raise UnsupportedPatternError(self._pattern)
        self.edges.append([])
        return len(self.edges) - 1

    def _after(self, state: int) -> int:
        """Return a new state that follows without a character."""
        new = self._state()
        self._edge(state, new)
        return new

    def _edge(self, start: int, end: int, taken: frozenset[str] | None = None) -> None:
        if taken is None or taken:  # of a character outside the alphabet there is no way on
            self.edges[start].append((taken or frozenset(), end))


def _counts(found: re.Match[str]) -> tuple[int, int]:
    """Return the fewest and the most repetitions."""
    usual = {"*": (0, ANY_COUNT), "+": (1, ANY_COUNT), "?": (0, 1)}
    if found[0] in usual:
        return usual[found[0]]
    low, comma, high = found.groups()
    if not low and not high:
        raise UnsupportedPatternError(found[0])
    least = int(low or 0)
    return least, int(high) if high else ANY_COUNT if comma else least
