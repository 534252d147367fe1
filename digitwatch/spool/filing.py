"""Where each scan lies: claim it, give it back, file it, and find what an earlier run left."""

import contextlib
import fcntl
import hashlib
import itertools
import logging
import os
import secrets
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from digitwatch.spool.durable import digest, move_new, rename_new, scratch_for, sync_folder, write_durably

log = logging.getLogger(__name__)

CLAIMED = ".digitwatch"
"""The folder inside the inbox that holds the claimed scans, each in a folder named by its id."""

LONGEST_NAME = 255  # bytes, on every common filesystem


@dataclass(frozen=True)
class Claim:
    """A scan that belongs to this daemon: its id, its name relative to the inbox, and where it lies now."""

    id: str
    name: str
    path: Path

    @property
    def day(self) -> str:
        """The day of the claim in UTC, `2026-11-22`: the same however often the work is repeated."""
        return f"{self.id[:4]}-{self.id[4:6]}-{self.id[6:8]}"


class Taken(Exception):
    """Another digitwatch works in this folder."""


def new_id(now: datetime | None = None) -> str:
    """Give a unique id that begins with the time in UTC, `20261122T161629.123Z-4f2a9c1e`."""
    now = now or datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}.{now.microsecond // 1000:03}Z-{secrets.token_hex(4)}"


def lock(folder: Path) -> int:
    """Take a folder for this process until it ends; give the open handle that keeps it.

    Raises:
        Taken: another live process has it.
    """
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        raise Taken(f"another digitwatch already works in {folder}") from None
    return handle


def lock_inbox(inbox: Path) -> int:
    """Make the folder for claims and take it: one daemon per inbox."""
    folder = inbox / CLAIMED
    folder.mkdir(exist_ok=True)
    return lock(folder)


def claim(inbox: Path, name: str) -> Claim:
    """Take one scan out of the inbox by an atomic rename; from here on its name may be used again.

    Raises:
        FileNotFoundError: it has gone in the meantime.
        OSError: the inbox does not let us.
    """
    scan = new_id()
    target = inbox / CLAIMED / scan / name
    target.parent.mkdir(parents=True)
    try:
        os.rename(inbox / name, target)
    except OSError:
        remove_empty(target.parent, inbox / CLAIMED)
        raise
    return Claim(scan, name, target)


def sync_claims(inbox: Path, claims: list[Claim]) -> None:
    """Make claims durable, before anything is recorded about them.

    Without this a power cut could bring a recorded scan back into the inbox, to be counted twice.
    """
    folders = {folder for c in claims for folder in _folders_between(c.path, inbox / CLAIMED)}
    sources = {(inbox / c.name).parent for c in claims}
    for folder in (*folders, inbox / CLAIMED, *sources):
        with contextlib.suppress(FileNotFoundError):  # a sub-folder that somebody removed meanwhile
            sync_folder(folder)


def give_back(inbox: Path, claimed: Claim) -> bool:
    """Put an unread scan back into the inbox; False when its name is taken there: then it stays claimed."""
    target = inbox / claimed.name
    with contextlib.suppress(FileNotFoundError, FileExistsError):
        target.parent.mkdir(parents=True, exist_ok=True)
        rename_new(claimed.path, target)
        remove_empty(claimed.path.parent, inbox / CLAIMED)
        return True
    return False


def left_claimed(inbox: Path) -> Iterator[Claim]:
    """Yield the scans that an earlier run claimed and did not file, oldest first; tidy empty folders away."""
    folder = inbox / CLAIMED
    for entry in sorted(folder.iterdir()):
        if not entry.is_dir():
            continue
        files = [path for path in entry.rglob("*") if not path.is_dir() or path.is_symlink()]
        for path in files:
            yield Claim(entry.name, str(path.relative_to(entry)), path)
        if not files:
            shutil.rmtree(entry, ignore_errors=True)


def free_place(folder: Path, name: str, taken: Callable[[Path], bool]) -> Path:
    """Give the first of NAME, NAME~2, NAME~3 … in `folder` that is not taken; the suffix stays at the end.

    A name that is too long for the filesystem is shortened in the middle, its ending kept.
    """
    for number in itertools.count(1):
        path = folder / numbered(name, number)
        if not taken(path):
            return path
    raise AssertionError("counting never ends")


def numbered(name: str, number: int, ending: str = "") -> str:
    """Give `scan~2.jpg` for the second `scan.jpg`, with `ending` behind it, in at most 255 bytes."""
    folder, base = os.path.split(name)
    stem, suffix = os.path.splitext(base)
    mark = f"~{number}" if number > 1 else ""
    room = LONGEST_NAME - len(os.fsencode(mark + suffix + ending))
    raw = os.fsencode(stem)
    if len(raw) > room:
        digest = hashlib.sha256(raw).hexdigest()[:8]
        stem = raw[: max(0, room - 9)].decode("utf-8", "ignore") + "~" + digest
    return os.path.join(folder, stem + mark + suffix + ending)


def write_reason(target: Path, reason: str) -> None:
    """Put NAME.reason.txt beside the place of a failed original; repeating it does no harm."""
    beside = target.with_name(numbered(target.name, 1, ".reason.txt"))
    scratch = beside.with_name(scratch_for(beside))
    write_durably(scratch, (reason.rstrip() + "\n").encode("utf-8", "backslashreplace"))
    os.replace(scratch, beside)


def has_reason(target: Path) -> bool:
    """Tell whether a reason already lies beside this place."""
    return target.with_name(numbered(target.name, 1, ".reason.txt")).exists()


def file_original(source: Path, target: Path) -> Path:
    """Move a recorded original to its place without ever replacing a file; give where it went.

    It may be repeated after a crash at any point: a source that is already gone, or whose copy is
    already in place, is not filed twice.

    Raises:
        OSError: the folder is full, gone or read-only; the original is where it was.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    if not source.exists() and target.exists():
        return target
    while True:
        try:
            move_new(source, target)
            break
        except FileExistsError:
            if _same_content(source, target):  # an earlier run got as far as the copy
                source.unlink()
                break
            target = free_place(target.parent, target.name, os.path.lexists)
    sync_folder(target.parent)
    return target


def remove_empty(folder: Path, top: Path) -> None:
    """Remove `folder` and its parents below `top` as far as they are empty."""
    with contextlib.suppress(OSError):
        while folder != top:
            folder.rmdir()
            folder = folder.parent


def _folders_between(path: Path, top: Path) -> Iterator[Path]:
    folder = path.parent
    while folder != top:
        yield folder
        folder = folder.parent


def _same_content(one: Path, other: Path) -> bool:
    if not other.is_file() or one.stat().st_size != other.stat().st_size:
        return False
    return digest(one) == digest(other)
