"""Writes and renames that survive a power cut, follow no link below a folder, and never replace a file.

Folders are opened once and used by handle, so that replacing a path component by a link has no effect.
"""

import contextlib
import ctypes
import errno
import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from digitwatch.spool.file_probe import OPEN_FLAGS

RENAME_NOREPLACE = 1  # linux/fs.h
AT_FDCWD = -100  # fcntl.h

FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

NO_FOLDER_SYNC = (errno.EINVAL, errno.ENOTSUP)  # CIFS and some FUSE filesystems cannot sync a folder
MAX_REMEMBERED = 1000  # folders known to be durable; the list is cleared beyond

_durable_folders: dict[Path, tuple[int, int]] = {}


@contextlib.contextmanager
def open_folder(top: Path, folder: Path | None = None, *, make: bool = False) -> Iterator[int]:
    """Yield a handle of `folder`, which is `top` or lies below it; below `top` no link is followed.

    With `make`, missing folders are created durably. `top` itself is never created: when it is missing, its disk may
    not be mounted.

    Raises:
        NotADirectoryError: a component below `top` is a link or a file.
        OSError: the folder is missing, or the disk is full or read-only.
    """
    path, handle = top, _open_top(top)
    try:
        for name in (folder or top).relative_to(top).parts:
            path = path / name
            child = _open_child(handle, path, make)
            os.close(handle)
            handle = child
        yield handle
    except OSError as error:  # a bare name, and that of a scratch file, means nothing to people: name the folder
        if isinstance(error.filename, str) and not os.path.isabs(error.filename):
            error.filename, error.filename2 = str(path), None
        raise
    finally:
        os.close(handle)


def _open_top(top: Path) -> int:
    try:
        return os.open(top, FOLDER)
    except FileNotFoundError:
        raise FileNotFoundError(errno.ENOENT, "the folder is gone; make it or mount its disk", str(top)) from None


def _open_child(parent: int, path: Path, make: bool) -> int:
    try:
        if make and not _is_durable(parent, path):
            _make_child(parent, path)
        return os.open(path.name, FOLDER | os.O_NOFOLLOW, dir_fd=parent)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            sentence = "is a link or a file where a folder is expected; remove it"
            raise NotADirectoryError(errno.ENOTDIR, sentence, str(path)) from None
        raise OSError(error.errno, error.strerror, str(path)) from None


def _make_child(parent: int, path: Path) -> None:
    with contextlib.suppress(FileExistsError):
        os.mkdir(path.name, dir_fd=parent)
    sync_handle(parent)  # also for an existing one: its creator may have been killed before the sync
    if len(_durable_folders) >= MAX_REMEMBERED:
        _durable_folders.clear()
    status = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
    _durable_folders[path] = status.st_dev, status.st_ino


def _is_durable(parent: int, path: Path) -> bool:
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(path.name, dir_fd=parent, follow_symlinks=False)
        return _durable_folders.get(path) == (status.st_dev, status.st_ino)
    return False


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable: renames and new files survive a power cut only after this."""
    handle = os.open(folder, FOLDER)
    try:
        sync_handle(handle)
    finally:
        os.close(handle)


def sync_handle(folder: int) -> None:
    """Make the names in an open folder durable."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in NO_FOLDER_SYNC:
            raise


def identity(path: Path) -> tuple[int, int] | None:
    """Return device and inode of a path, links followed; None when there is none."""
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_dev, status.st_ino


def exists(name: str, folder: int) -> bool:
    """Return whether an open folder has an entry of this name, of any kind."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def rename_new(
    source: Path | str, target: Path | str, *, source_folder: int | None = None, target_folder: int | None = None
) -> None:
    """Rename atomically, but never onto an existing name; names are relative to the open folders, where given.

    Raises:
        FileExistsError: the target exists.
    """
    if _renameat2 is not None:
        folders = [AT_FDCWD if folder is None else folder for folder in (source_folder, target_folder)]
        if _renameat2(folders[0], os.fsencode(source), folders[1], os.fsencode(target), RENAME_NOREPLACE) == 0:
            return
        number = ctypes.get_errno()
        if number not in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):  # a filesystem without the flag
            raise OSError(number, os.strerror(number), str(source), None, str(target))
    # not atomic, but where the flag is missing the lock makes this process the only writer of these folders
    try:
        os.stat(target, dir_fd=target_folder, follow_symlinks=False)
    except FileNotFoundError:
        os.rename(source, target, src_dir_fd=source_folder, dst_dir_fd=target_folder)
    else:
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(target))


def _load_renameat2() -> Callable[..., int] | None:
    """Return the C library's renameat2 (Linux), which Python does not offer, or None elsewhere."""
    try:
        function: Callable[..., int] = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return None
    return function


_renameat2 = _load_renameat2()


def write_durably(path: Path, data: bytes) -> None:
    """Write a file and sync it, in place of one that an earlier attempt left; on any error nothing is left.

    The file is always new: an existing one is removed, never opened.
    """
    try:
        file = os.open(path, NEW_FILE, 0o666)
    except FileExistsError:
        path.unlink()
        file = os.open(path, NEW_FILE, 0o666)
    _fill(path, file, None, lambda file: _write(file, data))


def scratch_name(owner: str) -> str:
    """Return the usual name of the hidden file of an owner; see `copy_scratch`."""
    return f".{owner}.tmp"


def write_scratch(folder: int, owner: str, data: bytes) -> str:
    """Return the name of a new hidden file in an open folder that holds `data`, synced; see `copy_scratch`."""
    return _make_scratch(folder, owner, lambda file: _write(file, data))


def copy_scratch(source: int, folder: int, owner: str) -> str:
    """Return the name of a new hidden file in `folder` with the bytes of an open file, its times and mode, synced.

    The name derives from `owner`. The file of an earlier attempt of this owner is removed; where it cannot be,
    the new file gets an unpredictable name. An existing file, link or pipe is never opened.

    Raises:
        BlockingIOError: the source was written to meanwhile; the copy may hold a mixture.
        OSError: the disk is full, gone or read-only; no copy is left.
    """
    return _make_scratch(folder, owner, lambda file: _copy(source, file))


def _make_scratch(folder: int, owner: str, fill: Callable[[int], None]) -> str:
    name, file = _open_scratch(folder, owner)
    _fill(name, file, folder, fill)
    return name


def _open_scratch(folder: int, owner: str) -> tuple[str, int]:
    """Return name and handle of a new hidden file.

    The name is the same at each attempt of an owner, so that however many attempts are killed, the last one removes
    what they left.
    """
    name = scratch_name(owner)
    for _ in range(2):
        try:
            return name, os.open(name, NEW_FILE, 0o666, dir_fd=folder)
        except FileExistsError:
            with contextlib.suppress(OSError):
                os.unlink(name, dir_fd=folder)
    name = f".{owner}-{secrets.token_hex(8)}.tmp"
    return name, os.open(name, NEW_FILE, 0o666, dir_fd=folder)


def _fill(name: Path | str, file: int, folder: int | None, fill: Callable[[int], None]) -> None:
    try:
        try:
            fill(file)
            os.fsync(file)
        finally:
            os.close(file)
    except OSError:
        remove(name, folder)
        raise


def remove(name: Path | str, folder: int | None) -> None:
    """Remove a file where that is possible; never raise."""
    with contextlib.suppress(OSError):
        os.unlink(name, dir_fd=folder)


def _write(file: int, data: bytes) -> None:
    with open(file, "wb", closefd=False) as stream:
        stream.write(data)


def _copy(source: int, copy: int) -> None:
    before = os.fstat(source)
    with open(source, "rb", closefd=False) as reader, open(copy, "wb", closefd=False) as writer:
        shutil.copyfileobj(reader, writer, 1 << 20)
    with contextlib.suppress(OSError):  # only the bytes are guaranteed; times and mode are copied where possible
        os.utime(copy, ns=(before.st_atime_ns, before.st_mtime_ns))
        os.fchmod(copy, stat.S_IMODE(before.st_mode) & 0o777)  # never set-user-ID
    after = os.fstat(source)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise BlockingIOError(errno.EAGAIN, "is still being written to", _path_of(source))


def _path_of(handle: int) -> str | None:
    with contextlib.suppress(OSError):
        return os.readlink(f"/proc/self/fd/{handle}")
    return None


@contextlib.contextmanager
def open_regular(name: Path | str, folder: int | None = None) -> Iterator[int]:
    """Yield a handle of a regular file to read, without following a link or waiting for a pipe.

    Raises:
        OSError: it is missing or may not be read, or it is a link, pipe, folder, socket or device (ELOOP, EINVAL).
    """
    file = os.open(name, OPEN_FLAGS, dir_fd=folder)
    try:
        if not stat.S_ISREG(os.fstat(file).st_mode):
            raise OSError(errno.EINVAL, "is not a regular file", str(name))
        yield file
    finally:
        os.close(file)


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


def digest_of(file: int) -> str:
    """Return the SHA-256 of an open file in hexadecimal, read in pieces from its beginning."""
    os.lseek(file, 0, os.SEEK_SET)
    with open(file, "rb", closefd=False) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
