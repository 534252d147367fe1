"""Ten thousand simulated readings of meters with misread digits."""

import pytest
from meters import KINDS, simulate


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_misreading_that_a_rule_can_know_is_published(seed: int) -> None:
    """2 % of 10,000 readings have a misread digit at full confidence; a true one is published again as the third."""
    figures = simulate(KINDS["2 % of the readings, 1 a day, limit 2"], seed)
    print(f"\n{figures}")

    assert (figures.readings, figures.published_knowable) == (10_000, 0)
    assert figures.knowable > 150 and figures.published_others < 15 and figures.largest_error <= 2
    assert max(figures.recoveries, default=0) <= 3
