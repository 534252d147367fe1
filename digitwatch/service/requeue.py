"""Moves failed scans back into the inbox, for when the cause of the failure is removed.

Both folders can be written by the members of a group, so nothing is reached by a path alone: folders are opened
without following links, files are moved between open folders. When root runs this, it acts as the user that the
daemon runs as.
"""

import contextlib
import errno
import os
import pwd
import secrets
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from digitwatch.spool.archive import free_place, is_note, remove_note
from digitwatch.spool.claims import CLAIMED
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.durable_io import copy_scratch, exists, open_folder, open_regular, remove, rename_new, sync_handle
from digitwatch.spool.folder_probe import can_write
from digitwatch.system.os_errors import describe


def retry(failed: Path, inbox: Path, names: Sequence[str], *, everything: bool) -> bool:
    """Move the named scans, or all, back and print their new paths; without a name, list the failed scans.

    Return False when a name does not exist or a scan cannot be moved; each is reported on standard error.

    Raises:
        OSError: a folder is full, gone or not accessible; scans already moved stay in the inbox.
    """
    with _as_daemon(inbox):
        present = list(failed_scans(failed))
        found, missing = (present, []) if everything else chosen(failed, names)
        all_moved = all([_report_put_back(failed, inbox, name) for name in found])
    for name in missing:
        print(f"digitwatch: no failed scan has the name {printable(name)}", file=sys.stderr)
    if not everything and not names:
        count = f"failed scans: {len(present)}; retry NAME… or --all puts them back"
        print("\n".join([*map(printable, present), count]))
    return all_moved and not missing


def _report_put_back(failed: Path, inbox: Path, name: str) -> bool:
    """Put one scan back and print where it went, or why it stays; return whether it went.

    Raises:
        OSError: nothing can be written to the inbox, so that no other scan could be put back either.
    """
    try:
        place = put_back(failed, inbox, name)
    except OSError as error:
        if not can_write(inbox, ".digitwatch-retry-"):
            raise
        print(f"digitwatch: {printable(name)} stays in {failed}: {describe(error)}", file=sys.stderr)
        return False
    print(f"{printable(name)} -> {printable(str(place))}")
    return True


def failed_scans(failed: Path) -> Iterator[str]:
    """Yield the names of the scans below `failed`, in order; notes, links and hidden files are left out.

    Raises:
        OSError: the folder is gone or not accessible.
    """
    os.listdir(failed)
    for below, folders, _ in os.walk(failed):  # does not enter links
        folders.sort()
        with contextlib.suppress(OSError), open_folder(failed, Path(below)) as folder:
            with os.scandir(folder) as entries:
                files = sorted(entry.name for entry in entries if entry.is_file(follow_symlinks=False))
            scans = [name for name in files if not name.startswith(".") and not is_note(name, folder)]
            yield from (os.path.relpath(os.path.join(below, name), failed) for name in scans)


def chosen(failed: Path, names: Sequence[str]) -> tuple[list[str], list[str]]:
    """Return which of the named scans exist, by NAME or by a path that leads to them, and which do not."""
    present = set(failed_scans(failed))
    found: list[str] = []
    missing: list[str] = []
    for name in names:
        absolute = Path(os.path.abspath(name))
        plain = str(absolute.relative_to(failed)) if absolute.is_relative_to(failed) else name
        (found if plain in present else missing).append(plain)
    return found, missing


def put_back(failed: Path, inbox: Path, name: str) -> Path:
    """Move a failed scan into the inbox, never onto another file, and remove its note; return its new place.

    A scan of a sub-folder whose place in the inbox is a link or a file goes into the inbox itself.

    Raises:
        OSError: a folder is full, gone or not accessible; the scan is where it was.
    """
    with open_folder(failed, (failed / name).parent) as source:
        try:
            target = _move(source, inbox, name)
        except NotADirectoryError:
            target = _move(source, inbox, name, flat=True)
        remove_note(os.path.basename(name), source)
    return target


def _move(source: int, inbox: Path, name: str, *, flat: bool = False) -> Path:
    base = os.path.basename(name)
    below = inbox if flat else (inbox / name).parent
    with open_folder(inbox, below, make=True) as folder:
        while True:
            target = free_place(below, base, secrets.token_hex(8), lambda path: exists(path.name, folder))
            with contextlib.suppress(FileExistsError):  # another program was quicker
                _rename(source, base, folder, target.name)
                sync_handle(folder)
                return target


def _rename(source: int, name: str, folder: int, target: str) -> None:
    try:
        rename_new(name, target, source_folder=source, target_folder=folder)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        _copy(source, name, folder, target)


def _copy(source: int, name: str, folder: int, target: str) -> None:
    """Copy to another filesystem under a hidden name, which the daemon does not take, rename, then unlink."""
    with open_regular(name, source) as file:
        scratch = copy_scratch(file, folder, f"retry-{secrets.token_hex(8)}")
    try:
        rename_new(scratch, target, source_folder=folder, target_folder=folder)
    except OSError:
        remove(scratch, folder)
        raise
    sync_handle(folder)
    os.unlink(name, dir_fd=source)


@contextlib.contextmanager
def _as_daemon(inbox: Path) -> Iterator[None]:
    """Act as the owner of the folder of claims, else of the inbox, while root runs this.

    So root can do here only what the daemon could do, and what it creates belongs to the daemon.
    """
    if os.geteuid() != 0:
        yield
        return
    try:
        status = os.stat(inbox / CLAIMED, follow_symlinks=False)
    except FileNotFoundError:
        status = os.stat(inbox)
    groups, group = os.getgroups(), os.getegid()
    try:
        os.setgroups(_groups(status.st_uid, status.st_gid))
        os.setegid(status.st_gid)
        os.seteuid(status.st_uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


def _groups(user: int, group: int) -> list[int]:
    """Return the groups of a user; one without an account (as in a container) has the group of the folder."""
    try:
        return os.getgrouplist(pwd.getpwuid(user).pw_name, group)
    except KeyError:
        return [group]
