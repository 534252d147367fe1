"""The access token: read from its file, compared in constant time, and the cookies signed with it."""

import hmac
import os
import secrets
import stat
import time
from dataclasses import dataclass
from pathlib import Path

from digitwatch.errors import ConfigurationError

SHORTEST = 16  # characters
LONGEST = 4096  # bytes of the file
COOKIE_SECONDS = 30 * 86_400


class TokenError(ConfigurationError):
    """The token file cannot be used; the message says why and what to do."""


def read_token(path: Path) -> str:
    """Return the token that a file holds, without the white space around it.

    Raises:
        TokenError: it is missing, too short, or open to everybody.
    """
    advice = f"python3 -c 'import secrets; print(secrets.token_urlsafe())' > {path}; chmod 640 {path}"
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            text = file.read(LONGEST).decode("utf-8", "replace").strip()
    except OSError as error:
        raise TokenError(f"cannot be read: {error.strerror}; create it: {advice}") from error
    if stat.S_IMODE(mode) & 0o007:
        raise TokenError(f"expected a file closed to others, found mode {stat.S_IMODE(mode):o}: chmod o= {path}")
    if len(text) < SHORTEST:
        raise TokenError(f"expected {SHORTEST} characters or more, found {len(text)}; create it: {advice}")
    return text


@dataclass(frozen=True)
class Session:
    """What a correctly signed cookie says: the end of its time (seconds of the clock) and the session's name."""

    until: int
    name: str


def is_token(token: str, given: str) -> bool:
    """Return whether `given` is the token, in constant time."""
    return hmac.compare_digest(token.encode(), given.encode("utf-8", "replace"))


def new_cookie(token: str, now: float | None = None) -> str:
    """Return a cookie that proves for COOKIE_SECONDS that its owner knew the token, which it does not contain."""
    head = f"{int((now or time.time()) + COOKIE_SECONDS)}.{secrets.token_urlsafe(16)}"
    return f"{head}.{_sign(token, head)}"


def session_of(token: str, cookie: str) -> Session | None:
    """Return the session of a cookie that was made with this token, also an expired one, or None."""
    name, _, signature = cookie.rpartition(".")
    until = name.partition(".")[0]
    if not until.isascii() or not until.isdigit() or len(until) > 12:
        return None
    is_ours = hmac.compare_digest(_sign(token, name).encode(), signature.encode("utf-8", "replace"))
    return Session(int(until), name) if is_ours else None


def _sign(token: str, text: str) -> str:
    return hmac.new(token.encode(), f"digitwatch page {text}".encode("utf-8", "replace"), "sha256").hexdigest()
