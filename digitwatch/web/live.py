"""What is new, told to every open page as it comes (server-sent events)."""

import asyncio
import contextlib
import json
import secrets
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from digitwatch.web.desk import Desk, desk_of
from digitwatch.web.health import numbers
from digitwatch.web.index import Filter

EVERY = 0.1  # seconds between two looks at the log while somebody listens
SELDOM = 5.0  # while nobody does
SHOWN = 10  # new readings that are told one by one; of more, only the number
MOST = 100  # listeners
SILENCE = 15.0  # seconds after which a sign of life is sent


class Live:
    """Looks at the log and wakes those who listen; one for the whole page."""

    def __init__(self, desk: Desk) -> None:
        """Begin with nothing told."""
        self._desk = desk
        self._news = asyncio.Condition()
        self._told = (0, 0, "")
        self.run_id = secrets.token_hex(4)  # numbers of readings hold as long as this process lives
        self.closing = False

    async def watch(self) -> None:
        """Take in what is new until cancelled; trouble with the files is tried again."""
        while True:
            with contextlib.suppress(OSError):
                newest = await run_in_threadpool(self._desk.index.refresh)
                state = (newest, self._desk.index.corrected, json.dumps(self._desk.told))
                if state != self._told:
                    self._told = state
                    async with self._news:
                        self._news.notify_all()
            await asyncio.sleep(EVERY if self._desk.visitors else SELDOM)

    async def end(self) -> None:
        """Let all who listen go, so that the process can end."""
        self.closing = True
        async with self._news:
            self._news.notify_all()

    async def wait(self) -> None:
        """Wait for news, for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SILENCE), self._news:
                await self._news.wait()


async def listen(request: Request) -> Response:
    """Answer with a stream of events: `reading`, `many`, `counts`, and `reload` after a gap."""
    desk = desk_of(request)
    if desk.visitors >= MOST:
        return PlainTextResponse("Too many listen already.\n", 503, {"retry-after": "30"})
    live: Live = request.app.state.live
    last = request.headers.get("last-event-id") or request.query_params.get("from", "")
    return StreamingResponse(
        _events(desk, live, last), media_type="text/event-stream", headers={"x-accel-buffering": "no"}
    )


async def _events(desk: Desk, live: Live, last: str) -> AsyncIterator[str]:
    desk.visitors += 1
    try:
        known, gap = await run_in_threadpool(_start, desk, live, last)
        yield "retry: 2000\n\n" + (_event("reload", "") if gap else "")
        counts = ""
        while not live.closing:
            text, known = await run_in_threadpool(_news, desk, live, known)
            now = json.dumps(await run_in_threadpool(numbers, desk))
            if now != counts:
                text += _event("counts", now)
                counts = now
            yield text or ": still here\n\n"
            await live.wait()
    finally:
        desk.visitors -= 1


def _start(desk: Desk, live: Live, last: str) -> tuple[int, bool]:
    """Give the number up to which the listener knows the readings, and whether it has missed what cannot be told."""
    newest = desk.index.refresh()
    run, _, number = last.partition("-")
    if run != live.run_id or not number.isascii() or not number.isdigit():
        return newest, bool(last)
    known = int(number)
    return (known, False) if desk.index.since - 1 <= known <= newest else (newest, True)


def _news(desk: Desk, live: Live, known: int) -> tuple[str, int]:
    """Give the events on what came since the number `known`, and the number known then."""
    newest = desk.index.newest
    if newest == known:
        return "", known
    if known < desk.index.since - 1:
        return _event("reload", "", f"{live.run_id}-{newest}"), newest
    if newest - known > SHOWN:
        return _event("many", str(newest - known), f"{live.run_id}-{newest}"), newest
    text = ""
    for reading in reversed(desk.index.readings(Filter(), before=newest + 1, after=known, limit=SHOWN)):
        told = {name: reading[name] for name in ("file", "status", "time")}
        told["html"] = desk.render("reading.html", reading=reading)
        text += _event("reading", json.dumps(told), f"{live.run_id}-{reading['seq']}")
    return text, newest


def _event(kind: str, data: str, number: str = "") -> str:
    """Give one event; the data has no line ends, since JSON writes them as \\n."""
    return (f"id: {number}\n" if number else "") + f"event: {kind}\ndata: {data}\n\n"
