"""The secret that keeps others out: read from its file, compared in constant time, and the cookie made of it."""

import hmac
import os
import secrets
import stat
import time
from pathlib import Path

from digitwatch.errors import ConfigurationError

SHORTEST = 16  # characters
LONGEST = 4096  # bytes of the file
COOKIE_SECONDS = 30 * 86_400


class TokenError(ConfigurationError):
    """The token file cannot be used; the message says why and what to do."""


def read_token(path: Path) -> str:
    """Give the secret that a file holds, without the white space around it.

    Raises:
        TokenError: it is missing, too short, or open to everybody.
    """
    advice = f"python3 -c 'import secrets; print(secrets.token_urlsafe())' > {path}; chmod 640 {path}"
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(LONGEST).decode("utf-8", "replace").strip()
    except OSError as error:
        raise TokenError(f"cannot be read: {error.strerror}; make it: {advice}") from error
    if stat.S_IMODE(mode) & 0o007:
        raise TokenError(f"expected a file closed to others, found mode {stat.S_IMODE(mode):o}: chmod o= {path}")
    if len(text) < SHORTEST:
        raise TokenError(f"expected {SHORTEST} characters or more, found {len(text)}; make it: {advice}")
    return text


def is_token(token: str, given: str) -> bool:
    """Tell whether a visitor knows the secret, in a time that does not depend on how much of it is right."""
    return hmac.compare_digest(token.encode(), given.encode("utf-8", "replace"))


def new_cookie(token: str, now: float | None = None) -> str:
    """Give a cookie that proves for thirty days that its owner knew the secret, which it does not hold."""
    head = f"{int((now or time.time()) + COOKIE_SECONDS)}.{secrets.token_urlsafe(16)}"
    return f"{head}.{_sign(token, head)}"


def is_cookie(token: str, cookie: str, now: float | None = None) -> bool:
    """Tell whether a cookie was made with this secret and has not run out."""
    head, _, signature = cookie.rpartition(".")
    until = head.partition(".")[0]
    if not until.isascii() or not until.isdigit() or len(until) > 12:
        return False
    is_ours = hmac.compare_digest(_sign(token, head).encode(), signature.encode("utf-8", "replace"))
    return is_ours and int(until) > (now or time.time())


def _sign(token: str, text: str) -> str:
    return hmac.new(token.encode(), f"digitwatch page {text}".encode("utf-8", "replace"), "sha256").hexdigest()
