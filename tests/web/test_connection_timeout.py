"""Connections that send nothing, or single bytes, do not block others."""

import socket
from pathlib import Path

import pytest
from service import until
from visitor import Visitor, site, visiting

from digitwatch.web import connection_timeout, request_body, server


def connect(page: Visitor, said: bytes) -> socket.socket:
    """Open a connection and say something."""
    connection = socket.create_connection((page.base_url.host, page.base_url.port))
    connection.settimeout(30)
    connection.sendall(said)
    return connection


@pytest.mark.parametrize(
    "said", [b"", b"GET / HTTP/1.1\r\nhost: lo", b"GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\nGE"]
)
def test_half_a_request_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    """A first request that never ends, and a second one behind an answered one, are closed by us."""
    monkeypatch.setattr(connection_timeout, "SECONDS", 0.2)
    monkeypatch.setattr(server, "KEEP_ALIVE", 1)
    with visiting(site(tmp_path)) as page, connect(page, said) as connection:
        until(lambda: connection.recv(10_000) == b"", "the connection is closed")


def test_an_open_stream_is_not_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that listens for news has said all it has to say."""
    monkeypatch.setattr(connection_timeout, "SECONDS", 0.1)
    with visiting(site(tmp_path)) as page, page.stream("GET", "/live") as answer:
        lines = answer.iter_lines()
        until(lambda: next(lines).startswith("data:"), "the first numbers")
        with connect(page, b"") as other:
            until(lambda: other.recv(1) == b"", "another connection is given up meanwhile")

        assert page.app.state.context.visitors == 1


def test_silent_connections_do_not_block_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many as the page takes at all: they are soon closed, and the server answers."""
    monkeypatch.setattr(connection_timeout, "SECONDS", 1.0)
    with visiting(site(tmp_path)) as page:
        silent = [connect(page, b"") for _ in range(server.CONNECTIONS)]
        until(lambda: page.get("/healthz").status_code == 200, "the page answers")
        for connection in silent:
            connection.close()


def test_a_form_that_never_ends_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the login nor a correction waits for a body for ever."""
    monkeypatch.setattr(request_body, "SECONDS", 0.1)
    head = b"POST /login HTTP/1.1\r\nhost: localhost\r\ncontent-length: 100\r\n\r\ntoken="
    with visiting(site(tmp_path)) as page, connect(page, head) as connection:
        assert connection.recv(100).startswith(b"HTTP/1.1 413")


@pytest.mark.parametrize(
    "said",
    [
        b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 200_000 + b"\r\n\r\n",
        b"GET /" + b"a" * 200_000,
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"POST /upload HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nhost: localhost\r\nhost: evil.example\r\n\r\n",
        b"GET http://evil.example/ HTTP/1.1\r\nhost: evil.example\r\n\r\n",
    ],
)
def test_broken_requests_are_refused_or_closed(tmp_path: Path, said: bytes) -> None:
    """Endless heads, other protocols, two lengths, two names: an error or nothing, and the server continues."""
    with visiting(site(tmp_path)) as page:
        with connect(page, b"") as connection:
            try:
                connection.sendall(said)
                answer = connection.recv(100)
            except ConnectionError:
                answer = b""
        assert answer == b"" or answer[9:10] == b"4"
        assert page.get("/healthz").status_code == 200
