"""Facts about the bound of an error rate and the generalised risk coverage curve."""

import math

import numpy as np
import pytest

from digitwatch.training.evaluation.selective import RiskCoverage, upper_bound


@pytest.mark.parametrize(("wrong", "n", "percent"), [(0, 450, 0.66), (1, 322, 1.46), (0, 59, 4.95), (5, 10, 77.76)])
def test_the_bound_has_known_values(wrong: int, n: int, percent: float) -> None:
    """To a hundredth of a per cent; 0 wrong of 59 is the smallest sample that shows less than 5 %."""
    assert round(100 * upper_bound(wrong, n), 2) == percent


@pytest.mark.parametrize(("wrong", "n"), [(1, 322), (3, 17), (9, 10), (40, 900)])
@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
def test_at_the_bound_so_few_errors_have_the_remaining_probability(wrong: int, n: int, level: float) -> None:
    """By a sum of exact binomial coefficients."""
    p = upper_bound(wrong, n, level)
    tail = sum(math.comb(n, count) * p**count * (1 - p) ** (n - count) for count in range(wrong + 1))

    assert tail == pytest.approx(1 - level, rel=1e-9)


def test_the_bound_of_no_error_has_a_closed_form() -> None:
    """(1 - p) ** n is 0.05, also for a hundred thousand."""
    assert upper_bound(0, 100_000) == pytest.approx(-math.expm1(math.log(0.05) / 100_000), rel=1e-9)


def test_the_bound_of_many_errors_is_that_of_the_normal_distribution() -> None:
    """Half of a hundred thousand: 0.5 and 1.645 standard deviations, and nothing overflows."""
    assert upper_bound(50_000, 100_000) == pytest.approx(0.5 + 1.6449 * 0.5 / math.sqrt(100_000), abs=1e-5)


@pytest.mark.parametrize("n", [0, 1, 7])
def test_nothing_right_bounds_nothing(n: int) -> None:
    """The rate may then be 1."""
    assert upper_bound(n, n) == 1


def test_more_errors_than_cases_are_refused() -> None:
    """The message names both numbers."""
    with pytest.raises(ValueError, match="expected 0 to 3 errors, found 4"):
        upper_bound(4, 3)


def test_the_area_of_four_readings() -> None:
    """Right, wrong, right, wrong: trapezia of 0, 1/2, 1 and 3/2 sixteenths, the last between 1/4 and 1/2."""
    curve = RiskCoverage.of([0.9, 0.8, 0.7, 0.6], [False, True, False, True])

    assert curve.risk.tolist() == [0, 0, 0.25, 0.25, 0.5]
    assert curve.augrc == pytest.approx((0 + 0.125 + 0.25 + 0.375) / 4)
    assert [curve.risk_at(share) for share in (0.25, 0.5, 0.75, 1)] == pytest.approx([0, 1 / 2, 1 / 3, 1 / 2])


def test_the_best_and_the_worst_ranking() -> None:
    """With an error rate e they have e * e / 2, and e less half the square of it."""
    sure, wrong = np.linspace(1, 0, 10).tolist(), [False] * 7 + [True] * 3

    assert RiskCoverage.of(sure, wrong).augrc == pytest.approx(0.3**2 / 2)
    assert RiskCoverage.of(sure, wrong[::-1]).augrc == pytest.approx(0.3 - 0.3**2 / 2)


def test_a_random_ranking_has_half_the_error_rate() -> None:
    """The mean over many orders, as that of readings that are all equally confident, whatever their order."""
    rng, wrong = np.random.default_rng(0), [True] * 20 + [False] * 80
    areas = [RiskCoverage.of(rng.permutation(100).tolist(), wrong).augrc for _ in range(500)]

    assert np.mean(areas) == pytest.approx(0.1, abs=0.003)
    assert RiskCoverage.of([0.5] * 100, wrong).augrc == pytest.approx(0.1)


def test_equally_confident_readings_share_their_errors() -> None:
    """Accepting one of two, of which one is wrong, accepts half an error, in either order."""
    for wrong in ([False, True], [True, False]):
        assert RiskCoverage.of([0.5, 0.5], wrong).risk_at(0.5) == 0.5


def test_no_reading_has_no_curve() -> None:
    """It is refused, as are other lengths."""
    for confidences, wrong in (([], []), ([0.5], [True, False])):
        with pytest.raises(ValueError, match="expected a confidence for each reading"):
            RiskCoverage.of(confidences, wrong)
