"""The process of the web interface: its socket, the server, and its end together with the daemon."""

import contextlib
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable

import uvicorn
from starlette.applications import Starlette

from digitwatch.web.app import make
from digitwatch.web.connection_timeout import TimedProtocol
from digitwatch.web.web_settings import WebSettings

log = logging.getLogger(__name__)

NICE = 5  # lower priority than reading scans
HEARTBEAT_TICKS = 10  # ticks of 0.1 s between two heartbeats
CONNECTIONS = 250  # beyond, the answer is 503
KEEP_ALIVE = 15  # seconds for which a connection may be idle between two requests
STOP_SECONDS = 2


class Server(uvicorn.Server):
    """uvicorn server that ends the event streams before it waits for open responses."""

    def __init__(self, app: Starlette, alive: Callable[[], None] = lambda: None) -> None:
        """Keep the application; `run` serves it. `alive` is called about once a second by the event loop."""
        self._app = app
        self._alive = alive
        logging.getLogger("uvicorn").setLevel(logging.WARNING)
        logging.getLogger("uvicorn.error").setLevel(logging.ERROR)  # its warnings repeat what visitors send
        super().__init__(
            uvicorn.Config(
                app,
                http=TimedProtocol,
                ws="none",
                loop="asyncio",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE,
                timeout_graceful_shutdown=STOP_SECONDS,
                h11_max_incomplete_event_size=32 << 10,
            )
        )

    async def on_tick(self, counter: int) -> bool:
        """Report that the event loop runs."""
        if counter % HEARTBEAT_TICKS == 0:
            self._alive()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End the event streams, which never end by themselves, then the other responses."""
        await self._app.state.live.end()
        await super().shutdown(sockets)


def serve(settings: WebSettings, sock: socket.socket, *, until_eof: bool) -> None:
    """Answer on a bound socket until SIGTERM or Ctrl-C; with `until_eof` also until standard input ends.

    Each line of standard input is then a JSON object with the state of the daemon, and standard output gets a dot
    about once a second while the event loop runs.
    """
    with contextlib.suppress(OSError):
        os.nice(NICE)
    app = make(settings)
    server = Server(app, _beat) if until_eof else Server(app)
    if until_eof:
        os.set_blocking(sys.stdout.fileno(), False)
        threading.Thread(target=_listen_to_daemon, args=(server, app.state.context.daemon), daemon=True).start()
    place = sock.getsockname()
    log.info("web interface at %s", f"http://{place[0]}:{place[1]}" if isinstance(place, tuple) else place)
    server.run([sock])


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that is bound to an address.

    Raises:
        OSError: the address is not one of this machine, or taken.
    """
    family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    sock = socket.socket(family, kind, protocol)  # the protocol tells asyncio to send at once; 40 ms else
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
    except OSError:
        sock.close()
        raise
    return sock


def _beat() -> None:
    """Write a heartbeat; never blocks when the daemon does not read, or is gone."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), b".")


def _listen_to_daemon(server: uvicorn.Server, state: dict[str, str]) -> None:
    for line in sys.stdin:
        with contextlib.suppress(ValueError):
            state.update({str(key): str(value) for key, value in json.loads(line).items()})
    server.should_exit = True
