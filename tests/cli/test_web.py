"""The web interface as a command: what is refused at the start, with message and exit code."""

import os
import re
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from service import Service, until

pytest.importorskip("starlette", reason="needs the extra web")

import httpx

from digitwatch.web import extras

FOLDERS = "inbox: inbox\noutbox: outbox\narchive: archive\nfailed: failed\npredictions: p.csv\ncorrections: c.csv\n"


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def start(tmp_path: Path, run: Run) -> Run:
    """Return a function that starts digitwatch with settings of the web interface."""

    def start(web: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        (tmp_path / "c.yaml").write_text(f"{FOLDERS}model: dense\nweb: {web}\n")
        return run("-c", str(tmp_path / "c.yaml"), *arguments)

    return start


@pytest.mark.parametrize("arguments", [(), ("web",)])
@pytest.mark.parametrize("place", ["0.0.0.0:8080", "'[::]:8080'", "192.0.2.1:80", "example.org:80"])
def test_a_public_address_needs_a_token(start: Run, place: str, arguments: tuple[str, ...]) -> None:
    """An address that others can reach is bad configuration without a token file."""
    done = start(f"{{listen: {place}}}", *arguments)

    assert done.returncode == 78
    assert "web.listen" in done.stderr and "token_file" in done.stderr


@pytest.mark.parametrize("place", ["8080", "127.0.0.1", "127.0.0.1:x", "::1:80", "127.0.0.1:99999", ":80"])
def test_an_address_is_host_and_port(start: Run, place: str) -> None:
    """Anything else is refused with an example."""
    done = start(f"{{listen: '{place}'}}")

    assert done.returncode == 78
    assert "127.0.0.1:8080" in done.stderr


def test_a_token_that_everybody_can_read_is_refused(tmp_path: Path, start: Run) -> None:
    """The daemon does not start with a secret that is none."""
    (tmp_path / "token").write_text("a-long-enough-token")
    (tmp_path / "token").chmod(0o644)
    done = start("{listen: '0.0.0.0:0', token_file: token}")

    assert done.returncode == 78
    assert "chmod o=" in done.stderr


def test_a_socket_that_systemd_opened_to_others_needs_a_token(tmp_path: Path, run: Run) -> None:
    """What counts is where the socket really listens, not what the settings say."""
    (tmp_path / "c.yaml").write_text(f"{FOLDERS}web: {{listen: '127.0.0.1:8080'}}\n")
    with socket.create_server(("0.0.0.0", 0)) as sock:
        number = str(sock.fileno())
        done = run("-c", str(tmp_path / "c.yaml"), "web", "--socket", number)

    assert done.returncode == 78
    assert "systemd listens at 0.0.0.0" in done.stderr


def test_a_socket_of_systemd_is_answered(tmp_path: Path) -> None:
    """The daemon hands the socket that it inherits to its page, which answers on it."""
    program = shutil.which("systemd-socket-activate")
    if program is None:
        pytest.skip("needs systemd-socket-activate")
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    with Service(tmp_path, "web: {listen: '127.0.0.1:1'}\n").unstarted() as service:
        service.start(ready=False, prefix=[program, "-l", f"127.0.0.1:{port}"])
        until(lambda: "Listening on" in service.lines(), "the socket is open")
        answer = httpx.get(f"http://127.0.0.1:{port}/healthz", timeout=60)
        assert (answer.status_code, answer.text) == (200, "ok\n")
        assert f"web interface at http://127.0.0.1:{port}" in service.lines()
        service.stop()


def test_a_port_that_is_taken_is_tried_again_later(tmp_path: Path, start: Run) -> None:
    """The command ends with 75; beside the daemon it is started again."""
    (tmp_path / "inbox").mkdir()
    with socket.create_server(("127.0.0.1", 0)) as sock:
        done = start(f"{{listen: '127.0.0.1:{sock.getsockname()[1]}'}}", "web")

    assert done.returncode == 75
    assert "web.listen" in done.stderr


def test_without_the_extra_the_settings_are_refused(start: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message names the command that installs what is missing."""
    monkeypatch.setattr(extras, "PACKAGES", (*extras.PACKAGES, "no_such_package"))
    done = start("{listen: '127.0.0.1:0'}")

    assert done.returncode == 78
    assert "needs no_such_package: pip install 'digitwatch[web]'" in done.stderr


def test_the_command_without_its_extra_is_bad_usage(start: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """As for every command whose extra is not installed."""
    monkeypatch.setattr(extras, "PACKAGES", (*extras.PACKAGES, "no_such_package"))
    done = start("{listen: '127.0.0.1:0'}", "web")

    assert done.returncode == 2
    assert "needs no_such_package" in done.stderr


def test_answers_are_sent_at_once(tmp_path: Path) -> None:
    """The socket names its protocol: without it asyncio leaves Nagle's algorithm on, and each answer waits 40 ms."""
    from digitwatch.web.server import bind

    with bind("127.0.0.1", 0) as sock:
        assert sock.proto == socket.IPPROTO_TCP


def test_an_address_in_use_names_its_owner(start: Run) -> None:
    """The message has the address and the process that listens there."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        place = f"127.0.0.1:{sock.getsockname()[1]}"
        done = start(f"{{listen: '{place}'}}", "web")

    assert done.returncode == 75
    assert re.search(rf"Address already in use by \S+ \(process {os.getpid()}\): {place}; see web.listen", done.stderr)
