"""Pausing: longer each time, said once."""

import logging

import pytest

from digitwatch.service.backoff import BACK_OFF, REPEAT_SECONDS, Backoff
from digitwatch.system.os_errors import describe


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_waits_longer_each_time() -> None:
    """The pauses follow the table and then stay at its end."""
    clock = Clock()
    backoff = Backoff(clock)
    waits = []
    for _ in range(len(BACK_OFF) + 2):
        backoff.pause("disk full")
        waits.append(backoff.resume_at - clock.now)

    assert waits == [*BACK_OFF, BACK_OFF[-1], BACK_OFF[-1]]


def test_holds_until_the_time_has_come() -> None:
    """Work is held back until the pause is over."""
    clock = Clock()
    backoff = Backoff(clock)
    backoff.pause("disk full")

    assert backoff.is_holding
    clock.now = BACK_OFF[0]
    assert not backoff.is_holding


def test_the_same_reason_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    """A full disk is one line in the journal, not a thousand."""
    backoff = Backoff(Clock())
    with caplog.at_level(logging.INFO):
        for _ in range(5):
            backoff.pause("disk full")
        backoff.recovered()

    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]


def test_an_error_that_comes_and_goes_is_logged_seldom(caplog: pytest.LogCaptureFixture) -> None:
    """One scan that cannot be read between good ones: a pair of lines now and then, not for every try."""
    clock = Clock()
    backoff = Backoff(clock)
    with caplog.at_level(logging.INFO):
        for _ in range(1000):
            backoff.pause("bad sector: /inbox/a.png")
            backoff.recovered()
            clock.now += 1

    assert len(caplog.records) == 2 * (1 + int(999 / REPEAT_SECONDS))


def test_the_oldest_error_is_kept() -> None:
    """A second one does not hide the first."""
    backoff = Backoff(Clock())
    backoff.pause("disk full: /out/a.png")
    backoff.pause("disk full: /out/b.png")
    assert backoff.summary == "disk full: /out/b.png"
    backoff.pause("folder gone: /archive")

    assert backoff.summary == "folder gone: /archive (it began with: disk full: /out/a.png)"
    backoff.recovered()
    assert backoff.summary == ""


def test_an_error_names_its_path() -> None:
    """An operator reads what was refused and where."""
    assert describe(OSError(28, "No space left on device", "/srv/out")) == "No space left on device: /srv/out"
