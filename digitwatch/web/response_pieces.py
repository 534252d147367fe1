"""Responses in small pieces, so that a slow client costs little memory: open files, texts, and whole bodies."""

import os
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from io import FileIO

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from digitwatch.errors import TransientError

PIECE = 64 << 10  # bytes


class InterruptedResponseError(TransientError):
    """The rest of a response that has begun cannot be read; the message says why."""


class OpenFileResponse(Response):
    """Sends a file that is already open, piece by piece, and closes it."""

    def __init__(self, file: FileIO, media_type: str, headers: Mapping[str, str]) -> None:
        """Own the file, which is sent up to its present size."""
        self._file = file
        self._size = os.fstat(file.fileno()).st_size
        super().__init__(None, media_type=media_type, headers={**headers, "content-length": str(self._size)})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the head, and for GET the content."""
        with self._file:
            if scope["method"] == "HEAD":
                await super().__call__(scope, receive, send)
                return
            await StreamingResponse(self._pieces(), headers=self.headers)(scope, receive, send)

    async def _pieces(self) -> AsyncIterator[bytes]:
        place = 0
        while place < self._size:
            try:
                piece = await run_in_threadpool(os.pread, self._file.fileno(), min(PIECE, self._size - place), place)
            except OSError as error:
                raise InterruptedResponseError(str(error)) from error
            if not piece:
                raise InterruptedResponseError(f"the file was cut to {place} of {self._size} bytes while it was sent")
            place += len(piece)
            yield piece


def joined(lines: Iterable[str]) -> Iterator[str]:
    """Yield texts of about PIECE characters that are made of whole lines; a thread is entered once for each text.

    Raises:
        InterruptedResponseError: a file cannot be read any further.
    """
    kept: list[str] = []
    size = 0
    try:
        for line in lines:
            kept.append(line)
            size += len(line)
            if size >= PIECE:
                yield "".join(kept)
                kept, size = [], 0
    except OSError as error:
        raise InterruptedResponseError(str(error)) from error
    if kept:
        yield "".join(kept)


async def send_in_pieces(send: Send, message: Message) -> None:
    """Send a message; a body larger than PIECE goes as several, so that each has a time limit of its own."""
    body = message.get("body", b"")
    for place in range(0, len(body) - PIECE, PIECE):
        await send({"type": "http.response.body", "body": body[place : place + PIECE], "more_body": True})
    last = (len(body) - 1) // PIECE * PIECE if body else 0
    await send({**message, "body": body[last:]} if last else message)
