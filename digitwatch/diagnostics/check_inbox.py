"""Checks of the inbox: files that cannot be claimed, claims left over, and the running daemon."""

import contextlib
import errno
import os
import pwd
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

from digitwatch.diagnostics.check_folders import user
from digitwatch.diagnostics.finding import Finding, fail, note, ok
from digitwatch.spool.claims import CLAIMED, WAITING, AlreadyRunningError, lock
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.file_probe import OPEN_FLAGS
from digitwatch.spool.ignored_names import IGNORED, IgnoredNames
from digitwatch.spool.inbox import DEEPEST
from digitwatch.system.os_errors import describe


def waiting(inbox: Path, recursive: bool, ignored: IgnoredNames = IGNORED) -> Iterator[Finding]:
    """Check the waiting files: how many there are, and which cannot be claimed."""
    try:
        files = list(_entries(inbox, recursive, ignored))
    except OSError as error:
        yield fail(f"waiting: the inbox cannot be listed: {describe(error)}")
        return
    unreadable = [path for path in files if _is(stat.S_ISREG, path) and not os.access(path, os.R_OK)]
    if unreadable:
        help_ = "let its group read them (chmod g+r), and set umask 007 in the program that writes them"
        yield fail(f"waiting: {_several(unreadable)} cannot be read by user {user()}{_owner(unreadable[0])}; {help_}")
    stuck = [path for path in files if _is_stuck(path)]
    if stuck:
        yield fail(
            f"waiting: {_several(stuck)} cannot be moved by user {user()}{_owner(stuck[0])}, since the folder has the "
            f"sticky bit or is not writable: chmod -t,g+w {stuck[0].parent}"
        )
    leased = [path for path in files if path not in unreadable and _is(stat.S_ISREG, path) and _is_locked(path)]
    if leased:
        yield fail(f"waiting: {_several(leased)} cannot be opened: a program has a lease on it{_owner(leased[0])}")
    for waits in _set_aside(inbox):
        yield fail(f"waiting: set aside: {waits}")
    special = [path for path in files if not _is(stat.S_ISREG, path) and not _is(stat.S_ISDIR, path)]
    if special:
        yield note(f"waiting: {_several(special)}: not a regular file (a link, pipe, socket or device); ignored")
    folders = [path for path in files if _is(stat.S_ISDIR, path)]
    if folders and not recursive:
        yield note(f"waiting: {_several(folders)}: a folder; ignored. `recursive: true` reads its scans")
    readable = sum(_is(stat.S_ISREG, path) for path in files) - len(set(unreadable + stuck))
    yield ok(f"waiting: {readable} scans can be read")


def _set_aside(inbox: Path) -> Iterator[str]:
    """Yield why claimed scans wait, from the notes of the daemon."""
    for path in sorted((inbox / CLAIMED).glob(f"*.{WAITING}")):
        with contextlib.suppress(OSError):
            yield printable(path.read_text("utf-8", "replace").strip())


def _is_locked(path: Path) -> bool:
    try:
        os.close(os.open(path, OPEN_FLAGS))
    except OSError as error:
        return error.errno == errno.EAGAIN
    return False


def _entries(folder: Path, recursive: bool, ignored: IgnoredNames, depth: int = 0) -> Iterator[Path]:
    for entry in sorted(folder.iterdir()):
        if entry.name in ignored:
            continue
        yield entry
        if recursive and depth < DEEPEST and _is(stat.S_ISDIR, entry):
            yield from _entries(entry, recursive, ignored, depth + 1)


def _is(kind: Callable[[int], bool], path: Path) -> bool:
    try:
        return kind(os.lstat(path).st_mode)
    except OSError:  # claimed in the meantime
        return False


def _is_stuck(path: Path) -> bool:
    """Return whether a scan cannot be renamed: its folder is not writable, or sticky and both belong to others."""
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


def _owner(path: Path) -> str:
    try:
        status = path.lstat()
        name = pwd.getpwuid(status.st_uid).pw_name
    except (OSError, KeyError):
        return ""
    return f" (owner {name}, mode {stat.S_IMODE(status.st_mode):o})"


def claims(inbox: Path) -> Finding:
    """Check which process reads this inbox and which claims an earlier run has left."""
    home = inbox / CLAIMED
    if not os.path.isdir(home):
        return ok("daemon: none has run here yet")
    try:
        handle = lock(home)
    except AlreadyRunningError:
        return ok(f"daemon: {_holder(home)} reads this inbox; a second one would be refused")
    except OSError as error:
        return fail(f"daemon: the lock of {home} cannot be taken: {describe(error)}")
    os.close(handle)
    left = sum(1 for entry in home.iterdir() if entry.is_dir())
    if left:
        return fail(f"daemon: none is running, and {left} claimed scans are left in {home}; start it to read them")
    return note("daemon: none is running")


def _holder(home: Path) -> str:
    """Return the process that holds the lock according to /proc/locks (proc(5))."""
    inode = home.stat().st_ino
    try:
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
        pid = next(fields[4] for fields in locks if fields[1] == "FLOCK" and fields[5].endswith(f":{inode}"))
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    except (OSError, StopIteration, IndexError):
        return "another process"
    return f"process {pid} ({printable(os.fsdecode(b' '.join(words).strip()))})"
