"""What is read next, and what is read alone."""

from pathlib import Path

import pytest

from digitwatch.service.read_queue import ReadQueue
from digitwatch.spool.claims import Claim


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


def claim(scan: str) -> Claim:
    """Return a claim of this id."""
    return Claim(scan, "a.png", Path("/inbox/.digitwatch") / scan / "a.png")


def test_a_scan_waits_until_it_is_due(clock: Clock) -> None:
    """A scan to be looked at again is not given before its time."""
    backlog = ReadQueue(clock)
    backlog.later(claim("a"), 2.0)
    assert (backlog.take(0), backlog.next_due()) == (None, 2.0)
    clock.now = 2.0

    assert backlog.take(0) == claim("a")
    assert backlog.next_due() is None


def test_a_suspect_is_read_alone(clock: Clock) -> None:
    """A suspect waits until no scan is being read, and no other starts until it has ended."""
    backlog = ReadQueue(clock)
    backlog.suspect(claim("bad"))
    backlog.later(claim("good"))
    assert backlog.take(1) is None
    assert backlog.take(0) == claim("bad")
    assert backlog.is_alone("bad") and backlog.take(0) is None
    backlog.ended("bad")

    assert backlog.take(0) == claim("good")
    assert not backlog.wants_quiet


def test_a_suspect_may_be_tried_again(clock: Clock) -> None:
    """When the process died once more, the scan is a suspect still, and its try has ended."""
    backlog = ReadQueue(clock)
    backlog.suspect(claim("bad"))
    backlog.take(0)
    backlog.suspect(claim("bad"))

    assert backlog.take(0) == claim("bad")
