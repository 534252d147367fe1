"""Images of a reading: thumbnail, annotated image, original, and what the model saw of each digit."""

import asyncio
import io
import os
import sqlite3
from io import FileIO

from PIL import Image
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from digitwatch.recognition.image.formats import media_type
from digitwatch.spool.filed import NotThereError
from digitwatch.web import child_process
from digitwatch.web.context import Context, context_of
from digitwatch.web.response_pieces import OpenFileResponse
from digitwatch.web.views.files import open_annotated, open_original

SMALL = (360, 220)  # width and height at most
KEPT = 500  # thumbnails in memory, about 8 KB each
SECONDS = 30  # for reading a scan again
HEAD = 64  # bytes of a file that show its format
STRICT = {"content-security-policy": "default-src 'none'; sandbox", "cache-control": "private, max-age=86400"}


async def small(request: Request) -> Response:
    """Return the thumbnail of the annotated image; an annotated image never changes, so it is made once."""
    key = (request.path_params["scan"], request.path_params["page"])
    kept = context_of(request).thumbnails
    if key not in kept:  # all open browsers ask for a new image at the same moment: they share one thumbnail
        kept[key] = asyncio.ensure_future(_make_thumbnail(request))
        while len(kept) > KEPT:
            del kept[next(iter(kept))]
    made = await asyncio.shield(kept[key])
    if made is None:
        kept.pop(key, None)
        return _missing()
    return Response(made, media_type="image/webp", headers=STRICT)


def whole(request: Request) -> Response:
    """Return the annotated image."""
    if (reading := _known(request)) is None:
        return _missing()
    try:
        return OpenFileResponse(open_annotated(context_of(request).settings, reading), "image/png", STRICT)
    except NotThereError:
        return _missing()


def scan(request: Request) -> Response:
    """Return the original: displayed where a browser can show it as an image, else a download, never HTML."""
    if (reading := _known(request)) is None:
        return _missing()
    try:
        file = open_original(context_of(request).settings, reading)
    except NotThereError:
        return _missing()
    kind = media_type(os.pread(file.fileno(), HEAD, 0))
    headers = STRICT | ({} if kind else {"content-disposition": 'attachment; filename="original"'})
    return OpenFileResponse(file, kind or "application/octet-stream", headers)


def look(request: Request) -> Response:
    """Read the page, or a field on it, again in a separate process; return what the model saw of each digit."""
    context = context_of(request)
    if (reading := _known(request)) is None:
        return _missing()
    try:
        with open_original(context.settings, reading) as file:
            return Response(_model_view(context, file, _what(request, reading)), media_type="application/json")
    except NotThereError:
        return JSONResponse({"problem": "the original is no longer where it was filed"})


def _known(request: Request) -> sqlite3.Row | None:
    """Return a reading of the page; those of all its fields name the same files."""
    found = context_of(request).index.page(request.path_params["scan"], request.path_params["page"])
    return found[0] if found else None


def _what(request: Request, reading: sqlite3.Row) -> list[str]:
    """Return the arguments of `model_view` behind the limit of pixels: the page, and of a form its templates and field.

    Without a field the places of all fields are returned, and nothing is read.
    """
    forms = context_of(request).settings.forms
    if forms is None or not reading["field"]:
        return [reading["page"]]
    return [reading["page"], str(forms), request.path_params.get("field", "")]


def _missing() -> Response:
    return PlainTextResponse("Not found.\n", 404)


async def _make_thumbnail(request: Request) -> bytes | None:
    async with context_of(request).resizing:
        return await run_in_threadpool(_small, request)


def _small(request: Request) -> bytes | None:
    """Return the annotated image scaled down, or None where there is none."""
    if (reading := _known(request)) is None:
        return None
    try:
        with open_annotated(context_of(request).settings, reading) as file, Image.open(file, formats=["PNG"]) as image:
            full = image.convert("RGB")  # grey pages have a palette, in which there is nothing between two colours
            full.thumbnail(SMALL)
            made = io.BytesIO()
            full.save(made, "WEBP", quality=80, method=0)  # 15 ms in all instead of 27, for 6 KB instead of 4
    except (OSError, NotThereError, Image.DecompressionBombError):
        return None
    return made.getvalue()


def _model_view(context: Context, file: FileIO, what: list[str]) -> bytes:
    module = "digitwatch.web.views.model_view"
    arguments = [str(context.settings.model()), str(context.settings.pixels), *what]
    return child_process.run(module, arguments, file, seconds=SECONDS)
