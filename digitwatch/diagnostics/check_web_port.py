"""Checks of the web interface: its packages, its token file and its address."""

import errno
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from digitwatch.config.field_types import address
from digitwatch.diagnostics.check_folders import user
from digitwatch.diagnostics.finding import Finding, fail, note, ok
from digitwatch.system.listeners import owner
from digitwatch.web.auth_token import TokenError, read_token
from digitwatch.web.extras import missing

SECONDS = 5.0  # to wait for an answer of a running server


def web_port(listen: str | None, token_file: Path | None) -> Iterator[Finding]:
    """Check the web interface; one that is switched off is fine."""
    if listen is None:
        yield ok("web: switched off (web.listen)")
        return
    if absent := missing():
        yield fail(f"web: {absent}")
    if token_file is not None:
        try:
            read_token(token_file)
        except TokenError as error:
            yield fail(f"web: web.token_file: {token_file} {error}")
    yield _address(listen)


def _address(listen: str) -> Finding:
    """Try to bind the address; if it is in use, ask the server there."""
    host, port = address(listen)
    try:
        family, kind, protocol, _, place = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            sock.bind(place)
            sock.listen()
    except socket.gaierror as error:
        return fail(f"web: web.listen: {host} is not a known host name or address ({error.strerror})")
    except OSError as error:
        return _refused(listen, host, port, error)
    return ok(f"web: {listen} is free; the daemon will listen there")


def _refused(listen: str, host: str, port: int, error: OSError) -> Finding:
    match error.errno:
        case errno.EADDRINUSE if _answers(host, port):
            return ok(f"web: digitwatch answers at {listen}")
        case errno.EADDRINUSE:
            process = owner(port) or f"see `ss -ltnp sport = {port}`"
            who = f"{process}; stop that process, or choose another port"
            also = "if it is systemd (digitwatch.socket), the daemon is not running"
            return fail(f"web: {listen} is in use, and no digitwatch answers there: {who}; {also}")
        case errno.EACCES:
            return fail(f"web: user {user()} may not bind port {port}; choose one above 1023")
        case errno.EAFNOSUPPORT | errno.EPERM:  # as in the sandbox of the systemd unit
            return note(f"web: {listen} cannot be tested from here ({error.strerror})")
    return fail(f"web: {listen} cannot be bound: {error.strerror}; web.listen: expected an address of this machine")


def _answers(host: str, port: int) -> bool:
    """Return whether digitwatch answers at an address of this machine."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    name = f"[{own}]" if ":" in own else own
    try:
        with urllib.request.urlopen(f"http://{name}:{port}/healthz", timeout=SECONDS) as answer:
            return bool(answer.read(10) == b"ok\n")
    except urllib.error.HTTPError as error:  # the daemon is paused and reports it
        return error.code == 503
    except (OSError, ValueError):
        return False
