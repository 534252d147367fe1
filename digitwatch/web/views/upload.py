"""Scans from a browser into the inbox: under a hidden name until they are whole, never onto another file."""

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
from digitwatch.spool.inbox import is_temporary
from digitwatch.web.context import Context, desk_of, visitor_of

NAME = "x-file-name"
"""The header that holds the file's name, with what is not plain ASCII written as %NN."""

SCRATCH = ".digitwatch-upload-"
STALE_SECONDS = 3600.0  # after which what an interrupted upload left is taken away
SLOWEST_SECONDS = 600.0  # for one file: who sends a byte now and then keeps no place for ever
AT_ONCE = 4  # uploads that are being written


class UploadError(InputError):
    """The file is not taken; carries the status of the answer and a sentence for a person."""

    def __init__(self, status: int, sentence: str) -> None:
        """Keep both."""
        self.status = status
        super().__init__(sentence)


async def upload(request: Request) -> Response:
    """Put the file in the body of the request into the inbox."""
    desk = desk_of(request)
    if wait := desk.uploads.wait(visitor_of(request)):
        return JSONResponse({"trouble": "too many files at a time"}, 429, {"retry-after": str(wait)})
    try:
        name = file_name(request.headers.get(NAME, ""))
        _refuse_early(desk, request.headers.get("content-length", ""))
        placed = await _receive(desk, name, request.stream())
    except UploadError as error:
        return JSONResponse({"trouble": str(error)}, error.status)
    except TimeoutError:
        return JSONResponse({"trouble": "it came too slowly"}, 408)
    except OSError as error:
        return JSONResponse({"trouble": f"the inbox does not take it: {error.strerror}"}, 507)
    return JSONResponse({"file": printable(placed)}, 201)


def file_name(given: str) -> str:
    """Give the name under which a file is put into the inbox: its own, without folders and hiding marks.

    Raises:
        UploadError: nothing is left of it, or it is one that would be left alone there.
    """
    name = os.path.basename(unquote(given, errors="replace").replace("\\", "/")).strip().lstrip(".~")
    name = "".join(character for character in name if character.isprintable())
    if not name:
        raise UploadError(400, f"expected the file's name in the header {NAME}")
    if is_temporary(name):
        raise UploadError(400, f"{name} is a name for unfinished files, which are left alone: give it another one")
    return name


def clean(inbox: Path) -> None:
    """Take away what uploads that were interrupted by a crash left in the inbox."""
    with contextlib.suppress(OSError), os.scandir(inbox) as entries:
        for entry in entries:
            if entry.name.startswith(SCRATCH) and time.time() - entry.stat().st_mtime > STALE_SECONDS:
                os.unlink(entry)


def _refuse_early(desk: Context, length: str) -> None:
    if length.isascii() and length.isdigit() and int(length) > desk.site.upload:
        raise _too_large(desk)
    if shutil.disk_usage(desk.site.places.inbox).free < desk.site.min_free + desk.site.upload:
        raise UploadError(507, "the disk of the inbox is full")


def _too_large(desk: Context) -> UploadError:
    return UploadError(413, f"expected at most {desk.site.upload / 1e6:.0f} MB (web.upload in config.yaml)")


async def _receive(desk: Context, name: str, blocks: AsyncIterator[bytes]) -> str:
    """Write the blocks to a hidden file, sync it, and give it its name; on any trouble nothing is left."""
    if desk.uploading >= AT_ONCE:
        raise UploadError(503, "too many files at a time: try again")
    inbox = desk.site.places.inbox
    scratch = inbox / f"{SCRATCH}{secrets.token_hex(8)}"
    desk.uploading += 1
    try:
        handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o660)
        try:
            async with asyncio.timeout(SLOWEST_SECONDS):
                await _write(desk, handle, blocks)
            await run_in_threadpool(os.fsync, handle)
        finally:
            os.close(handle)
        return await run_in_threadpool(_place, inbox, scratch, name)
    finally:
        desk.uploading -= 1
        with contextlib.suppress(OSError):
            scratch.unlink()


async def _write(desk: Context, handle: int, blocks: AsyncIterator[bytes]) -> None:
    size = 0
    async for block in blocks:
        size += len(block)
        if size > desk.site.upload:
            raise _too_large(desk)
        rest = memoryview(block)
        while rest:
            rest = rest[await run_in_threadpool(os.write, handle, rest) :]
    if not size:
        raise UploadError(400, "the file is empty")


def _place(inbox: Path, scratch: Path, name: str) -> str:
    while True:
        target = free_place(inbox, name, os.path.lexists)
        with contextlib.suppress(FileExistsError):  # somebody was quicker
            rename_new(scratch, target)
            sync_folder(inbox)
            return target.name
