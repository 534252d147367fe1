"""Writes and renames that outlive a power cut and never replace what is there."""

import contextlib
import ctypes
import errno
import hashlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path

RENAME_NOREPLACE = 1  # linux/fs.h
AT_FDCWD = -100  # fcntl.h


def write_durably(path: Path, data: bytes) -> None:
    """Write a new file and sync it; on any error nothing is left at `path`."""
    try:
        with path.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            path.unlink()
        raise


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: renames and new files outlive a power cut only after this."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def rename_new(source: Path, target: Path) -> None:
    """Rename atomically, but never onto an existing file.

    Raises:
        FileExistsError: the target exists.
    """
    if _renameat2 is not None:
        if _renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), RENAME_NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in (errno.EINVAL, errno.ENOSYS):  # a filesystem that does not know the flag
            raise OSError(number, os.strerror(number), str(source), None, str(target))
    if os.path.lexists(target):  # not atomic, but the lock makes us the only writer of these folders
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))
    os.rename(source, target)


def _load_renameat2() -> Callable[..., int] | None:
    """Give the C library's renameat2 (Linux), which Python does not offer, or None elsewhere."""
    try:
        function: Callable[..., int] = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    return function


_renameat2 = _load_renameat2()


def move_new(source: Path, target: Path) -> None:
    """Move a file, across filesystems too, but never onto an existing one.

    Raises:
        FileExistsError: the target exists.
        OSError: the target's folder is full, gone or read-only; the source is where it was.
    """
    try:
        rename_new(source, target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy_across(source, target)


def _copy_across(source: Path, target: Path) -> None:
    """Move a file to another filesystem: copy, sync, rename, and only then unlink."""
    scratch = target.with_name(scratch_for(source))
    try:
        shutil.copyfile(source, scratch)
        with contextlib.suppress(PermissionError):  # times and mode are a courtesy, the bytes are the promise
            shutil.copystat(source, scratch)
        with scratch.open("rb") as copy:
            os.fsync(copy.fileno())
        rename_new(scratch, target)
    except OSError:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise
    sync_folder(target.parent)
    source.unlink()


def scratch_for(path: Path) -> str:
    """Give a temporary name that is the same whenever the work on `path` is repeated."""
    return f".{hashlib.sha256(os.fsencode(path)).hexdigest()[:16]}.tmp"


def digest(path: Path) -> str:
    """Give the SHA-256 of a file in hexadecimal, read piece by piece."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
