"""Corrections: the queue of readings to review, and the line that each answer adds."""

import json
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from digitwatch.corrections import answer
from digitwatch.errors import InputError
from digitwatch.log_codes import ReasonCode
from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import NOT_A_NUMBER, UNDONE, Correction
from digitwatch.spool.csv_rows import shown_name
from digitwatch.web.context import Context, context_of
from digitwatch.web.request_body import BodyTooLargeError, small_body
from digitwatch.web.texts import key_of, percent
from digitwatch.web.views.labels import labels
from digitwatch.web.web_settings import without_paths

AHEAD = 8  # readings sent to a browser at a time, so that it can show the next one at once
LONGEST = 4000  # bytes of an answer
LONGEST_NAME = 40  # characters
UNLIKELY = 0.05  # confidence below which a reading is not confirmed by a single key


class BadAnswerError(InputError):
    """The request is not a valid correction; the message says what was expected."""


def queue(request: Request) -> Response:
    """Return the next readings to review, least certain first, and how many there are.

    `more` of the request is the number of readings that the browser already has, `page` (ID/PAGE) the page that is
    displayed, whose other fields come first.
    """
    context = context_of(request)
    context.index.refresh()
    more = request.query_params.get("more", "")
    known = int(more) if more.isascii() and more.isdigit() and len(more) < 5 else 0
    scan, _, page = request.query_params.get("page", "").partition("/")
    found = [_shown(context, reading) for reading in context.index.queue(known + AHEAD, (scan, page))]
    return JSONResponse({"readings": found, "waiting": context.index.waiting()})


async def correct(request: Request) -> Response:
    """Add a correction; return the value that now counts for the page."""
    try:
        context = context_of(request)
        given = _parse(await small_body(request, LONGEST), await run_in_threadpool(labels, context.settings))
        return await run_in_threadpool(_correct, context, given)
    except BodyTooLargeError as error:
        return JSONResponse({"problem": str(error)}, 413)
    except BadAnswerError as error:
        return JSONResponse({"problem": str(error)}, 400)


def _correct(context: Context, given: dict[str, Any]) -> Response:
    with context.correcting:  # nobody else adds a correction between the comparison and ours
        context.index.refresh()
        reading = context.index.reading(given["id"], given["page"], given["field"])
        if reading is None:
            return JSONResponse({"problem": "this reading is not known (any more)"}, 404)
        if given["was"] != reading["value"]:
            return JSONResponse({"problem": "this page was read again meanwhile: reload it"}, 409)
        if given["based_on"] != (reading["corrected_at"] or ""):
            return _conflict(reading)
        line = _line(reading, given["now"], given["who"])
        try:
            correction_log.append(context.settings.corrections, line)
        except OSError as error:
            return JSONResponse({"problem": f"it could not be saved: {error.strerror}"}, 507)
        context.index.refresh()
    based_on = "" if line.now == UNDONE else line.time
    return JSONResponse({"now": line.now, "based_on": based_on, "waiting": context.index.waiting()})


def _conflict(reading: sqlite3.Row) -> Response:
    """Return the correction that was made since the browser displayed the page; null where one was taken back."""
    names = {"now": "corrected", "who": "corrected_by", "time": "corrected_at"}
    current = {name: reading[column] for name, column in names.items()} if reading["corrected_at"] else None
    sentence = f"somebody else corrected this {'field' if reading['field'] else 'page'} meanwhile"
    return JSONResponse({"problem": sentence, "correction": current}, 409)


def _line(reading: sqlite3.Row, now: str, who: str) -> Correction:
    return Correction(
        time=datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        id=reading["id"],
        file=reading["file"],
        page=reading["page"],
        sha256=reading["sha256"],
        was=reading["value"],
        now=now,
        who=shown_name(who.strip()),
        field=reading["field"],
    )


def _parse(body: bytes, known: Sequence[str]) -> dict[str, Any]:
    """Return the checked fields of a correction; besides numbers, the labels `known` to the model are accepted.

    `based_on` is the time of the correction that the browser displayed, empty for none; `field` may be left out.

    Raises:
        BadAnswerError: a field is missing or has another form.
    """
    try:
        given = json.loads(body)
    except (ValueError, RecursionError):
        raise BadAnswerError("expected JSON") from None
    names = ("id", "page", "field", "was", "now", "who", "based_on")
    if isinstance(given, dict):
        given.setdefault("field", "")
    if not isinstance(given, dict) or not all(isinstance(given.get(name), str) for name in names):
        raise BadAnswerError(f"expected the texts {', '.join(names)}")
    try:
        "".join(given[name] for name in names).encode()
    except UnicodeEncodeError:
        raise BadAnswerError("expected texts of Unicode characters, found half of a surrogate pair") from None
    given["who"] = given["who"].strip()
    if not 0 < len(given["who"]) <= LONGEST_NAME:
        raise BadAnswerError(f"expected the name of the person in `who`, of at most {LONGEST_NAME} characters")
    given["now"] = _checked(given["now"], given["was"], known)
    return given


def _checked(now: str, was: str, known: Sequence[str]) -> str:
    if now in (UNDONE, NOT_A_NUMBER, *known) or now == was:  # `was` is compared with the log later
        return now
    plain = answer.normalised(now) if now.strip() else ""
    if plain is None:
        also = f", or one of {', '.join(known)}" if known else ""
        raise BadAnswerError(f"expected {answer.EXPECTED}, x for no number, or nothing for an empty page{also}")
    return plain


def _shown(context: Context, reading: sqlite3.Row) -> dict[str, Any]:
    fields = {name: reading[name] for name in ("id", "page", "field", "file", "time", "value", "expected")}
    return fields | {
        "key": key_of(reading),
        "confidence": percent(reading["confidence"]),
        "can_confirm": _can_confirm(reading),
        "reason": without_paths(context.settings, reading["reason"]),
        "has_picture": bool(reading["annotated"]),
    }


def _can_confirm(reading: sqlite3.Row) -> bool:
    """Return whether one key may confirm a reading: it is likely enough, and what was read are digits."""
    is_other = ReasonCode.NOT_A_DIGIT in reading["codes"].split() or "not a digit" in reading["reason"]
    is_other = is_other or "not digits" in reading["reason"]  # rows of earlier versions have no codes
    return bool(reading["value"]) and reading["confidence"] >= UNLIKELY and not is_other
