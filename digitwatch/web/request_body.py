"""What a browser sends, read within bounds of size and time."""

import asyncio

from starlette.requests import Request

from digitwatch.errors import InputError

SECONDS = 10.0  # for the few bytes of a form


class BodyTooLargeError(InputError):
    """More bytes came than anybody needs, or they came too slowly."""


async def small_body(request: Request, most: int) -> bytes:
    """Give the body of a request of at most `most` bytes.

    Raises:
        BodyTooLargeError: it is larger, or is not there after SECONDS.
    """
    body = bytearray()
    try:
        async with asyncio.timeout(SECONDS):
            async for block in request.stream():
                body += block
                if len(body) > most:
                    raise BodyTooLargeError(f"expected at most {most} bytes")
    except TimeoutError:
        raise BodyTooLargeError(f"expected all of it within {SECONDS:g} seconds") from None
    return bytes(body)
