"""What people do with failed scans: put them back into the inbox, or delete them."""

import contextlib
import json
import logging
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from digitwatch.service.requeue import put_back
from digitwatch.spool import deletion_log
from digitwatch.spool.archive import remove_note
from digitwatch.spool.csv_rows import printable, shown_name
from digitwatch.spool.deletion_log import Deletion
from digitwatch.spool.durable_io import digest_of, open_folder, open_regular, sync_handle
from digitwatch.spool.filed import NotThereError
from digitwatch.web.context import Context, context_of
from digitwatch.web.request_body import BodyTooLargeError, small_body
from digitwatch.web.views.files import is_in_failed, name_in_failed
from digitwatch.web.views.review import LONGEST_NAME

log = logging.getLogger(__name__)

LONGEST = 1000  # bytes of a request
NOT_THERE = "the scan is not in the folder failed (any more)"
CHANGED = "another file has this name now: nothing was deleted"


def retry(request: Request) -> Response:
    """Put the scan of a failed reading back into the inbox; return its name there."""
    context = context_of(request)
    context.index.refresh()
    reading = context.index.reading(request.path_params["scan"], request.path_params["page"])
    if reading is None or not is_in_failed(context.settings, reading):
        return JSONResponse({"problem": NOT_THERE}, 404)
    places = context.settings.places
    try:
        placed = put_back(places.failed, places.inbox, name_in_failed(context.settings, reading))
    except OSError as error:
        return JSONResponse({"problem": f"it could not be put back: {error.strerror}"}, 507)
    return JSONResponse({"file": printable(os.path.relpath(placed, places.inbox))})


async def delete(request: Request) -> Response:
    """Delete the scan of a failed reading and its note; a line of deletions.csv is written first."""
    context = context_of(request)
    try:
        who = _who(await small_body(request, LONGEST))
    except BodyTooLargeError as error:
        return JSONResponse({"problem": str(error)}, 413)
    if not 0 < len(who) <= LONGEST_NAME:
        sentence = f"expected the name of the person in `who`, of at most {LONGEST_NAME} characters"
        return JSONResponse({"problem": sentence}, 400)
    return await run_in_threadpool(_delete, context, (request.path_params["scan"], request.path_params["page"]), who)


def _who(body: bytes) -> str:
    """Return the text `who` of a JSON object; "" where there is none."""
    with contextlib.suppress(ValueError, RecursionError, AttributeError, UnicodeEncodeError):
        who = json.loads(body).get("who")
        if isinstance(who, str) and who.encode():
            return who.strip()
    return ""


class _Scan(NamedTuple):
    """A failed scan: the folder failed, and the path below it."""

    failed: Path
    name: str


def _delete(context: Context, which: tuple[str, str], who: str) -> Response:
    context.index.refresh()
    reading = context.index.reading(*which)
    if reading is None or not is_in_failed(context.settings, reading):
        return JSONResponse({"problem": NOT_THERE}, 404)
    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    known = {name: reading[name] for name in ("id", "file", "sha256", "filed", "reason")}
    line = Deletion(time=time, who=shown_name(who), **known)
    try:
        scan = _Scan(context.settings.places.failed, name_in_failed(context.settings, reading))
        if not _remove(scan, line, context.settings.deletions):
            return JSONResponse({"problem": CHANGED}, 409)
    except NotThereError:
        return JSONResponse({"problem": NOT_THERE}, 404)
    except OSError as error:
        return JSONResponse({"problem": f"it could not be deleted: {error.strerror}"}, 507)
    log.warning("%s was deleted from failed by %s", printable(scan.name), line.who)
    context.index.refresh()
    return JSONResponse({"who": line.who, "time": time})


def _remove(scan: _Scan, line: Deletion, deletions: Path) -> bool:
    """Log a deletion and delete the scan; return False where the file is not the one that was read.

    Raises:
        OSError: it could not be logged, and then it was not deleted; or not deleted.
    """
    base = os.path.basename(scan.name)
    with open_folder(scan.failed, (scan.failed / scan.name).parent) as folder:
        with open_regular(base, folder) as file:
            if line.sha256 and digest_of(file) != line.sha256:
                return False
        deletion_log.append(deletions, line)
        os.unlink(base, dir_fd=folder)
        remove_note(base, folder)
        sync_handle(folder)
    return True
