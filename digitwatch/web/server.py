"""The page's own process: a socket, the application, and an end with the daemon's."""

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

NICE = 5  # reading goes first
BEAT = 10  # turns of a tenth of a second between two signs of life
CONNECTIONS = 250  # beyond, the answer is 503
KEEP_ALIVE = 15  # seconds for which a connection may say nothing between two requests
STOP_SECONDS = 2


class Server(uvicorn.Server):
    """Serves the page; lets the streams of events end before it waits for what is open."""

    def __init__(self, app: Starlette, alive: Callable[[], None] = lambda: None) -> None:
        """Remember the application; `run` serves it. `alive` is called about once a second while it turns."""
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
        """Say now and then that the loop turns."""
        if counter % BEAT == 0:
            self._alive()
        return await super().on_tick(counter)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End what would never end by itself, then the rest."""
        await self._app.state.live.end()
        await super().shutdown(sockets)


def serve(site: WebSettings, sock: socket.socket, *, until_eof: bool) -> None:
    """Answer on a bound socket until SIGTERM or Ctrl-C; with `until_eof` also until standard input ends.

    Each line of standard input is then a JSON object with what the daemon says of itself, and standard output gets a
    dot about once a second for as long as the page turns.
    """
    with contextlib.suppress(OSError):
        os.nice(NICE)
    app = make(site)
    server = Server(app, _beat) if until_eof else Server(app)
    if until_eof:
        os.set_blocking(sys.stdout.fileno(), False)
        threading.Thread(target=_listen_to_daemon, args=(server, app.state.desk.told), daemon=True).start()
    place = sock.getsockname()
    log.info("the page is at %s", f"http://{place[0]}:{place[1]}" if isinstance(place, tuple) else place)
    server.run([sock])


def bind(host: str, port: int) -> socket.socket:
    """Give a socket that is bound to an address.

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
    """Say that the page turns; nobody waits for a daemon that does not listen, or is gone."""
    with contextlib.suppress(OSError):
        os.write(sys.stdout.fileno(), b".")


def _listen_to_daemon(server: uvicorn.Server, told: dict[str, str]) -> None:
    for line in sys.stdin:
        with contextlib.suppress(ValueError):
            told.update({str(key): str(value) for key, value in json.loads(line).items()})
    server.should_exit = True
