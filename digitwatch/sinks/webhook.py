"""Sink `webhook`: each event is sent by POST as JSON, signed with HMAC-SHA256, over HTTP or HTTPS."""

import contextlib
import hashlib
import hmac
import http.client
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from digitwatch import __version__
from digitwatch.sinks.event import Event
from digitwatch.sinks.sink import DeliveryError, RefusedError

REFUSED = (400, 413, 415, 422)  # the receiver does not accept this content, now or later
LONGEST_ANSWER = 1 << 16  # bytes that are read; the connection is closed on a longer one
LONGEST_WAIT = 300.0  # seconds of Retry-After


@dataclass(frozen=True)
class Target:
    """Where and how to send: `secret` signs, `token` is sent as bearer token, `certificates` is a CA file."""

    url: str
    secret: str = ""
    token: str = ""
    certificates: Path | None = None
    seconds: float = 10.0


class WebhookSink:
    """Sends events to one URL, over a connection that is kept open."""

    batch = 1

    def __init__(self, name: str, target: Target) -> None:
        """Keep the target; the connection is made with the first event."""
        self.name = name
        self._target = target
        self._parts = urlsplit(target.url)
        self._connection: http.client.HTTPConnection | None = None

    def deliver(self, events: Sequence[Event]) -> None:
        """Send each event; any answer from 200 to 299 counts as taken.

        Raises:
            DeliveryError: no connection, no answer in time, or another answer.
            RefusedError: the receiver does not accept the content.
        """
        for event in events:
            try:
                status, reason, retry_after = self._send(event)
            except (OSError, http.client.HTTPException) as error:
                self.close()
                raise DeliveryError(f"{self._place}: {error or type(error).__name__}") from error
            if not 200 <= status < 300:
                sentence = f"{self._place} answered {status} {reason}"
                raise RefusedError(sentence) if status in REFUSED else DeliveryError(sentence, retry_after)

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()
        self._connection = None

    def _send(self, event: Event) -> tuple[int, str, float]:
        is_kept = self._connection is not None
        try:
            return self._exchange(event)
        except (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError):
            self.close()
            if not is_kept:
                raise
            return self._exchange(event)  # the receiver had closed the connection while nothing was sent

    def _exchange(self, event: Event) -> tuple[int, str, float]:
        if self._connection is None:
            self._connection = self._connect()
        path = self._parts.path or "/"
        if self._parts.query:
            path += f"?{self._parts.query}"
        self._connection.request("POST", path, event.body, self._headers(event))
        answer = self._connection.getresponse()
        answer.read(LONGEST_ANSWER)
        if not answer.isclosed():
            self.close()
        wait = 0.0
        with contextlib.suppress(ValueError):  # a date is not understood: the usual back-off holds
            wait = min(LONGEST_WAIT, float(answer.getheader("Retry-After", "0")))
        return answer.status, answer.reason, wait

    def _connect(self) -> http.client.HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=self._target.seconds)
        context = ssl.create_default_context(cafile=self._target.certificates)
        return http.client.HTTPSConnection(host, port, timeout=self._target.seconds, context=context)

    def _headers(self, event: Event) -> dict[str, str]:
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"digitwatch/{__version__}",
            "X-Digitwatch-Event": event.kind,
            "Idempotency-Key": event.key.encode("ascii", "backslashreplace").decode(),
        }
        if self._target.secret:
            headers["X-Digitwatch-Signature-256"] = f"sha256={signature(self._target.secret, event.body)}"
        if self._target.token:
            headers["Authorization"] = f"Bearer {self._target.token}"
        return headers

    @property
    def _place(self) -> str:
        """The receiver without path and query, which may hold a secret."""
        return f"{self._parts.scheme}://{self._parts.hostname}{f':{self._parts.port}' if self._parts.port else ''}"


def signature(secret: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of a body in hexadecimal, as GitHub's webhooks have it."""
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
