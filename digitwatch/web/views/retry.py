"""Failed scans back into the inbox from the browser."""

import os
import sqlite3

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from digitwatch.log_codes import Status
from digitwatch.service.requeue import put_back
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.filed import NotThereError, name_below
from digitwatch.web.context import Context, context_of


def retry(request: Request) -> Response:
    """Put the scan of a failed reading back into the inbox; return its name there."""
    context = context_of(request)
    context.index.refresh()
    reading = context.index.reading(request.path_params["scan"], request.path_params["page"])
    if reading is None or not is_failed_scan(context, reading):
        return JSONResponse({"problem": "the scan is not in the folder failed (any more)"}, 404)
    places = context.settings.places
    try:
        placed = put_back(places.failed, places.inbox, _name(context, reading))
    except OSError as error:
        return JSONResponse({"problem": f"it could not be put back: {error.strerror}"}, 507)
    return JSONResponse({"file": printable(os.path.relpath(placed, places.inbox))})


def is_failed_scan(context: Context, reading: sqlite3.Row) -> bool:
    """Return whether the original of a reading lies in the folder failed now."""
    if reading["status"] != Status.FAILED:
        return False
    try:
        _name(context, reading)
    except NotThereError:
        return False
    return True


def _name(context: Context, reading: sqlite3.Row) -> str:
    """Return the path below the folder failed."""
    places = context.settings.places
    return name_below(places.base, reading["filed"], places.failed)
