"""Checks of the web interface: its packages, its token file and its address."""

import errno
import hmac
import http.client
import secrets
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from email.message import Message
from pathlib import Path

from digitwatch.config.field_types import address
from digitwatch.diagnostics.check_folders import user
from digitwatch.diagnostics.finding import Finding, fail, note, ok
from digitwatch.system.listeners import owner
from digitwatch.web import identity
from digitwatch.web.auth_token import TokenError, read_token
from digitwatch.web.extras import missing

SECONDS = 5.0  # to wait for an answer of a running server


def web_port(listen: str | None, token_file: Path | None, corrections: Path) -> Iterator[Finding]:
    """Check the web interface; one that is switched off is fine. Its key lies beside `corrections`."""
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
    yield _address(listen, identity.key_file(corrections))


def _address(listen: str, key_file: Path) -> Finding:
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
        if error.errno == errno.EADDRINUSE:
            return _in_use(listen, _Asked(host, port, key_file))
        return _refused(listen, port, error)
    return ok(f"web: {listen} is free; the daemon will listen there")


def _refused(listen: str, port: int, error: OSError) -> Finding:
    match error.errno:
        case errno.EACCES:
            return fail(f"web: user {user()} may not bind port {port}; choose one above 1023")
        case errno.EAFNOSUPPORT | errno.EPERM:  # as in the sandbox of the systemd unit
            return note(f"web: {listen} cannot be tested from here ({error.strerror})")
    return fail(f"web: {listen} cannot be bound: {error.strerror}; web.listen: expected an address of this machine")


@dataclass(frozen=True)
class _Asked:
    """An address in use, and the file with the key of the web interface that should answer there."""

    host: str
    port: int
    key_file: Path


def _in_use(listen: str, asked: _Asked) -> Finding:
    """Ask the server at an address in use for a proof that it is the web interface of this installation."""
    process = owner(asked.port) or f"a process that `ss -ltnp sport = {asked.port}` names to root"
    remedy = f"{process}; stop that process, or choose another port"
    challenge = secrets.token_hex(16)
    given = _answer(asked.host, asked.port, challenge)
    if given is None:
        also = "if it is systemd (digitwatch.socket), the daemon is not running"
        return fail(f"web: {listen} is in use, and no digitwatch answers there: {remedy}; {also}")
    try:
        key = identity.read_key(asked.key_file)
    except PermissionError:
        who = f"user {user()} may not read {asked.key_file}: run check as the user of the service"
        return note(
            f"web: {listen} is in use by {process}; whether it is this digitwatch cannot be proved, since {who}"
        )
    except OSError:
        key = b""
    if key and hmac.compare_digest(given, identity.answer(key, challenge, asked.port)):
        return ok(f"web: digitwatch answers at {listen}")
    return fail(
        f"web: {listen} is in use by a server that is not the web interface of this installation: {remedy} "
        "(a digitwatch of an earlier version, still running, must be restarted)"
    )


def _answer(host: str, port: int, challenge: str) -> str | None:
    """Return the answer to a challenge, empty if there is none; None where nothing like digitwatch answers."""
    own = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)
    name = f"[{own}]" if ":" in own else own
    request = urllib.request.Request(f"http://{name}:{port}/healthz", headers={identity.CHALLENGE: challenge})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # http_proxy is for other machines
    try:
        with opener.open(request, timeout=SECONDS) as answer:
            return _proof(answer.headers) if answer.read(10) == b"ok\n" else None
    except urllib.error.HTTPError as error:  # the daemon is paused and reports it
        return _proof(error.headers) if error.code == 503 else None
    except (OSError, ValueError, http.client.HTTPException):
        return None


def _proof(headers: Message) -> str:
    text: str = headers.get(identity.ANSWER, "")
    return text if text.isascii() else ""
