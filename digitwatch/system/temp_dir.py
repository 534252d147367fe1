"""A temporary folder for this process alone: what it is killed over does not stay in the system's for ever.

Python removes its temporary files when a process ends, not when it is killed. So they all go into one folder that the
process holds a lock on, and a later start removes the folders whose lock nobody holds.
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
OURS = re.compile(re.escape(PREFIX) + r"[a-z0-9_]{8}")  # as mkdtemp makes them
LONGEST = 40  # bytes of the path above: sockets lie three folders below, and their paths end at 107

LAST = -200  # at the end, when multiprocessing has removed its own folder in it


def settle() -> None:
    """Let all temporary files of this process, and the sockets of its workers, go into a folder of its own.

    Where that cannot be made, they go where they always went.
    """
    above = Path(tempfile.gettempdir())
    if OURS.fullmatch(above.name) or len(os.fsencode(above)) > LONGEST:  # it was done before, or cannot be
        return
    sweep(above)
    with contextlib.suppress(OSError):
        folder = _make(above)
        tempfile.tempdir = str(folder)
        util.Finalize(None, shutil.rmtree, args=(folder, True), exitpriority=LAST)


def sweep(above: Path) -> None:
    """Remove the folders of processes that are no more."""
    for folder in above.glob(f"{PREFIX}*"):
        if OURS.fullmatch(folder.name):
            with contextlib.suppress(OSError):  # another user's, or in use
                _remove_unless_locked(folder)


def _make(above: Path) -> Path:
    """Make a folder and lock it for as long as this process lives."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=above))
        with contextlib.suppress(FileNotFoundError):  # somebody who sweeps was faster than our lock: once more
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
