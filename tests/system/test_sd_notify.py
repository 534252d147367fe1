"""Messages to the service manager, read from a real notify socket."""

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitwatch.system import sd_notify


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[socket.socket]:
    """Return the socket on which a service manager would listen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "notify"))
        listener.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        yield listener


def test_fields_arrive_in_one_message(manager: socket.socket) -> None:
    """Each field is a line of one datagram."""
    sd_notify.notify(READY=1, STATUS="watching – all is well")

    assert manager.recv(4096).decode() == "READY=1\nSTATUS=watching – all is well"


def test_an_abstract_socket_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that begins with @ has no place in the filesystem; containers use such ones."""
    name = f"digitwatch-test-{os.getpid()}"
    monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        listener.settimeout(5)
        sd_notify.notify(STOPPING=1)

        assert listener.recv(4096) == b"STOPPING=1"


def test_a_name_adds_no_field_to_the_status(manager: socket.socket) -> None:
    """A scan whose name holds a line end adds no field of its own."""
    sd_notify.notify(STATUS="PAUSED: Permission denied: a\nWATCHDOG=trigger")

    assert manager.recv(4096) == b"STATUS=PAUSED: Permission denied: a WATCHDOG=trigger"


def test_a_name_that_is_not_utf8_is_escaped(manager: socket.socket) -> None:
    """Undecodable bytes of a file name are escaped and end nothing."""
    sd_notify.notify(STATUS=os.fsdecode(b"scan-\xff.png"))

    assert manager.recv(4096) == b"STATUS=scan-\\udcff.png"


def test_without_a_manager_nothing_happens(monkeypatch: pytest.MonkeyPatch) -> None:
    """In a terminal nothing is sent."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    sd_notify.notify(READY=1)


def test_a_manager_that_is_gone_does_no_harm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While the manager restarts its socket may be missing; the daemon continues."""
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "gone"))

    sd_notify.notify(WATCHDOG=1)


def test_a_reload_sends_its_start_time(manager: socket.socket) -> None:
    """RELOADING=1 comes with the monotonic time in microseconds, as Type=notify-reload demands."""
    before = time.monotonic() * 1e6
    sd_notify.reloading()

    first, second = manager.recv(4096).decode().split("\n")
    assert first == "RELOADING=1"
    assert before - 1 <= int(second.removeprefix("MONOTONIC_USEC=")) <= time.monotonic() * 1e6


@pytest.mark.parametrize(
    ("environment", "seconds"),
    [
        ({}, None),
        ({"WATCHDOG_USEC": "60000000"}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": str(os.getpid())}, 30.0),
        ({"WATCHDOG_USEC": "60000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
    ],
)
def test_the_watchdog_is_pinged_at_half_its_time(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], seconds: float | None
) -> None:
    """Only from the process that the manager names, and only when it asks for it."""
    for name in ("WATCHDOG_USEC", "WATCHDOG_PID"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    assert sd_notify.watchdog_seconds() == seconds
