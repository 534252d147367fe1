"""Access checks for every request, and security headers for every response.

Refused are unknown host names (DNS rebinding), requests made by other websites (cross-site request forgery and
reading), and visitors without the token if one is configured.
"""

import ipaddress
import logging
import secrets
import socket
from collections.abc import Callable, Mapping

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from digitwatch.web.access import Access, TooManyAttemptsError
from digitwatch.web.context import visitor_of
from digitwatch.web.response_pieces import InterruptedResponseError, send_in_pieces

log = logging.getLogger(__name__)

COOKIE = "digitwatch"
PROOF = "x-digitwatch"
"""The header in which our script sends the secret from our HTML."""

OPEN = ("/login", "/healthz", "/static/")
"""Paths that need no token."""

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",  # with no-referrer browsers send the origin "null" with a form
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
    "cache-control": "no-store",
}


ErrorPage = Callable[[int, str, Mapping[str, str]], Response]
"""Returns an error as a page: its status, a sentence, and headers."""


class Guard:
    """ASGI middleware that passes a request on or refuses it."""

    def __init__(
        self, app: ASGIApp, *, access: Access | None, hosts: tuple[str, ...], proof: str, page: ErrorPage
    ) -> None:
        """Keep what is required; `access` is None without a token, `proof` is the secret in our own HTML.

        `page` returns a refusal as a page for people.
        """
        self._app = app
        self._page = page
        self._access = access
        self._hosts = {name.lower() for name in (*hosts, "localhost", *_own_names())}
        self._proof = proof

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            refusal = self._refusal(request)
        except TooManyAttemptsError as error:
            refusal = _refuse(429, str(error), {"retry-after": str(error.wait_s)})
        if refusal is not None and refusal.status_code >= 400 and wants_page(request):
            kept = {name: value for name, value in refusal.headers.items() if not name.startswith("content-")}
            refusal = self._page(refusal.status_code, bytes(refusal.body).decode().strip(), kept)
        try:
            await (refusal or self._app)(scope, receive, _with_headers(send))
        except InterruptedResponseError as error:  # too late for another status: the connection is closed
            log.warning("%s: %s", scope["path"], error)

    def _refusal(self, request: Request) -> Response | None:
        """Return the answer to a request that is refused.

        Raises:
            TooManyAttemptsError: wrong tokens came too often from this address.
        """
        if not self._is_our_name(request.headers.get("host", "")):
            return _refuse(421, "This host name is not configured: add it to web.hosts in config.yaml.")
        if request.method not in ("GET", "HEAD", "POST"):
            return _refuse(405, "Only GET, HEAD and POST are supported.")
        if _comes_from_elsewhere(request.headers):
            return _refuse(403, "Refused: another website made this request.")
        return self._refusal_of_visitor(request)

    def _refusal_of_visitor(self, request: Request) -> Response | None:
        is_form, is_open = request.method == "POST", _is_open(request.url.path)
        if is_open and not is_form:
            return None
        shows_token = self._shows_token(request)
        if not (shows_token or is_open or self._has_session(request)):
            return _to_login(request)
        if is_form and not shows_token and not self._is_our_form(request):
            return _refuse(403, "This form is out of date: reload the page.")
        return None

    def _is_our_name(self, host: str) -> bool:
        name = _without_port(host).lower()
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return name.removesuffix(".") in self._hosts
        return True  # DNS rebinding needs a name

    def _shows_token(self, request: Request) -> bool:
        kind, _, given = request.headers.get("authorization", "").partition(" ")
        if self._access is None or kind.lower() != "bearer":
            return False
        return self._access.has_token(given.strip(), visitor_of(request))

    def _has_session(self, request: Request) -> bool:
        if self._access is None:
            return True
        return self._access.has_session(request.cookies.get(COOKIE, ""), visitor_of(request))

    def _is_our_form(self, request: Request) -> bool:
        """Return whether a POST comes from our HTML: it has an origin and the secret that only our HTML contains."""
        if request.url.path == "/login":  # no HTML precedes it; the token is the secret
            return True
        proof = request.headers.get(PROOF, "").encode()
        return "origin" in request.headers and secrets.compare_digest(proof, self._proof.encode())


def wants_page(request: Request) -> bool:
    """Return whether a request comes from a person who follows a link or types an address."""
    return request.method in ("GET", "HEAD") and "text/html" in request.headers.get("accept", "")


def _own_names() -> set[str]:
    name = socket.gethostname()
    return {name, f"{name.partition('.')[0]}.local"}


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _comes_from_elsewhere(headers: Headers) -> bool:
    """Return whether another website makes this request; following a link to us is allowed."""
    origin = headers.get("origin")
    if origin is not None and origin.partition("://")[2] != headers.get("host"):
        return True
    site = headers.get("sec-fetch-site", "none")
    return site not in ("none", "same-origin") and headers.get("sec-fetch-mode") != "navigate"


def _is_open(path: str) -> bool:
    return any(path == place or (place.endswith("/") and path.startswith(place)) for place in OPEN)


def _to_login(request: Request) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        answer: Response = RedirectResponse("/login", 303)
    else:
        answer = _refuse(401, "A token is required: Authorization: Bearer TOKEN", {"www-authenticate": "Bearer"})
    if COOKIE in request.cookies:  # it would count as a wrong token with every further request
        answer.delete_cookie(COOKIE)
    return answer


def _refuse(status: int, sentence: str, headers: dict[str, str] | None = None) -> Response:
    return PlainTextResponse(sentence + "\n", status, headers)


def _with_headers(send: Send) -> Send:
    """Add the security headers to each response; headers that it already has are kept."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers.setdefault(name, value)
        await send_in_pieces(send, message)

    return sending
