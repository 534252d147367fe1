"""A temporary folder per process, so that the files of a killed process are removed by a later start.

Python removes temporary files when a process ends, not when it is killed. So they are all created in one folder that
the process holds a lock on; a later start removes the folders that are not locked.
"""

import contextlib
import fcntl
import os
import re
import shutil
import tempfile
from multiprocessing import util
from pathlib import Path

PREFIX = ".digitwatch-run-"
OURS = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}")  # as created by mkdtemp
LONGEST = 40  # bytes of the parent path: sockets lie three folders below it, and their paths have at most 107 bytes

LAST = -200  # exit priority: after multiprocessing has removed its own folder in it


def settle() -> None:
    """Use a new folder for all temporary files of this process and the sockets of its workers.

    If it cannot be created, the default folder is used.
    """
    parent = Path(tempfile.gettempdir())
    if OURS.fullmatch(parent.name) or len(os.fsencode(parent)) > LONGEST:  # already done, or not possible
        return
    sweep(parent)
    with contextlib.suppress(OSError):
        folder = _make(parent)
        tempfile.tempdir = str(folder)
        util.Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=LAST)


def sweep(parent: Path) -> None:
    """Remove the folders of processes that have ended."""
    for folder in parent.glob(f"{PREFIX}*"):
        if OURS.fullmatch(folder.name):
            with contextlib.suppress(OSError):  # of another user, or in use
                _remove_unless_locked(folder)


def _make(parent: Path) -> Path:
    """Create a folder and lock it until this process ends."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        with contextlib.suppress(FileNotFoundError):  # removed by a sweep before it was locked: try again
            handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            fcntl.flock(handle, fcntl.LOCK_EX)
            os.stat(folder)
            return folder


def _remove_unless_locked(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        if os.fstat(handle).st_uid == os.geteuid():
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder)
    finally:
        os.close(handle)
