"""Patterns as automata: they accept what `re` matches, and know what may follow."""

import re
from itertools import product

import pytest

from digitwatch.forms.patterns import UnsupportedPatternError, automaton

ALPHABET = "012/½"
PATTERNS = (
    "[0-9]{2,3}",
    r"\d\d?/\d",
    "(0|12)+",
    "(?:0|1/)*2?",
    "1{0,2}(?P<half>½)?",
    "[^0/]*|0",
    r"(1{2}|0){2}\/?",
    ".{2,}",
    "",
    "A?1",
)


@pytest.mark.parametrize("pattern", PATTERNS)
def test_an_automaton_accepts_what_the_expression_matches(pattern: str) -> None:
    """All texts of up to five characters, and exactly their beginnings can be continued."""
    found, texts = automaton(pattern, ALPHABET), [""]
    states = {"": found.start}
    for length in range(1, 6):
        texts += ["".join(each) for each in product(ALPHABET, repeat=length)]
    for text in texts[1:]:
        states[text] = found.step(states[text[:-1]], text[-1])
    matching = {text for text in texts if re.fullmatch(pattern, text)}

    assert {text for text in texts if found.end in states[text]} == matching
    assert all(states[text[:count]] for text in matching for count in range(len(text)))


def test_digits_alone_leave_signs_out() -> None:
    """A slash is left out, or a 1 stands in its place, as a reader of digits takes it."""
    found = automaton("[0-9]/[0-9]", "0123456789/").without({"/"}, {"/": "1"})

    def accepts(text: str) -> bool:
        states = found.start
        for each in text:
            states = found.step(states, each)
        return found.end in states

    assert [text for text in ("45", "415", "425", "4", "4/5") if accepts(text)] == ["45", "415"]


@pytest.mark.parametrize("pattern", [r"(.)\1", "(?=1)1", "1*+", "^1$", "(0{50}){50}", r"\b1", r"\x31"])
def test_other_patterns_are_refused(pattern: str) -> None:
    """References, look-around and very long ones; they are still checked as a whole."""
    with pytest.raises(UnsupportedPatternError):
        automaton(pattern, ALPHABET)
