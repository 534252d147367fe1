"""Malformed requests get an answer of 4xx and leave no traceback in the log."""

import socket
from pathlib import Path

import httpx
import pytest
from visitor import Visitor, row, site, visiting, write

TOKEN = "a-long-enough-token"
CHUNKED = b"host: localhost\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n"
HEAD = f"host: localhost\r\nauthorization: Bearer {TOKEN}\r\n".encode()


def say(page: Visitor, data: bytes) -> bytes:
    """Send bytes; return the first line of the answer, or nothing when the connection is closed."""
    with socket.create_connection((page.base_url.host, page.base_url.port), timeout=20) as connection:
        connection.sendall(data)
        try:
            return connection.recv(4096).partition(b"\r\n")[0]
        except ConnectionError:
            return b""


@pytest.mark.parametrize(
    "data",
    [
        b"POST /login HTTP/1.1\r\n" + CHUNKED,
        b"POST /upload HTTP/1.1\r\nx-file-name: a.png\r\nauthorization: Bearer " + TOKEN.encode() + b"\r\n" + CHUNKED,
        b"POST /corrections HTTP/1.1\r\n" + HEAD + b"content-length: 9\r\ncontent-length: 8\r\n\r\n",
        b"GET /static/page.css HTTP/1.1\r\nhost: localhost\r\n\r\nzz\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n",
        b"\x00\xff" * 5000,
    ],
)
def test_no_request_leaves_a_traceback(tmp_path: Path, data: bytes, caplog: pytest.LogCaptureFixture) -> None:
    """Twenty visitors, most of them without the token, send it: at most one line each, and the server goes on."""
    with visiting(site(tmp_path, token=TOKEN)) as page:
        answers = {say(page, data) for _ in range(20)}
        assert page.get("/healthz").status_code == 200

    assert all(answer.startswith((b"HTTP/1.1 4", b"HTTP/1.1 200")) or not answer for answer in answers)
    assert len([record for record in caplog.records if record.name.startswith("digitwatch")]) <= 20
    assert all(record.exc_info is None for record in caplog.records)


def test_a_client_that_leaves_early_leaves_no_traceback(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Half a form and half an upload, then the connection is closed."""
    half = b"content-length: 1000\r\nx-file-name: a.png\r\n\r\nhalf"
    with visiting(site(tmp_path, token=TOKEN)) as page:
        for path in (b"/login", b"/corrections", b"/upload"):
            with socket.create_connection((page.base_url.host, page.base_url.port)) as connection:
                connection.sendall(b"POST " + path + b" HTTP/1.1\r\n" + HEAD + half)
        assert page.get("/healthz").status_code == 200

    assert [record for record in caplog.records if record.name.startswith("digitwatch")] == []
    assert not list((tmp_path / "inbox").iterdir())


def test_an_endless_event_number_is_refused(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A number of 5,000 digits is answered like any other that is not known: reload."""
    with visiting(site(tmp_path)) as page:
        start = f"{page.app.state.live.run_id}-{'9' * 5000}"
        with page.stream("GET", "/live", params={"from": start}) as answer:
            lines = answer.iter_lines()
            assert "event: reload" in [next(lines) for _ in range(4)]

    assert [record for record in caplog.records if record.name.startswith("digitwatch")] == []


def test_a_file_that_shrinks_while_it_is_sent(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """The connection is closed, and the log says why in one line without a traceback."""
    settings = site(tmp_path)
    write(tmp_path, row(1))
    path = tmp_path / row(1).filed
    with path.open("r+b") as file:
        file.truncate(50 << 20)
    with visiting(settings) as page, page.stream("GET", f"/scan/{row(1).id}/1") as answer:
        with path.open("r+b") as file:
            file.truncate(1 << 20)
        with pytest.raises(httpx.TransportError):
            for _ in answer.iter_bytes():
                pass

    assert any("was cut" in record.getMessage() for record in caplog.records)
    assert all(record.exc_info is None for record in caplog.records)
