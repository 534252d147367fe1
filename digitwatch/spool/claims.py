"""Claimed scans: claim, return and recovery, and how often each was tried alone."""

import contextlib
import errno
import fcntl
import os
import re
import secrets
import stat
from collections.abc import Container, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from itertools import islice
from pathlib import Path

from digitwatch.errors import TransientError
from digitwatch.spool.durable_io import FOLDER, open_folder, rename_new, sync_folder, sync_handle

CLAIMED = ".digitwatch"
"""The folder inside the inbox that holds the claimed scans, each in a folder named by its id."""

WAITING = "waiting"
"""Ending of the note beside a claim that was set aside, with the reason; `digitwatch check` reads it."""

PAGES = "pages"
"""Ending of the journal beside the claim of a long scan: its pages that are read; see workers.page_journal."""

ID = re.compile(r"\d{8}T\d{6}\.\d{3}Z-[0-9a-f]{8}")


@dataclass(frozen=True)
class Claim:
    """A scan that belongs to this daemon: its id, its name relative to the inbox, and its path now."""

    id: str
    name: str
    path: Path

    @property
    def day(self) -> str:
        """The day of the claim in UTC, `2026-11-22`: the same for every repetition of the work."""
        return f"{self.id[:4]}-{self.id[4:6]}-{self.id[6:8]}"

    @cached_property
    def claims_folder(self) -> Path:
        """The folder of all claims, in the inbox of this one."""
        return self.path.parents[len(Path(self.name).parts)]

    def note(self, ending: str) -> Path:
        """Return the path of a note beside the claim, which survives a crash."""
        return self.claims_folder / f"{self.id}.{ending}"


class AlreadyRunningError(TransientError):
    """Another digitwatch uses this folder."""


def new_id(now: datetime | None = None) -> str:
    """Return a unique id that begins with the time in UTC, `20261122T161629.123Z-4f2a9c1e`."""
    now = now or datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z-{secrets.token_hex(4)}"


def lock(folder: Path) -> int:
    """Lock a folder for this process; return the open handle, which holds the lock.

    Raises:
        AlreadyRunningError: another live process has locked it.
    """
    return _lock(os.open(folder, FOLDER), folder)


def _lock(handle: int, folder: Path) -> int:
    """Lock an open folder, which is closed on any error."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise AlreadyRunningError(f"another digitwatch already works in {folder}") from None
    except OSError as error:
        if error.errno != errno.EBADF or stat.S_ISREG(os.fstat(handle).st_mode):
            os.close(handle)
            raise
        try:  # NFS locks only what is open for writing: a file inside
            inside = os.open(".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o644, dir_fd=handle)
        finally:
            os.close(handle)
        return _lock(inside, folder)
    return handle


def lock_inbox(inbox: Path) -> int:
    """Create the folder of claims and lock it: one daemon per inbox.

    Raises:
        AlreadyRunningError: another live process has locked it.
        OSError: the inbox is gone, or a link or a file lies in the place of the folder.
    """
    folder = inbox / CLAIMED
    with open_folder(inbox, folder, make=True) as handle:
        return _lock(os.dup(handle), folder)


def claim(inbox: Path, name: str) -> Claim:
    """Claim one scan by an atomic rename; from then on its name is free in the inbox.

    No link below the inbox is followed: a scan is claimed only from a real sub-folder.

    Raises:
        FileNotFoundError: it no longer exists, or a link or folder has its name or its folder's name; or the
            folder of all claims has gone.
        OSError: the inbox, or the folder that the scan lies in, does not permit it.
    """
    scan = new_id()
    parent = Path(os.path.realpath(inbox)) / CLAIMED  # a link that is changed later changes no claim
    claimed = Claim(scan, name, parent / scan / name)
    (parent / scan).mkdir()  # never `parent` itself: without its lock another daemon could work there too
    try:
        claimed.path.parent.mkdir(parents=True, exist_ok=True)
        with open_folder(inbox, (inbox / name).parent) as source:
            os.rename(os.path.basename(name), claimed.path, src_dir_fd=source)
    except OSError as error:
        _remove_empty(claimed)
        if isinstance(error, NotADirectoryError):
            raise FileNotFoundError(errno.ENOENT, "is no longer in a folder of the inbox", str(inbox / name)) from None
        raise
    if not stat.S_ISREG(os.lstat(claimed.path).st_mode):  # a link or folder that has just taken the name
        give_back(inbox, claimed)
        raise FileNotFoundError(errno.ENOENT, "is no longer a plain file", str(inbox / name))
    return claimed


def sync_claim(claimed: Claim) -> None:
    """Make a claim durable before its results are published.

    Without this a power cut could bring the scan back into the inbox under a new id: beside pictures without
    a row, or, once it is recorded, to be counted twice. The order matters where each folder is
    durable by itself: the scan must not lie in a folder that is not there yet.
    """
    inner = list(_folders(claimed))
    for folder in (claimed.claims_folder, *reversed(inner)):
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):  # somebody removed it meanwhile
            sync_folder(folder)
    inbox = claimed.claims_folder.parent
    with (
        contextlib.suppress(FileNotFoundError, NotADirectoryError),
        open_folder(inbox, (inbox / claimed.name).parent) as source,
    ):
        sync_handle(source)


def is_there(claimed: Claim) -> bool:
    """Return whether the claimed file is still in its place."""
    return os.path.lexists(claimed.path)


def stamp(claimed: Claim) -> tuple[int, int] | None:
    """Return size and modification time of the claimed file, to detect changes; None when it does not exist."""
    try:
        status = os.lstat(claimed.path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return status.st_size, status.st_mtime_ns


def give_back(inbox: Path, claimed: Claim) -> bool:
    """Return an unread scan to the inbox; False when its name is taken there: then it stays claimed."""
    target = inbox / claimed.name
    with contextlib.suppress(FileNotFoundError, FileExistsError, NotADirectoryError):
        with open_folder(inbox, target.parent, make=True) as folder:
            rename_new(claimed.path, target.name, target_folder=folder)
        clear(claimed)
        return True
    return False


def left_claimed(inbox: Path, known: Container[str] = ()) -> Iterator[Claim]:
    """Yield the scans that were claimed and not filed, oldest first; remove what belongs to no claim.

    The claims of `known` ids are left out: a thread may be working on them. Each of the others has an id of its own:
    a foreign file among the claims is claimed anew.
    """
    parent = Path(os.path.realpath(inbox)) / CLAIMED
    entries = sorted(parent.iterdir())
    ids = {entry.name for entry in entries if entry.is_dir() and not entry.is_symlink()}
    for scan in sorted(ids):
        if scan in known:
            continue
        files = _files_below(parent / scan)
        for number, path in enumerate(files):
            found = Claim(scan, str(path.relative_to(parent / scan)), path)
            yield found if number == 0 and ID.fullmatch(scan) else _under_new_id(found)
        if not files:
            _remove_folders(parent / scan)
    for entry in entries:
        if ID.match(entry.name) and entry.name not in ids and not _is_of(entry, ids):
            entry.unlink(missing_ok=True)


def clear(claimed: Claim) -> None:
    """Remove the remains of a claim after its scan was moved."""
    _remove_empty(claimed)
    for ending in ("tries", "copied", WAITING, PAGES):
        with contextlib.suppress(OSError):
            claimed.note(ending).unlink(missing_ok=True)


def count_try(claimed: Claim) -> int:
    """Record durably that a scan is about to be read alone; return the number of tries, this one included.

    A record that is never removed means that the scan ended the program each time.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    handle = os.open(claimed.note("tries"), flags, 0o644)
    try:
        os.write(handle, b".")
        os.fsync(handle)
        tries = os.fstat(handle).st_size
    finally:
        os.close(handle)
    sync_folder(claimed.claims_folder)
    return tries


def forget_tries(claimed: Claim) -> None:
    """Remove the record of tries: the scan was read, with any result, and no process died.

    Where that is refused (a read-only disk) the record stays, and counts one try too many.
    """
    with contextlib.suppress(OSError):
        claimed.note("tries").unlink()


def _under_new_id(found: Claim) -> Claim:
    fresh = new_id()
    target = found.claims_folder / fresh / found.name
    target.parent.mkdir(parents=True)
    rename_new(found.path, target)
    return Claim(fresh, found.name, target)


def _files_below(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if stat.S_ISREG(os.lstat(path).st_mode))


def _is_of(entry: Path, ids: set[str]) -> bool:
    """Return whether a record (ID.tries, ID.copied) belongs to one of the claims."""
    return entry.name.rpartition(".")[0] in ids


def _folders(claimed: Claim) -> Iterator[Path]:
    """Return the folders from the claimed file up to, not including, the folder of all claims."""
    return islice(claimed.path.parents, len(Path(claimed.name).parts))


def _remove_empty(claimed: Claim) -> None:
    with contextlib.suppress(OSError):
        for folder in _folders(claimed):
            folder.rmdir()


def _remove_folders(top: Path) -> None:
    """Remove a tree of folders without files; one that has just got a file stays."""
    with contextlib.suppress(OSError):
        for folder, _, _ in os.walk(top, topdown=False):
            os.rmdir(folder)
