"""How it goes: what waits, the room on the disks, what the daemon says, for people and for Prometheus."""

import contextlib
import itertools
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from digitwatch.spool.claims import CLAIMED
from digitwatch.spool.inbox import is_temporary
from digitwatch.web.context import Context, desk_of
from digitwatch.web.readings_index import STATUSES
from digitwatch.web.web_settings import without_paths

COUNTED = 10_000  # scans in the inbox; of more only that they are more
KEPT_SECONDS = 1.0  # for which a look at the folders is believed


def numbers(desk: Context) -> dict[str, Any]:
    """Give what stands at the top of each page: the counts of today, what waits, and trouble."""
    today = datetime.now(UTC).date().isoformat()
    return {
        "today": {status: desk.index.counts[today, status] for status in STATUSES},
        "review": desk.index.waiting(),
        "waiting": inbox(desk)[0],
        "trouble": trouble(desk),
    }


def trouble(desk: Context) -> str:
    """Give what the daemon says is in its way, or what the page sees; an empty text when all is well."""
    if paused := desk.told.get("trouble", ""):
        return without_paths(desk.site, paused)
    short = [name for name, free in room(desk).items() if free < desk.site.min_free]
    return f"the disk of {' and '.join(short)} is nearly full" if short else ""


def inbox(desk: Context) -> tuple[int, float]:
    """Give how many scans wait or are being read, and for how many seconds the oldest has been there."""
    looked, found = desk.kept_inbox
    if time.monotonic() - looked > KEPT_SECONDS:
        times = list(itertools.islice(_times(desk.site.places.inbox), COUNTED))
        found = (len(times), max(0.0, time.time() - min(times)) if times else 0.0)
        desk.kept_inbox = (time.monotonic(), found)
    return found


def room(desk: Context) -> dict[str, int]:
    """Give the free bytes of the disk of each folder that is there."""
    found = {}
    for name, folder in desk.site.folders.items():
        if folder.is_dir():
            found[name] = shutil.disk_usage(folder).free
    return found


async def healthz(request: Request) -> Response:
    """Return `ok`, or `paused` with 503 while the daemon is paused; needs no thread, so it answers at once."""
    paused = bool(desk_of(request).told.get("trouble"))
    return PlainTextResponse("paused\n" if paused else "ok\n", 503 if paused else 200)


def metrics(request: Request) -> Response:
    """Give the numbers in the text format of Prometheus."""
    desk = desk_of(request)
    desk.index.refresh()
    return PlainTextResponse("\n".join(_metrics(desk)) + "\n", media_type="text/plain; version=0.0.4")


def state(request: Request) -> Response:
    """Give the numbers of the top of the page."""
    return JSONResponse(numbers(desk_of(request)))


def _metrics(desk: Context) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for (_, status), number in desk.index.counts.items():
        counts[status] += number
    waiting, oldest = inbox(desk)
    yield from _metric("readings", "counter", "pages in the log", {f'status="{s}"': counts[s] for s in STATUSES})
    yield from _metric("corrections", "counter", "lines of corrections.csv", {"": desk.index.corrected})
    yield from _metric("review", "gauge", "readings that wait for a person", {"": desk.index.waiting()})
    yield from _metric("waiting", "gauge", "scans in the inbox", {"": waiting})
    yield from _metric("oldest_waiting_seconds", "gauge", "age of the oldest of them", {"": round(oldest, 1)})
    free = {f'folder="{name}"': number for name, number in room(desk).items()}
    yield from _metric("free_bytes", "gauge", "room on the disk of a folder", free)
    yield from _metric("paused", "gauge", "whether the daemon waits for the world", {"": int(bool(trouble(desk)))})
    yield from _metric("listeners", "gauge", "open pages", {"": desk.visitors})


def _metric(name: str, kind: str, what: str, values: Mapping[str, float]) -> Iterator[str]:
    full = f"digitwatch_{name}{'_total' if kind == 'counter' else ''}"
    yield f"# HELP {full} {what}"
    yield f"# TYPE {full} {kind}"
    for labels, value in values.items():
        yield f"{full}{{{labels}}} {value}" if labels else f"{full} {value}"


def _times(folder: Path) -> Iterator[float]:
    """Yield when each scan in the inbox, or taken from it and not yet filed, was written."""
    for entry in (*_entries(folder), *_entries(folder / CLAIMED)):
        is_claim = entry.is_dir(follow_symlinks=False) and entry.path.startswith(f"{folder / CLAIMED}/")
        is_scan = entry.is_file(follow_symlinks=False) and not is_temporary(entry.name)
        if is_claim or is_scan:
            with contextlib.suppress(FileNotFoundError):  # taken this very moment
                yield entry.stat(follow_symlinks=False).st_mtime


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        yield from entries
