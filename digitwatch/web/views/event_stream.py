"""Server-sent events: new readings and counts for every open browser."""

import asyncio
import contextlib
import json
import secrets
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse

from digitwatch.system.os_errors import is_thread_limit
from digitwatch.web.context import Context, context_of
from digitwatch.web.rate_limit import Rate
from digitwatch.web.readings_index import Filter
from digitwatch.web.views.metrics import numbers
from digitwatch.web.zone import zone_of

EVERY = 0.1  # seconds between two polls of the log while somebody listens
AFTER_NEWS = 0.25  # after something new, so that more is sent together
SELDOM = 5.0  # while nobody listens
SHOWN = 10  # new readings sent one by one, and one more each second; of more, only the number: nobody could
# follow them, and twenty browsers that fetch each image would cost more than reading the scans
MOST = 100  # listeners
SILENCE = 2.0  # seconds after which `alive` is sent: the browser warns when it hears nothing for five
COUNTED = 2.0  # seconds after which the counts are refreshed even without a new reading


class Live:
    """Polls the log and wakes the listeners; one for the whole server, so that an event is rendered once for all."""

    def __init__(self, context: Context) -> None:
        """Start without a known state."""
        self._context = context
        self._news = asyncio.Condition()
        self._called = asyncio.Event()
        self._state: tuple[int, int, str] = (-1, -1, "")
        self._counted = float("-inf")
        self._texts: dict[tuple[int, int], str] = {}  # events between two reading numbers
        self._writing = threading.Lock()
        self._rate = Rate(SHOWN, 1.0, time.monotonic)
        self.run_id = secrets.token_hex(4)  # reading numbers are valid for this process only
        self.counts: dict[str, str] = {}  # by time zone
        self.zones: Counter[str] = Counter()  # of the listeners
        self.closing = False

    async def watch(self) -> None:
        """Poll until cancelled; errors of the files are retried."""
        while True:
            is_new = False
            try:
                is_new = await run_in_threadpool(self._poll)
            except (OSError, RuntimeError) as error:
                if not (isinstance(error, OSError) or is_thread_limit(error)):
                    raise
            if is_new:
                async with self._news:
                    self._news.notify_all()
            pause = (AFTER_NEWS if is_new else EVERY) if self._context.visitors else SELDOM
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._called.wait(), pause)
            self._called.clear()

    def call(self) -> None:
        """Poll at once: a listener has arrived."""
        self._called.set()

    async def end(self) -> None:
        """End all event streams, so that the process can end."""
        self.closing = True
        async with self._news:
            self._news.notify_all()

    async def wait(self) -> None:
        """Wait for news, at most SILENCE seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SILENCE), self._news:
                await self._news.wait()

    def start(self, last: str) -> tuple[int, bool]:
        """Return the number of the last reading that a listener knows, and whether it must reload."""
        newest = self._context.index.refresh()
        self._count()
        run, _, number = last.partition("-")
        if run != self.run_id or not number.isascii() or not number.isdigit() or len(number) > 18:
            return newest, bool(last)
        known = int(number)
        return (known, False) if self._context.index.since - 1 <= known <= newest else (newest, True)

    def news(self, known: int) -> tuple[str, int]:
        """Return the events since the reading number `known`, and the number known afterwards."""
        newest = self._context.index.newest
        if newest == known:
            return "", known
        with self._writing:
            if (known, newest) not in self._texts:
                self._texts = {between: text for between, text in self._texts.items() if between[1] == newest}
                self._texts[known, newest] = self._render(known, newest)
            return self._texts[known, newest], newest

    def _render(self, known: int, newest: int) -> str:
        key = f"{self.run_id}-{newest}"
        if known < self._context.index.since - 1:
            return _event("reload", "", key)
        if newest - known > SHOWN or any(self._rate.wait("") for _ in range(newest - known)):
            return _event("many", str(newest - known), key)
        text = ""
        for reading in reversed(self._context.index.readings(Filter(), before=newest + 1, after=known, limit=SHOWN)):
            fields = {name: reading[name] for name in ("file", "status", "time")}
            fields["html"] = self._context.render("reading.html", reading=reading, query="")
            text += _event("reading", json.dumps(fields), f"{self.run_id}-{reading['seq']}")
        return text

    def _poll(self) -> bool:
        """Read what is new; return whether there is something."""
        newest = self._context.index.refresh()
        state = (newest, self._context.index.corrected, json.dumps(self._context.daemon))
        before = dict(self.counts)
        if state != self._state or time.monotonic() - self._counted > COUNTED:
            self._count()
        is_new = state != self._state or self.counts != before
        self._state = state
        return is_new

    def _count(self) -> None:
        self.counts = {zone: json.dumps(numbers(self._context, zone)) for zone in list(self.zones)}
        self._counted = time.monotonic()


async def listen(request: Request) -> Response:
    """Return a stream of the events `reading`, `many`, `counts`, `alive`, and `reload` after a gap."""
    context = context_of(request)
    if context.visitors >= MOST:
        return PlainTextResponse("Too many event streams are open: try again later.\n", 503, {"retry-after": "30"})
    live: Live = request.app.state.live
    last = request.headers.get("last-event-id") or request.query_params.get("from", "")
    return StreamingResponse(
        _events(context, live, last, zone_of(request)),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


async def _events(context: Context, live: Live, last: str, zone: str) -> AsyncIterator[str]:
    context.visitors += 1
    live.zones[zone] += 1
    try:
        known, gap = await run_in_threadpool(live.start, last)
        live.call()
        yield "retry: 2000\n\n" + (_event("reload", "") if gap else "")
        counts = ""
        while not live.closing:
            text, known = await run_in_threadpool(live.news, known)
            if live.counts.get(zone, counts) != counts:
                counts = live.counts[zone]
                text += _event("counts", counts)
            yield text or _event("alive", "")
            await live.wait()
    finally:
        context.visitors -= 1
        live.zones -= Counter([zone])


def _event(kind: str, data: str, number: str = "") -> str:
    """Return one event; the data has no line ends, since JSON writes them as \\n."""
    return (f"id: {number}\n" if number else "") + f"event: {kind}\ndata: {data}\n\n"
