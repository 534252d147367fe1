"""Metrics: waiting scans, free disk space and state of the daemon, for people and for Prometheus."""

import contextlib
import itertools
import os
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from digitwatch.sinks.lag import Lag
from digitwatch.spool.claims import CLAIMED
from digitwatch.spool.ignored_names import IgnoredNames
from digitwatch.web import identity
from digitwatch.web.context import Context, context_of
from digitwatch.web.readings_index import STATUSES, Filter
from digitwatch.web.web_settings import without_paths
from digitwatch.web.zone import today

COUNTED = 10_000  # scans counted in the inbox; beyond, the answer is "or more"
KEPT_SECONDS = 1.0  # for which a listing of the inbox is cached


def numbers(context: Context, zone: str) -> dict[str, Any]:
    """Return the counts of today in a time zone, the waiting scans and readings, and the current problem."""
    day = today(zone)
    return {
        "today": {status: context.index.count(Filter(status, since=day, until=day, zone=zone)) for status in STATUSES},
        "review": context.index.waiting(),
        "waiting": inbox(context)[0],
        "problem": problem(context),
    }


def problem(context: Context) -> str:
    """Return why the daemon is paused or which disk is nearly full; an empty text for neither."""
    if paused := context.daemon.get("problem", ""):
        return without_paths(context.settings, paused)
    short = [name for name, free in free_bytes(context).items() if free < context.settings.min_free]
    return f"the disk of {' and '.join(short)} is nearly full" if short else ""


def inbox(context: Context) -> tuple[int, float]:
    """Return how many scans wait or are being read, and the age of the oldest in seconds."""
    counted, found = context.kept_inbox
    if time.monotonic() - counted > KEPT_SECONDS:
        times = list(itertools.islice(_times(context.settings.places.inbox, context.settings.ignored), COUNTED))
        found = (len(times), max(0.0, time.time() - min(times)) if times else 0.0)
        context.kept_inbox = (time.monotonic(), found)
    return found


def free_bytes(context: Context) -> dict[str, int]:
    """Return the free bytes of the disk of each existing folder."""
    found = {}
    for name, folder in context.settings.folders.items():
        if folder.is_dir():
            found[name] = shutil.disk_usage(folder).free
    return found


async def healthz(request: Request) -> Response:
    """Return `ok`, or `paused` with 503 while the daemon is paused; needs no thread, so it answers at once.

    A challenge is answered in a header (`identity`).
    """
    context = context_of(request)
    paused = bool(context.daemon.get("problem"))
    port = (request.scope.get("server") or ("", 0))[1] or 0
    proof = identity.answer(context.key, request.headers.get(identity.CHALLENGE, ""), port)
    headers = {identity.ANSWER: proof} if proof else None
    return PlainTextResponse("paused\n" if paused else "ok\n", 503 if paused else 200, headers)


def metrics(request: Request) -> Response:
    """Return the metrics in the text format of Prometheus."""
    context = context_of(request)
    context.index.refresh()
    lines = labelled(_metrics(context), context.settings.profile)
    return PlainTextResponse("\n".join(lines) + "\n", media_type="text/plain; version=0.0.4")


def labelled(lines: Iterable[str], profile: str) -> Iterator[str]:
    """Yield lines of metrics, each value with the label of its profile where there are several."""
    for line in lines:
        if not profile or line.startswith("#"):
            yield line
            continue
        name, value = line.rsplit(" ", 1)
        name, _, labels = name.rstrip("}").partition("{")
        own = f'profile="{profile}"'
        yield f"{name}{{{own}{',' if labels else ''}{labels}}} {value}"


def _metrics(context: Context) -> Iterator[str]:
    counts: Counter[str] = Counter()
    for (_, status), number in context.index.counts.items():
        counts[status] += number
    waiting, oldest = inbox(context)
    yield from _metric("readings", "counter", "pages in the log", {f'status="{s}"': counts[s] for s in STATUSES})
    yield from _metric("corrections", "counter", "lines of corrections.csv", {"": context.index.corrected})
    yield from _metric("review", "gauge", "readings that wait for review", {"": context.index.waiting()})
    yield from _metric("waiting", "gauge", "scans in the inbox", {"": waiting})
    yield from _metric("oldest_waiting_seconds", "gauge", "age of the oldest of them", {"": round(oldest, 1)})
    free = {f'folder="{name}"': number for name, number in free_bytes(context).items()}
    yield from _metric("free_bytes", "gauge", "free bytes on the disk of a folder", free)
    yield from _metric("paused", "gauge", "1 while paused by an environment error", {"": int(bool(problem(context)))})
    yield from _sinks(context)
    yield from _metric("listeners", "gauge", "open event streams", {"": context.visitors})


def _sinks(context: Context) -> Iterator[str]:
    """Yield how far each sink is behind the log."""
    if not (lags := context.settings.sinks()):
        return
    labels = {f'sink="{lag.name}"': lag for lag in lags}

    def each(value: Callable[[Lag], float]) -> dict[str, float]:
        return {label: value(lag) for label, lag in labels.items()}

    yield from _metric("sink_waiting", "gauge", "events not delivered, at most 10000", each(lambda lag: lag.waiting))
    age = each(lambda lag: round(lag.seconds, 1))
    yield from _metric("sink_oldest_waiting_seconds", "gauge", "age of the oldest of them", age)
    yield from _metric("sink_failing", "gauge", "1 while tries fail", each(lambda lag: int(bool(lag.error))))
    yield from _metric("sink_delivered", "counter", "events delivered", each(lambda lag: lag.delivered))
    yield from _metric("sink_refused", "counter", "events that the receiver refused", each(lambda lag: lag.refused))


def _metric(name: str, kind: str, what: str, values: Mapping[str, float]) -> Iterator[str]:
    full = f"digitwatch_{name}{'_total' if kind == 'counter' else ''}"
    yield f"# HELP {full} {what}"
    yield f"# TYPE {full} {kind}"
    for labels, value in values.items():
        yield f"{full}{{{labels}}} {value}" if labels else f"{full} {value}"


def _times(folder: Path, ignored: IgnoredNames) -> Iterator[float]:
    """Yield the modification time of each scan in the inbox, or claimed and not yet filed."""
    for entry in (*_entries(folder), *_entries(folder / CLAIMED)):
        is_claim = entry.is_dir(follow_symlinks=False) and entry.path.startswith(f"{folder / CLAIMED}/")
        is_scan = entry.is_file(follow_symlinks=False) and entry.name not in ignored
        if is_claim or is_scan:
            with contextlib.suppress(FileNotFoundError):  # claimed meanwhile
                yield entry.stat(follow_symlinks=False).st_mtime


def _entries(folder: Path) -> Iterator["os.DirEntry[str]"]:
    with contextlib.suppress(FileNotFoundError), os.scandir(folder) as entries:
        yield from entries
