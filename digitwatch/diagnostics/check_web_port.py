"""The page: whether its parts are installed, its secret is one, and its address is free or answers."""

import errno
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from digitwatch.config.field_types import address
from digitwatch.diagnostics.check_folders import user
from digitwatch.diagnostics.finding import Finding, mend, note, ok
from digitwatch.web.auth_token import TokenError, read_token
from digitwatch.web.extras import missing

SECONDS = 5.0  # for an answer; more would try the patience of whoever looks


def listening(listen: str | None, token_file: Path | None) -> Iterator[Finding]:
    """Look at the page of the settings; one that is switched off is well."""
    if listen is None:
        yield ok("page: switched off (web.listen)")
        return
    if absent := missing():
        yield mend(f"page: {absent}")
    if token_file is not None:
        try:
            read_token(token_file)
        except TokenError as error:
            yield mend(f"page: web.token_file: {token_file} {error}")
    yield _place(listen)


def _place(listen: str) -> Finding:
    """Try to take the address; where it is taken, ask who answers there."""
    host, port = address(listen)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(place)
            sock.listen()
    except socket.gaierror as error:
        return mend(f"page: web.listen: {host} is no name or address that this machine knows ({error.strerror})")
    except OSError as error:
        return _refused(listen, host, port, error)
    return ok(f"page: {listen} is free, and the daemon will answer there")


def _refused(listen: str, host: str, port: int, error: OSError) -> Finding:
    match error.errno:
        case errno.EADDRINUSE if _answers(host, port):
            return ok(f"page: it answers at {listen}")
        case errno.EADDRINUSE:
            who = f"see `ss -ltnp sport = {port}`; end it, or choose another port"
            also = "where it is systemd (digitwatch.socket), the daemon does not run"
            return mend(f"page: {listen} is taken, and no page of digitwatch answers there: {who}; {also}")
        case errno.EACCES:
            return mend(f"page: user {user()} may not take port {port}; choose one above 1023")
        case errno.EAFNOSUPPORT | errno.EPERM:  # as inside the walls of the unit
            return note(f"page: {listen} cannot be tried from here ({error.strerror})")
    return mend(f"page: {listen} cannot be taken: {error.strerror}; web.listen: name an address of this machine")


def _answers(host: str, port: int) -> bool:
    """Tell whether a page of digitwatch answers at an address of this machine."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    name = f"[{own}]" if ":" in own else own
    try:
        with urllib.request.urlopen(f"http://{name}:{port}/healthz", timeout=SECONDS) as answer:
            return bool(answer.read(10) == b"ok\n")
    except urllib.error.HTTPError as error:  # in trouble, and saying so
        return error.code == 503
    except (OSError, ValueError):
        return False
