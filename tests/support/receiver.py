"""A web server that takes webhooks, may be taken down, and remembers what it was sent."""

import contextlib
import json
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class Receiver:
    """Listens on a port of 127.0.0.1 that stays the same; `answer` gives the status for an event."""

    def __init__(self, answer: Callable[[dict[str, Any]], int] = lambda event: 200) -> None:
        """Listen at once."""
        self.answer = answer
        self.events: list[dict[str, Any]] = []  # all that were answered with 200
        self.headers: list[dict[str, str]] = []
        self.bodies: list[bytes] = []
        self.tries = 0
        self._server: ThreadingHTTPServer | None = None
        self._open: list[socket.socket] = []
        self.port = 0
        self.context: ssl.SSLContext | None = None
        self.up()

    def up(self) -> None:
        """Listen."""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                super().setup()
                receiver._open.append(self.connection)

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                event = json.loads(body)
                receiver.tries += 1
                status = receiver.answer(event)
                if status == 200:
                    receiver.events.append(event)
                    receiver.headers.append(dict(self.headers))
                    receiver.bodies.append(body)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Print nothing."""

        class Server(ThreadingHTTPServer):
            allow_reuse_address = True
            daemon_threads = True

            def handle_error(self, *_: object) -> None:
                """A client that was killed is no error."""

        self._server = Server(("127.0.0.1", self.port), Handler)
        if self.context is not None:
            self._server.socket = self.context.wrap_socket(self._server.socket, server_side=True)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def down(self) -> None:
        """Refuse connections, and end those that are open."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
        for connection in self._open:
            with contextlib.suppress(OSError):  # closed by the other side
                connection.shutdown(socket.SHUT_RDWR)
        self._open.clear()
        self._server = None

    @property
    def url(self) -> str:
        """The address to send to."""
        return f"{'https' if self.context else 'http'}://127.0.0.1:{self.port}/in"

    @property
    def keys(self) -> list[str]:
        """The keys of the events in the order in which they came."""
        return [event["key"] for event in self.events]
