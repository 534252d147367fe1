"""Pictures of a reading: small and whole, the original, and what the model saw of it."""

import asyncio
import io
import json
import os
import sqlite3
import subprocess
import sys
import threading

from PIL import Image
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from digitwatch.spool.filed import NotThereError
from digitwatch.web.context import Context, desk_of
from digitwatch.web.views.files import original, picture

SMALL = (360, 220)  # width and height at most
KEPT = 500  # small pictures in memory, about 8 KB each
SECONDS = 30  # until looking at a scan again is given up
SHOWN = (  # what browsers show, by its first bytes
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
)
STRICT = {"content-security-policy": "default-src 'none'; sandbox", "cache-control": "private, max-age=86400"}

_few = threading.Semaphore(2)  # pictures made smaller at a time
_one = threading.Semaphore(1)  # scans looked at again at a time: reading new ones goes first


async def small(request: Request) -> Response:
    """Give the annotated picture in a size for lists; a picture never changes, so it is made once."""
    key = (request.path_params["scan"], request.path_params["page"])
    kept = desk_of(request).kept_pictures
    if key not in kept:  # all open pages ask for a new picture at the same moment: they share one making of it
        kept[key] = asyncio.ensure_future(run_in_threadpool(_small, request))
        while len(kept) > KEPT:
            del kept[next(iter(kept))]
    made = await asyncio.shield(kept[key])
    if made is None:
        kept.pop(key, None)
        return _missing()
    return Response(made, media_type="image/webp", headers=STRICT)


def whole(request: Request) -> Response:
    """Give the annotated picture."""
    if (reading := _known(request)) is None:
        return _missing()
    try:
        return Response(picture(desk_of(request).site, reading), media_type="image/png", headers=STRICT)
    except NotThereError:
        return _missing()


def scan(request: Request) -> Response:
    """Give the original: shown where a browser can show it as a picture, else to be saved, never as a page."""
    if (reading := _known(request)) is None:
        return _missing()
    try:
        data = original(desk_of(request).site, reading)
    except NotThereError:
        return _missing()
    kind = kind_of(data)
    headers = STRICT | ({} if kind else {"content-disposition": 'attachment; filename="original"'})
    return Response(data, media_type=kind or "application/octet-stream", headers=headers)


def look(request: Request) -> Response:
    """Read the page once more, in a process of its own, and give what the model saw of each digit."""
    desk = desk_of(request)
    if (reading := _known(request)) is None:
        return _missing()
    try:
        data = original(desk.site, reading)
    except NotThereError:
        return JSONResponse({"trouble": "the original is no longer where it was filed"})
    return Response(_look(desk, data, reading["page"]), media_type="application/json")


def kind_of(data: bytes) -> str:
    """Give the media type of a picture that browsers show, or an empty text."""
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return "image/webp"
    if data[4:12] in (b"ftypavif", b"ftypavis"):
        return "image/avif"
    return next((kind for start, kind in SHOWN if data.startswith(start)), "")


def _known(request: Request) -> sqlite3.Row | None:
    return desk_of(request).index.reading(request.path_params["scan"], request.path_params["page"])


def _missing() -> Response:
    return PlainTextResponse("It is not there (any more).\n", 404)


def _small(request: Request) -> bytes | None:
    """Make a picture smaller, or give None where there is none."""
    if (reading := _known(request)) is None:
        return None
    try:
        data = picture(desk_of(request).site, reading)
        with _few, Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            full = image.convert("RGB")  # grey pages have a palette, in which there is nothing between two colours
            full.thumbnail(SMALL)
            made = io.BytesIO()
            full.save(made, "WEBP", quality=80, method=0)  # 15 ms in all instead of 27, for 6 KB instead of 4
    except (OSError, NotThereError, Image.DecompressionBombError):
        return None
    return made.getvalue()


def _look(desk: Context, data: bytes, page: str) -> bytes:
    command = [
        sys.executable,
        "-P",
        "-m",
        "digitwatch.web.views.model_view",
        str(desk.site.model()),
        str(desk.site.pixels),
        page,
    ]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    try:
        with _one:
            done = subprocess.run(
                command,
                input=data,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                timeout=SECONDS,
                env=environment,
                check=False,
            )
    except subprocess.TimeoutExpired:
        return json.dumps({"trouble": f"looking at it again took more than {SECONDS} seconds"}).encode()
    if done.returncode:
        return json.dumps({"trouble": "it could not be looked at again"}).encode()
    return done.stdout
