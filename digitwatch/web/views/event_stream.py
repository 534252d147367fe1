"""What is new, told to every open page as it comes (server-sent events)."""

import asyncio
import contextlib
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from digitwatch.system.os_errors import is_thread_limit
from digitwatch.web.context import Context, desk_of
from digitwatch.web.rate_limit import Rate
from digitwatch.web.readings_index import Filter
from digitwatch.web.views.metrics import numbers

EVERY = 0.1  # seconds between two looks at the log while somebody listens
AFTER_NEWS = 0.25  # after something new: more of it is told together
SELDOM = 5.0  # while nobody listens
SHOWN = 10  # new readings that are told one by one, and one more each second; of more, only the number: nobody
# could follow them, and twenty open pages that fetch each picture would cost more than the reading itself
MOST = 100  # listeners
SILENCE = 15.0  # seconds after which a sign of life is sent
COUNTED = 2.0  # seconds after which the numbers are taken anew even if no reading came


class Live:
    """Looks at the log and wakes those who listen; one for the whole page, so that news are written once for all."""

    def __init__(self, desk: Context) -> None:
        """Begin with nothing told."""
        self._desk = desk
        self._news = asyncio.Condition()
        self._called = asyncio.Event()
        self._state: tuple[int, int, str] = (-1, -1, "")
        self._counted = float("-inf")
        self._texts: dict[tuple[int, int], str] = {}  # the events between two numbers, for all who know the first
        self._writing = threading.Lock()
        self._rate = Rate(SHOWN, 1.0, time.monotonic)
        self.run_id = secrets.token_hex(4)  # numbers of readings hold as long as this process lives
        self.counts = ""
        self.closing = False

    async def watch(self) -> None:
        """Take in what is new until cancelled; trouble with the files is tried again."""
        while True:
            is_new = False
            try:
                is_new = await run_in_threadpool(self._look)
            except (OSError, RuntimeError) as error:
                if not (isinstance(error, OSError) or is_thread_limit(error)):
                    raise
            if is_new:
                async with self._news:
                    self._news.notify_all()
            pause = (AFTER_NEWS if is_new else EVERY) if self._desk.visitors else SELDOM
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._called.wait(), pause)
            self._called.clear()

    def call(self) -> None:
        """Let the next look come at once: somebody has begun to listen."""
        self._called.set()

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

    def start(self, last: str) -> tuple[int, bool]:
        """Give the number up to which a listener knows the readings, and whether it missed what cannot be told."""
        newest = self._desk.index.refresh()
        self._count()
        run, _, number = last.partition("-")
        if run != self.run_id or not number.isascii() or not number.isdigit() or len(number) > 18:
            return newest, bool(last)
        known = int(number)
        return (known, False) if self._desk.index.since - 1 <= known <= newest else (newest, True)

    def news(self, known: int) -> tuple[str, int]:
        """Give the events on what came since the number `known`, and the number known then."""
        newest = self._desk.index.newest
        if newest == known:
            return "", known
        with self._writing:
            if (known, newest) not in self._texts:
                self._texts = {between: text for between, text in self._texts.items() if between[1] == newest}
                self._texts[known, newest] = self._told(known, newest)
            return self._texts[known, newest], newest

    def _told(self, known: int, newest: int) -> str:
        key = f"{self.run_id}-{newest}"
        if known < self._desk.index.since - 1:
            return _event("reload", "", key)
        if newest - known > SHOWN or any(self._rate.wait("") for _ in range(newest - known)):
            return _event("many", str(newest - known), key)
        text = ""
        for reading in reversed(self._desk.index.readings(Filter(), before=newest + 1, after=known, limit=SHOWN)):
            told = {name: reading[name] for name in ("file", "status", "time")}
            told["html"] = self._desk.render("reading.html", reading=reading)
            text += _event("reading", json.dumps(told), f"{self.run_id}-{reading['seq']}")
        return text

    def _look(self) -> bool:
        """Take in what is new; tell whether there is something."""
        newest = self._desk.index.refresh()
        state = (newest, self._desk.index.corrected, json.dumps(self._desk.told))
        before = self.counts
        if state != self._state or time.monotonic() - self._counted > COUNTED:
            self._count()
        is_new = state != self._state or self.counts != before
        self._state = state
        return is_new

    def _count(self) -> None:
        self.counts = json.dumps(numbers(self._desk))
        self._counted = time.monotonic()


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


async def _events(desk: Context, live: Live, last: str) -> AsyncIterator[str]:
    desk.visitors += 1
    try:
        known, gap = await run_in_threadpool(live.start, last)
        live.call()
        yield "retry: 2000\n\n" + (_event("reload", "") if gap else "")
        counts = ""
        while not live.closing:
            text, known = await run_in_threadpool(live.news, known)
            if live.counts != counts:
                counts = live.counts
                text += _event("counts", counts)
            yield text or ": still here\n\n"
            await live.wait()
    finally:
        desk.visitors -= 1


def _event(kind: str, data: str, number: str = "") -> str:
    """Give one event; the data has no line ends, since JSON writes them as \\n."""
    return (f"id: {number}\n" if number else "") + f"event: {kind}\ndata: {data}\n\n"
