"""Who may see the web interface: one limit for every proof of the token, and sessions that end at sign-out."""

import logging
import os
import time
from pathlib import Path

from digitwatch.errors import TransientError
from digitwatch.web.auth_token import is_token, new_cookie, session_of
from digitwatch.web.rate_limit import Rate

log = logging.getLogger(__name__)

BURST, PER_SECOND = 10, 0.1  # wrong tokens of one address


class TooManyAttemptsError(TransientError):
    """An address sent too many wrong tokens or cookies; `wait_s` is the number of seconds to wait."""

    def __init__(self, wait_s: int) -> None:
        """Keep the time and make the sentence."""
        self.wait_s = wait_s
        super().__init__(f"Too many attempts: wait {wait_s} seconds.")


class Access:
    """Checks tokens and cookies. May be used by several threads."""

    def __init__(self, token: str, revoked: Path) -> None:
        """Read the sessions that were ended; `revoked` holds one a line and need not exist."""
        self._token = token
        self._path = revoked
        self._failures = Rate(BURST, PER_SECOND, time.monotonic)
        self._revoked = _read(revoked) if token else set()

    def has_token(self, given: str, visitor: str) -> bool:
        """Return whether `given` is the token; a wrong one counts against the address `visitor`.

        Raises:
            TooManyAttemptsError: the address has to wait, whatever it sent.
        """
        self._check_limit(visitor)
        return bool(self._token) and (is_token(self._token, given) or self._count_failure(visitor))

    def has_session(self, cookie: str, visitor: str) -> bool:
        """Return whether a cookie proves a session that was neither ended nor expired.

        A correct signature is accepted at any time, since it cannot be guessed; a wrong one counts like a wrong token.

        Raises:
            TooManyAttemptsError: the signature is wrong and the address has to wait.
        """
        if not cookie:
            return False
        session = session_of(self._token, cookie)
        if session is None:
            self._check_limit(visitor)
            return self._count_failure(visitor)
        return session.until > time.time() and session.name not in self._revoked

    def start_session(self) -> str:
        """Return the cookie of a new session."""
        return new_cookie(self._token)

    def end_session(self, cookie: str) -> None:
        """Revoke the session of a cookie, also for the time after a restart."""
        session = session_of(self._token, cookie) if self._token else None
        if session is None or session.name in self._revoked:
            return
        self._revoked.add(session.name)
        try:
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
            with open(handle, "w") as file:
                file.write(f"{session.name}\n")
                file.flush()
                os.fsync(handle)
        except OSError as error:
            log.warning("a sign-out is not kept for the next start: %s", error)

    def _check_limit(self, visitor: str) -> None:
        if wait_s := self._failures.peek(visitor):
            raise TooManyAttemptsError(wait_s)

    def _count_failure(self, visitor: str) -> bool:
        self._failures.wait(visitor)
        return False


def _read(path: Path) -> set[str]:
    """Return the names of ended sessions, those that have expired left out."""
    try:
        names = path.read_text("ascii", "replace").splitlines()
    except FileNotFoundError:
        return set()
    except OSError as error:
        log.warning("the sessions that were ended cannot be read: %s", error)
        return set()
    now = f"{int(time.time()):012}"
    return {name for name in names if name.partition(".")[0].zfill(12) > now}
