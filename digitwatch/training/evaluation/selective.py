"""Measures of a reader that may decline to answer: a bound of its error rate, risk at coverage and the AUGRC."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

STEPS = 60  # halvings of the interval that holds the bound: to 1e-18


def upper_bound(wrong: int, n: int, level: float = 0.95) -> float:
    """Return the one-sided upper confidence bound of an error rate of which `wrong` errors in `n` were seen.

    It is the rate at which so few errors have the probability 1 - `level`; 1.0 where nothing was seen. Exact: Clopper
    and Pearson, "The use of confidence or fiducial limits illustrated in the case of the binomial", 1934.

    Raises:
        ValueError: `wrong` is not between 0 and `n`.
    """
    if not 0 <= wrong <= n:
        raise ValueError(f"expected 0 to {n} errors, found {wrong}")
    if wrong == n:
        return 1.0
    counts = np.arange(wrong + 1)
    choices = _log_choices(n, wrong)
    low, high = wrong / n, 1.0
    for _ in range(STEPS):
        rate = (low + high) / 2
        tail = _log_sum(choices + counts * math.log(rate) + (n - counts) * math.log1p(-rate))
        low, high = (rate, high) if tail > math.log(1 - level) else (low, rate)
    return high


def _log_choices(n: int, most: int) -> Floats:
    """Return the logarithms of the binomial coefficients of `n` over 0 to `most`, (most + 1,)."""
    counts = np.arange(1, most + 1)
    return np.concatenate([[0.0], np.cumsum(np.log((n - counts + 1) / counts))])


def _log_sum(logarithms: Floats) -> float:
    """Return the logarithm of a sum whose terms are given as logarithms."""
    largest = float(logarithms.max())
    return largest + math.log(float(np.exp(logarithms - largest).sum()))


@dataclass(frozen=True)
class RiskCoverage:
    """The generalised risk coverage curve: what is wrong and accepted when the most confident readings are accepted.

    Readings of equal confidence are accepted together; between two points the curve is a straight line, which is its
    mean over all orders of such readings.

    coverage: (K,) share of the readings that are accepted, 0 to 1, ascending. risk: (K,) share of all readings that are
    accepted and wrong.
    """

    coverage: Floats
    risk: Floats

    @classmethod
    def of(cls, confidences: Sequence[float], wrong: Sequence[bool]) -> "RiskCoverage":
        """Return the curve of readings, each with its confidence and whether it is wrong.

        Raises:
            ValueError: there is no reading, or not as many of one as of the other.
        """
        if len(confidences) != len(wrong) or not wrong:
            raise ValueError(f"expected a confidence for each reading, found {len(confidences)} for {len(wrong)}")
        confidence = np.asarray(confidences, np.float64)
        order = np.argsort(-confidence, kind="stable")
        ends = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True))  # the last of each equal confidence
        errors = np.cumsum(np.asarray(wrong, np.float64)[order])[ends]
        return cls(np.append(0.0, (ends + 1) / len(wrong)), np.append(0.0, errors / len(wrong)))

    def risk_at(self, coverage: float) -> float:
        """Return the share of wrong ones among the most confident readings, `coverage` (above 0, to 1) of all."""
        return float(np.interp(coverage, self.coverage, self.risk)) / coverage

    @property
    def augrc(self) -> float:
        """The area under the curve: the mean over all coverages of the share that is wrong and accepted.

        With the error rate e it is e * e / 2 where all wrong readings come last, and e / 2 for a random order. Traub et
        al., "Overcoming Common Flaws in the Evaluation of Selective Classification Systems", NeurIPS 2024.
        """
        return float((np.diff(self.coverage) * (self.risk[1:] + self.risk[:-1])).sum() / 2)
