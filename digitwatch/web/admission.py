"""A bound on how many expensive requests run and wait at the same time; the others get 503 at once."""

import asyncio

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

RETRY_SECONDS = 5  # sent to a refused client


class Admission:
    """ASGI middleware of one route: runs `running` requests at a time and queues `waiting` more.

    The slot is held until the whole response is sent. Requests wait in the event loop, not in a thread.
    """

    def __init__(self, app: ASGIApp, *, running: int, waiting: int) -> None:
        """Keep the limits; nothing runs yet."""
        self._app = app
        self._slots = asyncio.Semaphore(running)
        self._limit = running + waiting
        self._admitted = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer the request when its turn comes, or refuse it with 503 and Retry-After."""
        if self._admitted >= self._limit:
            refusal = PlainTextResponse(
                "Too many of these requests are running: try again later.\n", 503, {"retry-after": str(RETRY_SECONDS)}
            )
            await refusal(scope, receive, send)
            return
        self._admitted += 1
        try:
            async with self._slots:
                await self._app(scope, receive, send)
        finally:
            self._admitted -= 1
