"""Corrections: the queue of readings to review, and the line that each answer adds."""

import json
import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from digitwatch.errors import InputError
from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import UNDONE, Correction
from digitwatch.spool.csv_rows import shown_name
from digitwatch.web.context import Context, context_of
from digitwatch.web.request_body import BodyTooLargeError, small_body
from digitwatch.web.views.labels import labels
from digitwatch.web.web_settings import without_paths

AHEAD = 8  # readings sent to a browser at a time, so that it can show the next one at once
LONGEST = 2000  # bytes of an answer
SAYS = re.compile(r"(\d{1,200}( \d{1,200}){0,200}){0,1}|x", re.ASCII)


class BadAnswerError(InputError):
    """The request is not a valid correction; the message says what was expected."""


def queue(request: Request) -> Response:
    """Return the next readings to review, least certain first, and how many there are.

    `more` of the request is the number of readings that the browser already has.
    """
    context = context_of(request)
    context.index.refresh()
    more = request.query_params.get("more", "")
    known = int(more) if more.isascii() and more.isdigit() and len(more) < 5 else 0
    found = [_shown(context, reading) for reading in context.index.queue(known + AHEAD)]
    return JSONResponse({"readings": found, "waiting": context.index.waiting()})


async def correct(request: Request) -> Response:
    """Add a correction; return the value that now counts for the page."""
    try:
        context = context_of(request)
        given = _parse(await small_body(request, LONGEST), await run_in_threadpool(labels, context.settings))
        return await run_in_threadpool(_correct, context, given)
    except BodyTooLargeError as error:
        return JSONResponse({"trouble": str(error)}, 413)
    except BadAnswerError as error:
        return JSONResponse({"trouble": str(error)}, 400)


def _correct(context: Context, given: dict[str, Any]) -> Response:
    with context.correcting:  # nobody else adds a correction between the comparison and ours
        context.index.refresh()
        reading = context.index.reading(given["id"], given["page"])
        if reading is None:
            return JSONResponse({"trouble": "this reading is not known (any more)"}, 404)
        if reading["field"]:
            return JSONResponse({"trouble": "fields of forms cannot be corrected here yet"}, 409)
        if given["was"] != reading["prediction"]:
            return JSONResponse({"trouble": "this page was read again meanwhile: reload it"}, 409)
        if "corrected" in given and given["corrected"] != reading["corrected"]:
            return JSONResponse({"trouble": "somebody else corrected this page meanwhile: reload it"}, 409)
        try:
            correction_log.append(context.settings.corrections, _line(reading, given["now"], given["who"]))
        except OSError as error:
            return JSONResponse({"trouble": f"it could not be saved: {error.strerror}"}, 507)
        context.index.refresh()
    return JSONResponse({"now": given["now"], "waiting": context.index.waiting()})


def _line(reading: sqlite3.Row, now: str, who: str) -> Correction:
    return Correction(
        time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        id=reading["id"],
        file=reading["file"],
        page=reading["page"],
        sha256=reading["sha256"],
        was=reading["prediction"],
        now=now,
        who=shown_name(who.strip()),
    )


def _parse(body: bytes, known: Sequence[str]) -> dict[str, Any]:
    """Return the checked fields of a correction; besides digits, the labels `known` to the model are accepted.

    The optional `corrected` is the correction that the browser displayed, null for none.

    Raises:
        BadAnswerError: a field is missing or has another form.
    """
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise BadAnswerError("expected JSON") from None
    names = ("id", "page", "was", "now", "who")
    if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in names):
        raise BadAnswerError(f"expected the texts {', '.join(names)}")
    if not isinstance(given.get("corrected"), str | None):
        raise BadAnswerError("expected a text or null as `corrected`")
    try:
        "".join(given[name] for name in names).encode()
    except UnicodeEncodeError:
        raise BadAnswerError("expected texts of Unicode characters, found half of a surrogate pair") from None
    if given["now"] in (UNDONE, *known) or given["now"] == given["was"]:  # `was` is checked later
        pass
    elif SAYS.fullmatch(" ".join(given["now"].split())):
        given["now"] = " ".join(given["now"].split())
    else:
        also = f", or one of {', '.join(known)}" if known else ""
        raise BadAnswerError(f"expected digits, with one space between two rows, x for no number, or nothing{also}")
    if len(given["who"]) > 40:
        raise BadAnswerError("expected a name of at most 40 characters")
    return given


def _shown(context: Context, reading: sqlite3.Row) -> dict[str, Any]:
    names = ("id", "page", "file", "time", "prediction", "confidence")
    fields = {name: reading[name] for name in names}
    return fields | {
        "reason": without_paths(context.settings, reading["reason"]),
        "has_picture": bool(reading["annotated"]),
    }
