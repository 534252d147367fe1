"""Proof that a server is the web interface of one installation: it answers a challenge with a key that both can read.

The key lies beside corrections.csv, for the user of the service alone. The answer holds the port, so that another
program cannot pass the challenge on to the real one and answer with its words.
"""

import contextlib
import hmac
import os
import secrets
from pathlib import Path

CHALLENGE, ANSWER = "x-digitwatch-challenge", "x-digitwatch-answer"
"""The header of a request to /healthz, and that of the response."""

KEY_BYTES = 32
LONGEST = 100  # characters of a challenge


def key_file(corrections: Path) -> Path:
    """Return where the key of the installation with this corrections.csv lies."""
    return corrections.with_name(".digitwatch-web-key")


def own_key(path: Path) -> bytes:
    """Return the key, which is made when there is none; empty where it can be neither made nor read."""
    key = secrets.token_bytes(KEY_BYTES)
    with contextlib.suppress(OSError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        with open(handle, "wb") as file:
            file.write(key)
        return key
    with contextlib.suppress(OSError):
        return read_key(path)
    return b""


def read_key(path: Path) -> bytes:
    """Return the key of an installation; empty where the file holds none.

    Raises:
        OSError: there is none, or this user may not read it.
    """
    with open(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as file:
        key = file.read(KEY_BYTES)
    return key if len(key) == KEY_BYTES else b""


def answer(key: bytes, challenge: str, port: int) -> str:
    """Return the answer to a challenge that came to a port; empty without a key or a proper challenge."""
    if not key or not challenge or len(challenge) > LONGEST:
        return ""
    return hmac.new(key, f"{port} {challenge}".encode("utf-8", "replace"), "sha256").hexdigest()
