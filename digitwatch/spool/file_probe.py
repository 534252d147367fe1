"""Reads the ends of a file and tests for writers, without following links and without blocking."""

import errno
import fcntl
import os
from pathlib import Path

OPEN_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC

EDGE = 64  # bytes at both ends of a file that tell whether it is complete


def edges(path: Path, size: int) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of a file of `size` bytes; nothing when it cannot be read."""
    try:
        file = os.open(path, OPEN_FLAGS)
    except OSError:
        return b"", b""
    try:
        return os.pread(file, EDGE, 0), os.pread(file, EDGE, max(0, size - EDGE))
    except OSError:
        return b"", b""
    finally:
        os.close(file)


def is_being_written(path: Path) -> bool:
    """Return whether a program has the file open for writing, where the system can tell.

    A read lease is refused while the file is open for writing (fcntl(2)). Leases exist on local filesystems, for
    the owner of a file and for root; otherwise only the settle time decides.
    """
    if not hasattr(fcntl, "F_SETLEASE"):  # not Linux
        return False
    try:
        file = os.open(path, OPEN_FLAGS)
    except OSError:
        return False
    try:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_RDLCK)
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    except OSError as error:
        return error.errno == errno.EAGAIN
    finally:
        os.close(file)
    return False
