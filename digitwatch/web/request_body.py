"""Request bodies, read within limits of size and time."""

import asyncio

from starlette.requests import Request

from digitwatch.errors import InputError

SECONDS = 10.0  # for the few bytes of a form


class BodyTooLargeError(InputError):
    """The body is too large or came too slowly."""


async def small_body(request: Request, most: int, seconds: float = SECONDS) -> bytes:
    """Return the body of a request of at most `most` bytes.

    Raises:
        BodyTooLargeError: it is larger, or incomplete after `seconds`.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            async for block in request.stream():
                body += block
                if len(body) > most:
                    raise BodyTooLargeError(f"expected at most {most} bytes")
    except TimeoutError:
        raise BodyTooLargeError(f"expected the whole body within {seconds:g} seconds") from None
    return bytes(body)
