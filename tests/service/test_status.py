"""The status line and the counts of the day."""

import socket
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from digitwatch import log_codes
from digitwatch.service.status import EVERY, Status, StatusLine
from digitwatch.spool.csv_rows import Row, encode
from digitwatch.workers.messages import Job, PageResult, Read, Rejected


class Clock:
    """A clock that the test sets."""

    now = 0.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> socket.socket:
    """Return the socket on which a service manager would listen."""
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(tmp_path / "notify"))
    listener.settimeout(5)
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
    return listener


JOB = Job("id", "a.png", Path("a"), Path("o"))
READ = Read(JOB, "sha", ())


def test_the_status_line_has_watch_and_counts(manager: socket.socket) -> None:
    """Watching how, waiting, read and failed today, in one line."""
    status = Status()
    status.count(READ)
    status.count(Rejected(JOB, "is empty", "sha"))
    StatusLine(Clock()).publish({"": status.line("events", 3, "")})

    with manager:
        line = manager.recv(4096).decode()
    assert line == "WATCHDOG=1\nSTATUS=watching by events; 3 waiting; 1 read, 1 failed today"


def test_a_pause_comes_first(manager: socket.socket) -> None:
    """The pause comes first, where `systemctl status` does not cut it off."""
    StatusLine(Clock()).publish({"": Status().line("polling", 0, "disk full")})

    with manager:
        assert "STATUS=PAUSED: disk full; watching by polling" in manager.recv(4096).decode()


def test_a_paused_profile_comes_first(manager: socket.socket) -> None:
    """Each profile is named; what needs a person is not cut off."""
    states = {"bills": Status().line("events", 0, ""), "meters": Status().line("events", 2, "disk full")}
    StatusLine(Clock()).publish(states)

    with manager:
        line = manager.recv(4096).decode().partition("STATUS=")[2]
    assert line.startswith("meters: PAUSED: disk full; ") and " | bills: watching by events; 0 waiting" in line


def test_the_line_is_renewed_only_now_and_then(manager: socket.socket) -> None:
    """A thousand scans a second do not make a thousand status lines."""
    clock = Clock()
    status = StatusLine(clock)
    seen = []
    with manager:
        for waiting in range(3):
            status.publish({"": f"{waiting} waiting"})
            seen.append("STATUS" in manager.recv(4096).decode())
            clock.now += EVERY / 2

    assert seen == [True, False, True]


def test_counts_are_reset_each_day(manager: socket.socket) -> None:
    """Read today means today."""
    days = iter([date(2026, 11, 22), date(2026, 11, 22), date(2026, 11, 23), date(2026, 11, 23)])
    status = Status(today=lambda: next(days))
    status.count(READ)
    status.count(READ)
    StatusLine(Clock()).publish({"": status.line("events", 0, "")})

    with manager:
        assert "1 read, 0 failed" in manager.recv(4096).decode()


def test_the_file_that_waits_longest_is_named(manager: socket.socket) -> None:
    """Nothing is paused, and yet a file waits."""
    line = Status().line("events", 0, "", "/inbox/a.png may not be read (and 2 more)")
    StatusLine(Clock()).publish({"": line})

    with manager:
        assert manager.recv(4096).decode().endswith("; left alone: /inbox/a.png may not be read (and 2 more)")


def test_no_reading_is_called_certain(caplog: pytest.LogCaptureFixture) -> None:
    """0.99999 is not 100.0 %."""
    page = PageResult(1, "7", 0.99999, log_codes.Status.OK, "", "7:1.000", Path("o"))
    with caplog.at_level("INFO"):
        Status().count(replace(READ, pages=(page,)))

    assert "confidence 99.9 %" in caplog.text


def test_a_restart_continues_the_counts(manager: socket.socket, tmp_path: Path) -> None:
    """Read today means today, not since the last start."""
    status = Status(today=lambda: date(2026, 11, 22))
    row = Row("2026-11-22T1", "a.png", "1", "7", "0.9", "failed", "", "", "id", "sha", "", "f", "m", "12")
    (tmp_path / "p.csv").write_bytes(encode([row]))
    status.resume(tmp_path / "p.csv")
    status.count(READ)
    StatusLine(Clock()).publish({"": status.line("events", 0, "")})

    with manager:
        assert "1 read, 1 failed today" in manager.recv(4096).decode()


def test_a_log_line_has_page_field_value_and_codes(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """Each page of several is named by its number, each field by its name, and doubts by their codes."""
    page = PageResult(1, "1250", 0.4, log_codes.Status.REVIEW, "", "", tmp_path, "disagreement sign", "12,50")
    pages = (
        page,
        replace(page, page=2, field="total", codes="", text="", prediction="", status=log_codes.Status.EMPTY),
    )
    with caplog.at_level("INFO"):
        Status().count(Read(JOB, "sha", pages))

    assert caplog.messages == [
        "a.png, page 1: 12,50 (review, confidence 40.0 %; disagreement sign)",
        "a.png, page 2, field total: nothing (empty, confidence 40.0 %)",
    ]
