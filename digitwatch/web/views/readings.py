"""HTML views: the list of readings, one reading, the review, the numbers; and the log of a day."""

import contextlib
import sqlite3
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

from digitwatch.corrections import answer, export
from digitwatch.log_codes import ReasonCode, Status
from digitwatch.recognition.image.formats import accepted_uploads
from digitwatch.web import svg_charts
from digitwatch.web.context import Context, context_of
from digitwatch.web.readings_index import CORRECTED, OPEN, ORDERS, STATUSES, Filter
from digitwatch.web.response_pieces import joined
from digitwatch.web.svg_charts import Day
from digitwatch.web.views import metrics
from digitwatch.web.views.event_stream import Live
from digitwatch.web.views.labels import labels
from digitwatch.web.views.retry import is_failed_scan
from digitwatch.web.web_settings import path_remover, without_paths

AT_A_TIME = 50  # readings in a list
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
        query=query_of(wanted),
        statuses=STATUSES,
        choices=(*STATUSES, OPEN, CORRECTED),
        codes=tuple(ReasonCode),
        orders=ORDERS,
        today=datetime.now(UTC).date().isoformat(),
        total=context.index.count(wanted),
        start=f"{live.run_id}-{newest}",
        numbers=metrics.numbers(context),
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
    where = without_paths(context.settings, found["filed"])
    digits = [digit.partition(":")[::2] for digit in found["digits"].split()]
    return context.answer(
        "one.html",
        reading=found,
        fields=fields,
        can_retry=is_failed_scan(context, found),
        answer_pattern=answer.PATTERN,
        reason=without_paths(context.settings, found["reason"]),
        where=where,
        digits=digits,
        labels=labels(context.settings),
    )


def review(request: Request) -> Response:
    """Show the review; the browser fetches its readings."""
    context = context_of(request)
    return context.answer("review.html", labels=labels(context.settings), answer_pattern=answer.PATTERN)


def numbers(request: Request) -> Response:
    """Show the counts, the charts and the health."""
    context = context_of(request)
    context.index.refresh()
    free = {name: f"{size / 1e9:.1f} GB" for name, size in metrics.free_bytes(context).items()}
    waiting, oldest = metrics.inbox(context)
    return context.answer(
        "numbers.html",
        numbers=metrics.numbers(context),
        charts=_charts(context),
        totals=_totals(context),
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
    lines = joined(export.lines(context.settings.predictions, context.settings.corrections, day=wanted, shown=shown))
    headers = {"content-disposition": f'attachment; filename="digitwatch-{wanted}.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def wanted_of(request: Request) -> Filter:
    """Return the filter that the query of a request asks for; what is no status, day or order is as if not given."""
    given = request.query_params
    day = _day(given.get("day", ""))
    status, sort = given.get("status", ""), given.get("sort", "")
    return Filter(
        status=status if status in (*STATUSES, CORRECTED, OPEN) else "",
        sort=sort if sort in ORDERS else "newest",
        since=_day(given.get("from", "")) or day,
        until=_day(given.get("to", "")) or day,
        **{name: given.get(name, "").strip()[:200] for name in ("name", "number", "code", "field")},
    )


def _day(text: str) -> str:
    with contextlib.suppress(ValueError):
        return date.fromisoformat(text).isoformat()
    return ""


def query_of(wanted: Filter) -> str:
    """Return a filter as the query of an address."""
    names = {"since": "from", "until": "to"}
    values = {names.get(name, name): value for name, value in vars(wanted).items() if value}
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
        "is_filtered": bool(query_of(wanted)),
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
    looked_at = context.index.judged().values()
    totals = {status: sum(n for (_, s), n in context.index.counts.items() if s == status) for status in STATUSES}
    return totals | {"reviewed": sum(n for n, _ in looked_at), "right": sum(right for _, right in looked_at)}


def _last_error(context: Context) -> str:
    found = context.index.readings(Filter(Status.FAILED), limit=1)
    if not found:
        return ""
    return f"{found[0]['file']}: {without_paths(context.settings, found[0]['reason'])} ({found[0]['time']})"
