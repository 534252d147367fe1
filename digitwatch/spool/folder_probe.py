"""Tests whether a folder works, to distinguish an error of one file from an error of its disk."""

import os
import secrets
from pathlib import Path

PROBE_BYTES = 1 << 20  # about one scan: a disk that cannot take it is full for the next scan, too


def can_write(folder: Path, prefix: str) -> bool:
    """Return whether a file (PREFIX and random digits) can be made, written, synced, read and removed in a folder."""
    path = folder / f"{prefix}{secrets.token_hex(8)}.tmp"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError:
        return False
    try:
        path.unlink()  # first, so that a process that is killed meanwhile leaves nothing
        written = os.write(handle, bytes(PROBE_BYTES))
        os.fsync(handle)
        return written == PROBE_BYTES == len(os.pread(handle, PROBE_BYTES, 0))
    except OSError:
        return False
    finally:
        os.close(handle)


def can_list(folder: Path) -> bool:
    """Return whether a folder can be listed, for those that nothing may be written to."""
    try:
        os.listdir(folder)
    except OSError:
        return False
    return True
