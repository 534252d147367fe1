"""The readings as JSON, for programs: the same filters as the list."""

import sqlite3
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from digitwatch.corrections import export
from digitwatch.spool.csv_rows import Row
from digitwatch.web.context import Context, context_of
from digitwatch.web.views.readings import number_of, older, wanted_of
from digitwatch.web.web_settings import without_paths

MOST = 1000  # readings in one answer


def readings(request: Request) -> Response:
    """Return the readings that a filter wants, their number, and the `before` of the next part (0 at the end)."""
    context = context_of(request)
    context.index.refresh()
    wanted, before = wanted_of(request), number_of(request, "before")
    limit = min(number_of(request, "limit") or 50, MOST)
    found = context.index.readings(wanted, before=before, limit=limit + 1)
    return JSONResponse(
        {
            "readings": [_fields(context, reading) for reading in found[:limit]],
            "total": context.index.count(wanted),
            "before": older(wanted, found, before, limit),
        }
    )


def _fields(context: Context, reading: sqlite3.Row) -> dict[str, Any]:
    fields = {name: reading[name] for name in (*Row._fields, "corrected", "corrected_by", "corrected_at")}
    return fields | {name: without_paths(context.settings, reading[name]) for name in export.PATHS}
