"""Checks of the web interface: switched off, missing packages or token, an address in use or of another machine."""

import contextlib
import http.server
import os
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from digitwatch.diagnostics import check_web_port
from digitwatch.web import extras, identity


def lines(
    listen: str | None, token_file: Path | None = None, corrections: Path = Path("absent/corrections.csv")
) -> str:
    """Return the lines about the web interface."""
    return "\n".join(map(str, check_web_port.web_port(listen, token_file, corrections)))


@pytest.fixture
def taken() -> Iterator[str]:
    """Bind an address on which no server answers."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield f"127.0.0.1:{sock.getsockname()[1]}"


def test_a_switched_off_web_interface_is_fine() -> None:
    """Nothing is tried then."""
    assert lines(None).startswith("ok    web: switched off")


def test_an_address_that_is_free() -> None:
    """It is taken for a moment, and free again."""
    assert lines("127.0.0.1:0").startswith("ok    web: 127.0.0.1:0 is free")


def test_an_address_that_is_taken(taken: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program listens there: the line names it."""
    monkeypatch.setattr(check_web_port, "SECONDS", 0.1)

    assert lines(taken).startswith(f"FAIL  web: {taken} is in use")
    assert f"(process {os.getpid()})" in lines(taken)


def test_a_running_web_interface_answers(tmp_path: Path) -> None:
    """The address is in use by digitwatch itself, which is no fault."""
    from visitor import site, visiting

    settings = site(tmp_path)
    with visiting(settings) as page:
        address = f"127.0.0.1:{page.base_url.port}"
        assert "ok    web: digitwatch answers at" in lines(address, corrections=settings.corrections)


def test_the_web_interface_of_another_installation_is_named(tmp_path: Path) -> None:
    """Its key is another one."""
    from visitor import site, visiting

    with visiting(site(tmp_path / "one")) as other, visiting(site(tmp_path / "two")):
        found = lines(f"127.0.0.1:{other.base_url.port}", corrections=site(tmp_path / "two").corrections)

    assert "not the web interface of this installation" in found
    assert f"(process {os.getpid()})" in found


@pytest.mark.parametrize("headers", [{}, {"x-digitwatch-answer": "0" * 64}, {"x-digitwatch-answer": "\xff"}])
def test_a_foreign_server_cannot_pose_as_digitwatch(tmp_path: Path, headers: dict[str, str]) -> None:
    """The word `ok` is no proof, and neither is an answer without the key."""
    identity.own_key(identity.key_file(tmp_path / "corrections.csv"))
    with foreign(headers) as address:
        found = lines(address, corrections=tmp_path / "corrections.csv")

    assert found.startswith("FAIL")
    assert "not the web interface of this installation" in found


def test_an_answer_is_worth_nothing_at_another_port() -> None:
    """A program that passes the challenge on to the real server gets the answer for that one's port."""
    key = b"k" * identity.KEY_BYTES

    assert identity.answer(key, "challenge", 8080) != identity.answer(key, "challenge", 8081)
    assert identity.answer(b"", "challenge", 8080) == identity.answer(key, "", 8080) == ""


@contextlib.contextmanager
def foreign(headers: dict[str, str]) -> Iterator[str]:
    """A server that says `ok` to everything; its address."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"ok\n")

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{server.server_port}"
        server.shutdown()


def test_an_address_that_is_not_ours() -> None:
    """An address of another machine (RFC 5737), and a name that nobody knows (RFC 6761)."""
    assert "expected an address of this machine" in lines("192.0.2.1:8080")
    assert "is not a known host name or address" in lines("nobody.invalid:8080")


def test_missing_packages_and_a_missing_token(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are reported at once."""
    monkeypatch.setattr(extras, "PACKAGES", ("no_such_package",))
    found = lines("127.0.0.1:0", tmp_path / "absent")

    assert "FAIL  web: this needs no_such_package: pip install 'digitwatch[web]'" in found
    assert f"FAIL  web: web.token_file: {tmp_path / 'absent'} cannot be read" in found
