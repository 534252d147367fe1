"""Uploads into the inbox: under a hidden name until they are complete, never over another file."""

import asyncio
import contextlib
import os
import secrets
import shutil
import time
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import unquote

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from digitwatch.errors import InputError
from digitwatch.spool.archive import free_place
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.durable_io import rename_new, sync_folder
from digitwatch.spool.ignored_names import IGNORED, IgnoredNames
from digitwatch.web.context import Context, context_of, visitor_of

NAME = "x-file-name"
"""The header that holds the file name, percent-encoded."""

SCRATCH = ".digitwatch-upload-"
STALE_SECONDS = 3600.0  # after which the rest of an interrupted upload is deleted
SLOWEST_SECONDS = 600.0  # for one file, so that a slow client does not hold a slot for ever
AT_ONCE = 4  # simultaneous uploads


class UploadError(InputError):
    """The file is refused; carries the HTTP status and a message."""

    def __init__(self, status: int, sentence: str) -> None:
        """Keep both."""
        self.status = status
        super().__init__(sentence)


async def upload(request: Request) -> Response:
    """Write the body of the request to a file in the inbox."""
    context = context_of(request)
    if wait := context.uploads.wait(visitor_of(request)):
        return JSONResponse({"problem": "too many uploads: wait a moment"}, 429, {"retry-after": str(wait)})
    try:
        name = file_name(request.headers.get(NAME, ""), context.settings.ignored)
        _refuse_early(context, request.headers.get("content-length", ""))
        placed = await _receive(context, name, request.stream())
    except UploadError as error:
        return JSONResponse({"problem": str(error)}, error.status)
    except TimeoutError:
        return JSONResponse({"problem": "the upload was too slow"}, 408)
    except OSError as error:
        return JSONResponse({"problem": f"it could not be written to the inbox: {error.strerror}"}, 507)
    return JSONResponse({"file": printable(placed)}, 201)


def file_name(given: str, ignored: IgnoredNames = IGNORED) -> str:
    """Return the name for a file in the inbox: its own, without folders, leading dots and control characters.

    Raises:
        UploadError: nothing is left of it, or the inbox ignores such names.
    """
    name = os.path.basename(unquote(given, errors="replace").replace("\\", "/")).strip().lstrip(".~")
    name = "".join(character for character in name if character.isprintable())
    if not name:
        raise UploadError(400, f"expected the file's name in the header {NAME}")
    if name in ignored:
        raise UploadError(400, f"{name} is a name of unfinished or system files, which are ignored: rename it")
    return name


def clean(inbox: Path) -> None:
    """Delete what uploads left in the inbox when a crash interrupted them."""
    with contextlib.suppress(OSError), os.scandir(inbox) as entries:
        for entry in entries:
            if entry.name.startswith(SCRATCH) and time.time() - entry.stat().st_mtime > STALE_SECONDS:
                os.unlink(entry)


def _refuse_early(context: Context, length: str) -> None:
    if length.isascii() and length.isdigit() and int(length) > context.settings.upload:
        raise _too_large(context)
    if shutil.disk_usage(context.settings.places.inbox).free < context.settings.min_free + context.settings.upload:
        raise UploadError(507, "the disk of the inbox is full")


def _too_large(context: Context) -> UploadError:
    return UploadError(413, f"expected at most {context.settings.upload / 1e6:.0f} MB (web.upload in config.yaml)")


async def _receive(context: Context, name: str, blocks: AsyncIterator[bytes]) -> str:
    """Write the blocks to a hidden file, sync and rename it; nothing is left after an error."""
    if context.uploading >= AT_ONCE:
        raise UploadError(503, "too many uploads at a time: try again")
    inbox = context.settings.places.inbox
    scratch = inbox / f"{SCRATCH}{secrets.token_hex(8)}"
    context.uploading += 1
    try:
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o660)
        try:
            async with asyncio.timeout(SLOWEST_SECONDS):
                await _write(context, handle, blocks)
            await run_in_threadpool(os.fsync, handle)
        finally:
            os.close(handle)
        return await run_in_threadpool(_place, inbox, scratch, name)
    finally:
        context.uploading -= 1
        with contextlib.suppress(OSError):
            scratch.unlink()


async def _write(context: Context, handle: int, blocks: AsyncIterator[bytes]) -> None:
    size = 0
    async for block in blocks:
        size += len(block)
        if size > context.settings.upload:
            raise _too_large(context)
        rest = memoryview(block)
        while rest:
            rest = rest[await run_in_threadpool(os.write, handle, rest) :]
    if not size:
        raise UploadError(400, "the file is empty")


def _place(inbox: Path, scratch: Path, name: str) -> str:
    while True:
        target = free_place(inbox, name, secrets.token_hex(8), os.path.lexists)
        with contextlib.suppress(FileExistsError):  # another program took the name first
            rename_new(scratch, target)
            sync_folder(inbox)
            return target.name
