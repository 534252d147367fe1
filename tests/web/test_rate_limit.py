"""How often a visitor may do what costs."""

from digitwatch.web import rate_limit
from digitwatch.web.rate_limit import Rate


def test_a_burst_is_allowed_then_a_steady_rate() -> None:
    """Three at once, then one every two seconds."""
    now = [0.0]
    rate = Rate(3, 0.5, lambda: now[0])

    assert [rate.wait("a") for _ in range(4)] == [0, 0, 0, 2]
    now[0] = 2.0
    assert [rate.wait("a"), rate.wait("a")] == [0, 2]


def test_peek_uses_no_token() -> None:
    """`peek` returns what `wait` would."""
    rate = Rate(1, 0.5, lambda: 0.0)

    assert [rate.peek("a"), rate.peek("a"), rate.wait("a"), rate.peek("a")] == [0, 0, 0, 2]


def test_each_visitor_has_a_bucket() -> None:
    """One who floods takes nothing from another."""
    rate = Rate(1, 1, lambda: 0.0)

    assert [rate.wait("a"), rate.wait("a"), rate.wait("b")] == [0, 1, 0]


def test_the_memory_is_bounded() -> None:
    """However many addresses come, only so many are remembered."""
    rate = Rate(1, 1, lambda: 0.0)
    for number in range(rate_limit.KNOWN + 50):
        rate.wait(str(number))

    assert len(rate._buckets) == rate_limit.KNOWN
