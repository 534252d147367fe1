"""What one look at a file tells, without following links and without waiting for anybody."""

import errno
import fcntl
import os
from pathlib import Path

LOOK = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW | os.O_CLOEXEC

EDGE = 64  # bytes at both ends of a file that tell whether it is complete


def edges(path: Path, size: int) -> tuple[bytes, bytes]:
    """Return the first and the last bytes of a file of `size` bytes; nothing when it cannot be read."""
    try:
        file = os.open(path, LOOK)
    except OSError:
        return b"", b""
    try:
        return os.pread(file, EDGE, 0), os.pread(file, EDGE, max(0, size - EDGE))
    except OSError:
        return b"", b""
    finally:
        os.close(file)


def is_being_written(path: Path) -> bool:
    """Return whether a program has the file open for writing, where the system lets us know.

    A read lease is refused while a writer is there (fcntl(2)). Leases are given on local filesystems, to
    the owner of a file and to root; everybody else relies on the quiet time.
    """
    if not hasattr(fcntl, "F_SETLEASE"):  # not Linux
        return False
    try:
        file = os.open(path, LOOK)
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
