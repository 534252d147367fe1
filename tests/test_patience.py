"""Pausing: longer each time, said once."""

import logging

import pytest

from digitwatch.patience import BACK_OFF, Patience, told


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Give the time."""
        return self.now


def test_waits_longer_each_time() -> None:
    """The pauses follow the table and then stay at its end."""
    clock = Clock()
    patience = Patience(clock)
    waits = []
    for _ in range(len(BACK_OFF) + 2):
        patience.pause("disk full")
        waits.append(patience.resume_at - clock.now)

    assert waits == [*BACK_OFF, BACK_OFF[-1], BACK_OFF[-1]]


def test_holds_until_the_time_has_come() -> None:
    """Work is held back until the pause is over."""
    clock = Clock()
    patience = Patience(clock)
    patience.pause("disk full")

    assert patience.holds
    clock.now = BACK_OFF[0]
    assert not patience.holds


def test_the_same_reason_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A full disk is one line in the journal, not a thousand."""
    patience = Patience(Clock())
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            patience.pause("disk full")
        patience.well()

    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


def test_trouble_names_the_place() -> None:
    """An operator reads what was refused and where."""
    assert told(OSError(28, "No space left on device", "/srv/out")) == "No space left on device: /srv/out"
