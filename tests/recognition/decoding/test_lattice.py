"""Ways through a row's parts: the most probable text, its probability, and its digits."""

import numpy as np

from digitwatch.recognition.decoding.candidate import Candidate
from digitwatch.recognition.decoding.lattice import Edge, Lattice
from digitwatch.recognition.segmentation.text_lines import Component


def way(start: int, end: int, log: float = 0.0, **digits: float) -> Edge:
    """Parts taken as one digit, with the probabilities of some digits: d3=0.9."""
    p = np.full(10, 1e-6)
    for name, probability in digits.items():
        p[int(name[1:])] = probability
    ink = np.zeros((28, 28), np.uint8)
    candidate = Candidate(Component(start, 0, ink), ink, p.astype(np.float32))
    return Edge(start, end, candidate, log, log + np.log(p / p.sum()))


def dirt(start: int, log: float = -1.0) -> Edge:
    """A part left out."""
    return Edge(start, start + 1, None, log, np.zeros(0))


def test_the_likeliest_text_comes_first() -> None:
    """Two digits that are clear are read as they are."""
    row = Lattice([way(0, 1, d4=0.9, d9=0.1), way(1, 2, d2=0.8, d7=0.2)])

    assert row.likely_texts(3)[:2] == [(4, 2), (4, 7)]


def test_a_text_is_as_probable_as_all_its_partings_together() -> None:
    """Half of the probability takes both parts as an 8, the other half each as a 1."""
    row = Lattice([way(0, 2, np.log(0.5), d8=1.0), way(0, 1, np.log(0.5), d1=1.0), way(1, 2, d1=1.0)])

    assert np.isclose(np.exp(row.log_probability((8,))), 0.5, atol=1e-3)
    assert np.isclose(np.exp(row.log_probability((1, 1))), 0.5, atol=1e-3)


def test_dirt_is_no_digit() -> None:
    """A part that may be left out gives a shorter text as well."""
    row = Lattice([way(0, 1, d5=1.0), way(1, 2, np.log(0.3), d1=1.0), dirt(1, np.log(0.7))])

    assert row.likely_texts(1) == [(5,)]
    assert np.isclose(np.exp(row.log_probability((5,))), 0.7, atol=1e-3)


def test_the_digits_of_a_text_are_those_that_spell_it_best() -> None:
    """The spelling of 11 takes the two parts apart, that of 8 takes them together."""
    together, one, two = way(0, 2, d8=1.0), way(0, 1, d1=1.0), way(1, 2, d1=1.0)
    row = Lattice([together, one, two])

    assert row.spelling((8,)) == [together.candidate]
    assert row.spelling((1, 1)) == [one.candidate, two.candidate]


def test_a_text_of_a_length_that_no_way_has_is_not_spelt() -> None:
    """Two parts are at most two digits."""
    assert Lattice([way(0, 1, d1=1.0), way(1, 2, d1=1.0)]).spelling((1, 1, 1)) is None
