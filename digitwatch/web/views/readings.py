"""The pages that people see: the list of readings, one reading, the review, the numbers."""

import contextlib
from datetime import UTC, date, datetime, timedelta
from typing import Any

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse

from digitwatch.corrections import export
from digitwatch.log_codes import Status
from digitwatch.recognition.image.formats import accepted_uploads
from digitwatch.web import svg_charts
from digitwatch.web.context import Context, desk_of
from digitwatch.web.readings_index import STATUSES, Filter
from digitwatch.web.response_pieces import joined
from digitwatch.web.svg_charts import Day
from digitwatch.web.views import metrics
from digitwatch.web.views.event_stream import Live
from digitwatch.web.views.labels import labels
from digitwatch.web.web_settings import path_remover, without_paths

AT_A_TIME = 50  # readings in a list
DAYS = 30  # in the charts


def readings(request: Request) -> Response:
    """Show the newest readings that a filter wants."""
    desk = desk_of(request)
    newest = desk.index.refresh()
    live: Live = request.app.state.live
    wanted = _wanted(request)
    return desk.answer(
        "readings.html",
        accepted_uploads=accepted_uploads(),
        **_list(desk, wanted, before=_number(request, "before")),
        wanted=wanted,
        statuses=STATUSES,
        total=desk.index.count(wanted),
        start=f"{live.run_id}-{newest}",
        numbers=metrics.numbers(desk),
    )


def part(request: Request) -> Response:
    """Give the list alone, to be put into a page that is already open."""
    desk = desk_of(request)
    desk.index.refresh()
    return HTMLResponse(desk.render("list.html", **_list(desk, _wanted(request), before=_number(request, "before"))))


def reading(request: Request) -> Response:
    """Show all that is known of one page of a scan."""
    desk = desk_of(request)
    desk.index.refresh()
    found = desk.index.reading(request.path_params["scan"], request.path_params["page"])
    if found is None:
        return desk.answer("message.html", 404, title="Not found", text="No such reading is known.")
    where = without_paths(desk.site, found["filed"])
    digits = [digit.partition(":")[::2] for digit in found["digits"].split()]
    return desk.answer(
        "one.html",
        reading=found,
        correction=desk.index.correction(found["id"], found["page"]),
        reason=without_paths(desk.site, found["reason"]),
        where=where,
        digits=digits,
        labels=labels(desk.site),
    )


def review(request: Request) -> Response:
    """Show the review; its readings are fetched by the browser."""
    desk = desk_of(request)
    return desk.answer("review.html", labels=labels(desk.site))


def numbers(request: Request) -> Response:
    """Show the counts, the charts and the health."""
    desk = desk_of(request)
    desk.index.refresh()
    free = {name: f"{size / 1e9:.1f} GB" for name, size in metrics.room(desk).items()}
    waiting, oldest = metrics.inbox(desk)
    return desk.answer(
        "numbers.html",
        numbers=metrics.numbers(desk),
        charts=_charts(desk),
        totals=_totals(desk),
        watching=desk.told.get("watching", ""),
        waiting=waiting,
        most=metrics.COUNTED,
        oldest=str(timedelta(seconds=int(oldest))),
        last_error=_last_error(desk),
        free=free,
        days=sorted({day for day, _ in desk.index.counts}, reverse=True)[:DAYS],
    )


def day(request: Request) -> Response:
    """Give the log of one day as CSV, with the corrected values beside those read."""
    desk = desk_of(request)
    try:
        wanted = date.fromisoformat(request.path_params["day"]).isoformat()
    except ValueError:
        return PlainTextResponse("Expected a day such as 2026-11-22.\n", 404)
    shown = path_remover(desk.site)
    lines = joined(export.lines(desk.site.predictions, desk.site.corrections, day=wanted, shown=shown))
    headers = {"content-disposition": f'attachment; filename="digitwatch-{wanted}.csv"'}
    return StreamingResponse(lines, media_type="text/csv; charset=utf-8", headers=headers)


def _wanted(request: Request) -> Filter:
    given = request.query_params
    status = given.get("status", "") if given.get("status") in STATUSES else ""
    wanted = ""
    with contextlib.suppress(ValueError):
        wanted = date.fromisoformat(given.get("day", "")).isoformat()
    return Filter(status, given.get("name", "")[:200], wanted)


def _number(request: Request, name: str) -> int:
    text = request.query_params.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 16 else 0


def _list(desk: Context, wanted: Filter, *, before: int) -> dict[str, Any]:
    found = desk.index.readings(wanted, before=before, limit=AT_A_TIME + 1)
    return {"readings": found[:AT_A_TIME], "older": found[AT_A_TIME - 1]["seq"] if len(found) > AT_A_TIME else 0}


def _charts(desk: Context) -> list[tuple[str, Markup]]:
    """Give each chart with its heading; their numbers and names are escaped where they are drawn."""
    today = datetime.now(UTC).date()
    names = [(today - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]
    counts, judged = desk.index.counts, desk.index.judged()
    of_day = {name: tuple(float(counts[name, status]) for status in STATUSES) for name in names}
    shares = {name: values[1] / sum(values) if sum(values) else None for name, values in of_day.items()}
    right = {name: judged[name][1] / judged[name][0] if name in judged else None for name in names}
    drawn = (
        ("Pages for each day", svg_charts.columns("Pages for each day", STATUSES, [Day(n, of_day[n]) for n in names])),
        ("Share sent to review", svg_charts.line("Share sent to review", [Day(n, (shares[n],)) for n in names])),
        (
            "Right among those that people looked at",
            svg_charts.line("Share of right readings among those looked at", [Day(n, (right[n],)) for n in names]),
        ),
    )
    return [(heading, Markup(svg)) for heading, svg in drawn]


def _totals(desk: Context) -> dict[str, int]:
    looked_at = desk.index.judged().values()
    totals = {status: sum(n for (_, s), n in desk.index.counts.items() if s == status) for status in STATUSES}
    return totals | {"looked at": sum(n for n, _ in looked_at), "right": sum(right for _, right in looked_at)}


def _last_error(desk: Context) -> str:
    found = desk.index.readings(Filter(Status.FAILED), limit=1)
    if not found:
        return ""
    return f"{found[0]['file']}: {without_paths(desk.site, found[0]['reason'])} ({found[0]['time']})"
