"""HTML views: the list of readings, one reading, the review, the numbers; and the log of a day."""

import contextlib
import os
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

from digitwatch.corrections import answer, export
from digitwatch.log_codes import ReasonCode, Status
from digitwatch.recognition.image.formats import accepted_uploads, media_type
from digitwatch.spool.filed import NotThereError
from digitwatch.web import svg_charts
from digitwatch.web.context import Context, context_of
from digitwatch.web.readings_index import CONFIRMED, CORRECTED, OPEN, ORDERS, STATUSES, Filter
from digitwatch.web.response_pieces import joined
from digitwatch.web.svg_charts import Day
from digitwatch.web.views import metrics
from digitwatch.web.views.event_stream import Live
from digitwatch.web.views.files import is_in_failed, open_original
from digitwatch.web.views.images import HEAD
from digitwatch.web.views.labels import labels
from digitwatch.web.web_settings import path_remover, without_paths
from digitwatch.web.zone import today, zone_of

AT_A_TIME = 50  # readings in a list
CHOICES: dict[str, str] = {status: str(status) for status in STATUSES}
CHOICES |= {OPEN: "to review, open", CORRECTED: "corrected or confirmed", CONFIRMED: "confirmed"}
DAYS = 30  # in the charts


def readings(request: Request) -> Response:
    """Show the newest readings that match a filter."""
    context = context_of(request)
    newest = context.index.refresh()
    live: Live = request.app.state.live
    wanted = wanted_of(request)
    return context.answer(
        "readings.html",
        accepted_uploads=accepted_uploads(),
        **_list(context, wanted, before=number_of(request, "before")),
        wanted=wanted,
        statuses=STATUSES,
        choices=CHOICES,
        codes=tuple(ReasonCode),
        fields=context.index.fields(),
        orders=ORDERS,
        total=context.index.count(wanted),
        is_full=context.index.is_full,
        start=f"{live.run_id}-{newest}",
        numbers=metrics.numbers(context, wanted.zone),
    )


def part(request: Request) -> Response:
    """Return only the list, for a browser that already shows the rest."""
    context = context_of(request)
    context.index.refresh()
    return HTMLResponse(
        context.render("list.html", **_list(context, wanted_of(request), before=number_of(request, "before")))
    )


def reading(request: Request) -> Response:
    """Show everything known about one page of a scan."""
    context = context_of(request)
    context.index.refresh()
    scan, page = request.path_params["scan"], request.path_params["page"]
    fields = context.index.page(scan, page)
    wanted = request.path_params.get("field", fields[0]["field"] if fields else "")
    found = context.index.reading(scan, page, wanted)
    if found is None:
        return context.answer("message.html", 404, title="Not found", text="This reading is not known.")
    filters = wanted_of(request)
    before, behind = context.index.beside(filters, found)
    return context.answer(
        "one.html",
        reading=found,
        fields=fields,
        before=before,
        behind=behind,
        query=query_of(filters),
        original=_original(context, found),
        can_retry=is_in_failed(context.settings, found),
        answer_pattern=answer.PATTERN,
        reason=without_paths(context.settings, found["reason"]),
        where=without_paths(context.settings, found["filed"]),
        digits=[digit.partition(":")[::2] for digit in found["digits"].split()],
        labels=labels(context.settings),
    )


def _original(context: Context, found: sqlite3.Row) -> str:
    """Return how the original of a reading can be shown: as it is, only when it is read again, or not at all ("")."""
    try:
        with open_original(context.settings, found) as file:
            return "picture" if media_type(os.pread(file.fileno(), HEAD, 0)) and found["page"] == "1" else "file"
    except NotThereError:
        return ""


def instructions(request: Request) -> Response:
    """Show the help."""
    return context_of(request).answer("help.html", inbox=context_of(request).settings.places.inbox)


def review(request: Request) -> Response:
    """Show the review; the browser fetches its readings."""
    context = context_of(request)
    return context.answer(
        "review.html",
        labels=labels(context.settings),
        answer_pattern=answer.PATTERN,
        inbox=context.settings.places.inbox,
    )


def numbers(request: Request) -> Response:
    """Show the counts, the charts and the health."""
    context = context_of(request)
    context.index.refresh()
    free = {name: f"{size / 1e9:.1f} GB" for name, size in metrics.free_bytes(context).items()}
    waiting, oldest = metrics.inbox(context)
    return context.answer(
        "numbers.html",
        numbers=metrics.numbers(context, zone_of(request)),
        charts=_charts(context),
        totals=_totals(context),
        choices=CHOICES,
        is_full=context.index.is_full,
        inbox=context.settings.places.inbox,
        watching=context.daemon.get("watching", ""),
        waiting=waiting,
        most=metrics.COUNTED,
        oldest=str(timedelta(seconds=int(oldest))),
        last_error=_last_error(context),
        free=free,
        days=sorted({day for day, _ in context.index.counts}, reverse=True)[:DAYS],
    )


def day(request: Request) -> Response:
    """Return the log of one day as CSV, with the corrected values beside the predictions."""
    context = context_of(request)
    try:
        wanted = date.fromisoformat(request.path_params["day"]).isoformat()
    except ValueError:
        return PlainTextResponse("Expected a day such as 2026-11-22.\n", 404)
    shown = path_remover(context.settings)
    return _csv(
        export.lines(context.settings.predictions, context.settings.corrections, day=wanted, shown=shown), wanted
    )


def table(request: Request) -> Response:
    """Return the readings that match a filter as CSV in the order of the log; without one the whole log."""
    context = context_of(request)
    wanted, shown = wanted_of(request), path_remover(context.settings)
    if not query_of(replace(wanted, sort="newest")):
        lines = export.lines(context.settings.predictions, context.settings.corrections, shown=shown)
        return _csv(lines, "all")
    context.index.refresh()
    rows = ([str(found[name] or "") for name in export.COLUMNS] for found in context.index.oldest_first(wanted))
    return _csv(export.csv_lines(export.COLUMNS, rows, shown), "selection")


def _csv(lines: Iterable[str], name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="digitwatch-{name}.csv"'}
    return StreamingResponse(joined(lines), media_type="text/csv; charset=utf-8", headers=headers)


def wanted_of(request: Request) -> Filter:
    """Return the filter that the query of a request asks for; what is no status, day or order is as if not given."""
    given, zone = request.query_params, zone_of(request)
    day = _day(given.get("day", ""), zone)
    status, sort = given.get("status", ""), given.get("sort", "")
    return Filter(
        status=status if status in CHOICES else "",
        sort=sort if sort in ORDERS else "newest",
        since=_day(given.get("from", ""), zone) or day,
        until=_day(given.get("to", ""), zone) or day,
        zone=zone,
        **{name: given.get(name, "").strip()[:200] for name in ("name", "number", "code", "field")},
    )


def _day(text: str, zone: str) -> str:
    """Return a day of a query, which may be `today`; "" for what is none."""
    if text == "today":
        return today(zone)
    with contextlib.suppress(ValueError):
        return date.fromisoformat(text).isoformat()
    return ""


def query_of(wanted: Filter) -> str:
    """Return a filter as the query of an address."""
    names = {"since": "from", "until": "to"}
    values = {names.get(name, name): value for name, value in vars(wanted).items() if value}
    del values["zone"]
    if wanted.sort == "newest":
        del values["sort"]
    return urlencode(values)


def number_of(request: Request, name: str) -> int:
    """Return a number of the query of a request; 0 for what is none."""
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _list(context: Context, wanted: Filter, *, before: int) -> dict[str, Any]:
    found = context.index.readings(wanted, before=before, limit=AT_A_TIME + 1)
    return {
        "readings": found[:AT_A_TIME],
        "older": older(wanted, found, before, AT_A_TIME),
        "query": query_of(wanted),
        "inbox": context.settings.places.inbox,  # the one path that is shown: people must know where to put scans
    }


def older(wanted: Filter, found: Sequence[sqlite3.Row], before: int, limit: int) -> int:
    """Return the `before` of the next part of a list of `limit` readings; 0 at its end."""
    if len(found) <= limit:
        return 0
    return int(found[limit - 1]["seq"]) if wanted.sort == "newest" else before + limit


def _charts(context: Context) -> list[tuple[str, Markup]]:
    """Return each chart with its heading; names and numbers are escaped where they are drawn."""
    today = datetime.now(UTC).date()
    names = [(today - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]
    counts, judged = context.index.counts, context.index.judged()
    of_day = {name: tuple(float(counts[name, status]) for status in STATUSES) for name in names}
    shares = {name: values[1] / sum(values) if sum(values) else None for name, values in of_day.items()}
    right = {name: judged[name][1] / judged[name][0] if name in judged else None for name in names}
    drawn = (
        ("Pages for each day", svg_charts.columns("Pages for each day", STATUSES, [Day(n, of_day[n]) for n in names])),
        ("Share sent to review", svg_charts.line("Share sent to review", [Day(n, (shares[n],)) for n in names])),
        (
            "Share of correct readings among those reviewed",
            svg_charts.line("Share of correct readings among those reviewed", [Day(n, (right[n],)) for n in names]),
        ),
    )
    return [(heading, Markup(svg)) for heading, svg in drawn]


def _totals(context: Context) -> dict[str, int]:
    """Return how many readings each filter of the list finds."""
    return {status: context.index.count(Filter(status)) for status in CHOICES}


def _last_error(context: Context) -> sqlite3.Row | None:
    return next(iter(context.index.readings(Filter(Status.FAILED), limit=1)), None)
