"""Large responses to slow clients: little memory, and an end."""

import os
import resource
import socket
from pathlib import Path

import pytest
from service import until
from visitor import Visitor, row, site, visiting, write

from digitwatch.web import connection_timeout
from digitwatch.web.response_pieces import PIECE, joined

SIZE = 20 << 20  # bytes of the original


def original(base: Path) -> Path:
    """Log a reading whose original is a large file."""
    write(base, row(1))
    path = base / row(1).filed
    os.truncate(path, SIZE)
    return path


def stalled(page: Visitor) -> socket.socket:
    """Ask for the original and read nothing of it."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect((page.base_url.host, page.base_url.port))
    connection.sendall(f"GET /scan/{row(1).id}/1 HTTP/1.1\r\nhost: localhost\r\n\r\n".encode())
    return connection


def opened(path: Path) -> int:
    """Return how many handles of this process lead to a file."""
    count = 0
    for handle in os.listdir("/proc/self/fd"):
        try:
            count += os.readlink(f"/proc/self/fd/{handle}") == str(path)
        except FileNotFoundError:
            continue
    return count


def memory() -> int:
    """Return the resident bytes of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()


def test_stalled_clients_cost_one_piece_each(tmp_path: Path) -> None:
    """Sixty clients that never read an original of 20 MB take less memory than three copies of it."""
    settings = site(tmp_path)
    path = original(tmp_path)
    with visiting(settings) as page:
        page.get("/")
        before = memory()
        clients = [stalled(page) for _ in range(60)]
        until(lambda: opened(path) == len(clients), "all are being answered")
        assert page.get("/healthz", timeout=5).status_code == 200
        grown = memory() - before
        for client in clients:
            client.close()

    assert grown < 3 * SIZE
    assert opened(path) == 0


def test_a_client_that_does_not_read_is_disconnected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is closed after the time limit, and the client gets only a part of it."""
    monkeypatch.setattr(connection_timeout, "SEND_SECONDS", 0.3)
    settings = site(tmp_path)
    path = original(tmp_path)
    with visiting(settings) as page, stalled(page) as client:
        until(lambda: opened(path) == 1, "the file is being sent")
        until(lambda: opened(path) == 0, "the file is closed")
        got = 0
        try:
            while data := client.recv(1 << 20):
                got += len(data)
        except ConnectionError:
            pass

    assert 0 < got < SIZE


def test_a_reading_client_gets_the_whole_file(tmp_path: Path) -> None:
    """Byte for byte, with its length; HEAD gets the length alone."""
    settings = site(tmp_path)
    data = original(tmp_path).read_bytes()
    with visiting(settings) as page:
        answer, head = page.get(f"/scan/{row(1).id}/1"), page.head(f"/scan/{row(1).id}/1")

    assert answer.content == data
    assert (head.content, head.headers["content-length"]) == (b"", str(SIZE))


def test_lines_are_joined_to_pieces() -> None:
    """Nothing is lost, and a piece is as long as it needs to be."""
    lines = [f"{number}\n" for number in range(100_000)]
    pieces = list(joined(lines))

    assert "".join(pieces) == "".join(lines)
    assert all(PIECE <= len(piece) < PIECE + 10 for piece in pieces[:-1])
    assert list(joined([])) == []
