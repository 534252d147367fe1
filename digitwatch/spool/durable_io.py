"""Writes and renames that outlive a power cut and never replace what is there."""

import contextlib
import ctypes
import errno
import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

RENAME_NOREPLACE = 1  # linux/fs.h
AT_FDCWD = -100  # fcntl.h

NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP)  # CIFS and some FUSE filesystems cannot sync a folder
REMEMBERED = 1000  # folders known to be durable; the list is begun anew beyond

_durable_folders: dict[Path, tuple[int, int]] = {}


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
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise
    finally:
        os.close(handle)


def make_folder(top: Path, folder: Path) -> None:
    """Make `folder` and what is missing between it and `top`, durably; cheap when it is repeated.

    `top` itself is never made: when it is gone, its disk may be.

    Raises:
        OSError: `top` is gone, or the disk is full or read-only.
    """
    if _durable_folders.get(folder) == identity(folder) is not None:
        return
    below = folder.relative_to(top).parts
    for depth in range(1, len(below) + 1):
        child = top.joinpath(*below[:depth])
        if _durable_folders.get(child) == identity(child) is not None:
            continue
        try:
            child.mkdir(exist_ok=True)
        except FileNotFoundError:  # people are told what is gone, not what could not be made in it
            raise FileNotFoundError(errno.ENOENT, "the folder is gone; make it or mount its disk", str(top)) from None
        sync_folder(child.parent)  # also one that was there: whoever made it may have died before its sync
        if len(_durable_folders) >= REMEMBERED:
            _durable_folders.clear()
        if (made := identity(child)) is not None:
            _durable_folders[child] = made


def identity(path: Path) -> tuple[int, int] | None:
    """Give device and inode of what a path leads to, or None when it leads nowhere."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def rename_new(source: Path, target: Path) -> None:
    """Rename atomically, but never onto an existing file.

    Raises:
        FileExistsError: the target exists.
    """
    if _renameat2 is not None:
        if _renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target), RENAME_NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):  # a filesystem that does not know the flag
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


def copy_durably(source: Path, copy: Path) -> None:
    """Copy the bytes of a file, with times and mode where that is allowed, and sync the copy.

    Raises:
        BlockingIOError: the source was written to meanwhile; the copy may hold a mixture.
        OSError: the disk is full, gone or read-only; no copy is left.
    """
    before = os.stat(source)
    try:
        shutil.copyfile(source, copy)
        with contextlib.suppress(OSError):  # times and mode are a courtesy, the bytes are the promise
            shutil.copystat(source, copy)
        with copy.open("rb") as file:
            os.fsync(file.fileno())
        after = os.stat(source)
        if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
            raise BlockingIOError(errno.EAGAIN, "is still being written to", str(source))
    except OSError:
        with contextlib.suppress(OSError):
            copy.unlink()
        raise


def scratch_for(name: str) -> str:
    """Give a hidden name that is the same whenever the work on `name` is repeated."""
    return f".{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}.tmp"


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal, read piece by piece; "" for a pipe, device or folder."""
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        if not stat.S_ISREG(os.fstat(handle).st_mode):
            return ""
        with open(handle, "rb", closefd=False) as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    finally:
        os.close(handle)
