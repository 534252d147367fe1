"""Pausing: longer each time, said once."""

import logging

import pytest

from digitwatch.service.backoff import BACK_OFF, SAY_AGAIN, Backoff
from digitwatch.system.os_errors import describe


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


def test_waits_longer_each_time() -> None:
    """The pauses follow the table and then stay at its end."""
    clock = Clock()
    patience = Backoff(clock)
    waits = []
    for _ in range(len(BACK_OFF) + 2):
        patience.pause("disk full")
        waits.append(patience.resume_at - clock.now)

    assert waits == [*BACK_OFF, BACK_OFF[-1], BACK_OFF[-1]]


def test_holds_until_the_time_has_come() -> None:
    """Work is held back until the pause is over."""
    clock = Clock()
    patience = Backoff(clock)
    patience.pause("disk full")

    assert patience.holds
    clock.now = BACK_OFF[0]
    assert not patience.holds


def test_the_same_reason_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A full disk is one line in the journal, not a thousand."""
    patience = Backoff(Clock())
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            patience.pause("disk full")
        patience.well()

    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


def test_trouble_that_comes_and_goes_is_not_said_a_thousand_times(caplog: pytest.LogCaptureFixture) -> None:
    """One scan that cannot be read between good ones: a pair of lines now and then, not for every try."""
    clock = Clock()
    patience = Backoff(clock)
    with caplog.at_level(logging.INFO):
        for _ in range(1000):
            patience.pause("bad sector: /inbox/a.png")
            patience.well()
            clock.now += 1

    assert len(caplog.records) == 2 * (1 + int(999 / SAY_AGAIN))


def test_the_oldest_trouble_is_not_forgotten() -> None:
    """A second one does not hide the first."""
    patience = Backoff(Clock())
    patience.pause("disk full: /out/a.png")
    patience.pause("disk full: /out/b.png")
    assert patience.trouble == "disk full: /out/b.png"
    patience.pause("folder gone: /archive")

    assert patience.trouble == "folder gone: /archive (it began with: disk full: /out/a.png)"
    patience.well()
    assert patience.trouble == ""


def test_trouble_names_the_place() -> None:
    """An operator reads what was refused and where."""
    assert describe(OSError(28, "No space left on device", "/srv/out")) == "No space left on device: /srv/out"
