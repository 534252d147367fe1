"""What lies in the inbox: files that cannot be taken, claims left over, and who works there."""

import os
import pwd
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from digitwatch.diagnostics.check_folders import user
from digitwatch.diagnostics.finding import Finding, mend, note, ok
from digitwatch.spool.claims import CLAIMED, AlreadyRunningError, lock
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.inbox import is_temporary
from digitwatch.system.os_errors import describe


def waiting(inbox: Path, recursive: bool) -> Iterator[Finding]:
    """Look at the files that wait: how many, and which of them cannot be taken."""
    try:
        files = list(_entries(inbox, recursive))
    except OSError as error:
        yield mend(f"waiting: the inbox cannot be listed: {describe(error)}")
        return
    closed = [path for path in files if _is(stat.S_ISREG, path) and not os.access(path, os.R_OK)]
    if closed:
        help_ = "open them to its group (chmod g+r), and let the program that brings them do so (umask 007)"
        yield mend(f"waiting: {_several(closed)} may not be read by user {user()}{_whose(closed[0])}; {help_}")
    stuck = [path for path in files if _is_stuck(path)]
    if stuck:
        yield mend(
            f"waiting: {_several(stuck)} may not be moved by user {user()}{_whose(stuck[0])}, since the folder has the "
            f"sticky bit or is closed: chmod -t,g+w {stuck[0].parent}"
        )
    strange = [path for path in files if not _is(stat.S_ISREG, path) and not _is(stat.S_ISDIR, path)]
    if strange:
        yield note(f"waiting: {_several(strange)}: no plain file (a link, pipe, socket or device) and left alone")
    folders = [path for path in files if _is(stat.S_ISDIR, path)]
    if folders and not recursive:
        yield note(f"waiting: {_several(folders)}: a folder and left alone; `recursive: true` takes its scans")
    yield ok(f"waiting: {sum(_is(stat.S_ISREG, path) for path in files) - len(set(closed + stuck))} scans can be taken")


def _entries(folder: Path, recursive: bool) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if is_temporary(entry.name):
            continue
        yield entry
        if recursive and _is(stat.S_ISDIR, entry):
            yield from _entries(entry, recursive)


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    try:
        return kind(os.lstat(path).st_mode)
    except OSError:  # taken this moment
        return False


def _is_stuck(path: Path) -> bool:
    """Tell whether a scan could not be renamed: its folder is closed to us, or sticky and both are others'."""
    try:
        above, status = path.parent.stat(), path.lstat()
    except OSError:
        return False
    if not stat.S_ISREG(status.st_mode):
        return False
    sticky = above.st_mode & stat.S_ISVTX and os.geteuid() not in (0, above.st_uid, status.st_uid)
    return bool(sticky) or not os.access(path.parent, os.W_OK | os.X_OK)


def _several(paths: list[Path]) -> str:
    first = printable(str(paths[0]))
    return first if len(paths) == 1 else f"{len(paths)} files (the first: {first})"


def _whose(path: Path) -> str:
    try:
        status = path.lstat()
        name = pwd.getpwuid(status.st_uid).pw_name
    except (OSError, KeyError):
        return ""
    return f" (owner {name}, mode {stat.S_IMODE(status.st_mode):o})"


def claims(inbox: Path) -> Finding:
    """Look who works on this inbox and what an earlier run has left."""
    home = inbox / CLAIMED
    if not os.path.isdir(home):
        return ok("daemon: none has worked here yet")
    try:
        handle = lock(home)
    except AlreadyRunningError:
        return ok(f"daemon: {_holder(home)} works on this inbox; a second one would be refused")
    except OSError as error:
        return mend(f"daemon: the lock of {home} cannot be taken: {describe(error)}")
    os.close(handle)
    left = sum(1 for entry in home.iterdir() if entry.is_dir())
    if left:
        return mend(f"daemon: none is running, and {left} claimed scans are left in {home}; start it: it takes them up")
    return note("daemon: none is running")


def _holder(home: Path) -> str:
    """Name the process that holds the lock, as /proc/locks tells (proc(5))."""
    inode = home.stat().st_ino
    try:
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        pid = next(fields[4] for fields in locks if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"))
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, StopIteration, IndexError):
        return "another process"
    return f"process {pid} ({printable(os.fsdecode(b' '.join(words).strip()))})"
