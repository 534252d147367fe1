"""Where originals go: names that are free, reasons beside failed scans, and moves that never replace."""

import contextlib
import errno
import hashlib
import itertools
import os
from collections.abc import Callable
from pathlib import Path

from digitwatch.errors import TransientError
from digitwatch.spool.claims import Claim
from digitwatch.spool.durable_io import (
    copy_durably,
    digest,
    make_folder,
    rename_new,
    scratch_for,
    sync_folder,
    write_durably,
)

REASON = ".reason.txt"
SAYS = b" could not be read: "  # in every note

LONGEST_NAME = 255  # bytes, on every common filesystem
SHORT_NAME = 100  # bytes, on every filesystem
REFUSED_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
"""What filesystems say to a name that is too long for them or has a character that they do not know."""


class ClaimVanishedError(TransientError):
    """The claimed file is no longer in its place, and not in its target either."""


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
        while len(os.fsencode(stem)) > max(0, room - 9):  # whole characters, so that it stays the text it was
            stem = stem[:-1]
        stem += "~" + hashlib.sha256(raw).hexdigest()[:8]
    return os.path.join(folder, stem + mark + suffix + ending)


def write_reason(target: Path, reason: str) -> None:
    """Put NAME.reason.txt beside the place of a failed original; repeating it does no harm."""
    beside = _reason_for(target)
    scratch = beside.with_name(scratch_for(beside.name))
    write_durably(scratch, (reason.rstrip() + "\n").encode("utf-8", "backslashreplace"))
    os.replace(scratch, beside)


def has_reason(target: Path) -> bool:
    """Tell whether a reason already lies beside this place."""
    return _reason_for(target).exists()


def is_reason(path: Path) -> bool:
    """Tell whether a file is such a note: by its name, and by beginning as one does."""
    if not path.name.endswith(REASON):
        return False
    with path.open("rb") as file:
        return SAYS in file.read(4096)


def remove_reason(target: Path) -> None:
    """Take the note away when its scan is tried again."""
    _reason_for(target).unlink(missing_ok=True)


def file_original(claim: Claim, top: Path, target: Path) -> Path:
    """Move a recorded original to its place below `top` without ever replacing a file; give where it went.

    The move is durable once the folder is synced, which the caller does, for many moves at once. It may be
    repeated after a crash at any point: a source that is already gone, or whose copy is already in place, is not
    filed twice.

    Raises:
        ClaimVanishedError: it lies neither where it was claimed nor in its place; somebody took it away.
        OSError: the folder is full, gone or read-only; the original is where it was.
    """
    make_folder(top, target.parent)
    if not os.path.lexists(claim.path):
        if not os.path.lexists(target):
            raise ClaimVanishedError(str(claim.path))
    else:
        try:
            target = _move(claim, target)
        except OSError as error:
            if error.errno not in REFUSED_NAME:
                raise
            target = _move(claim, target.with_name(_plain(target.name)))
    return target


def _move(claim: Claim, target: Path) -> Path:
    while True:
        try:
            rename_new(claim.path, target)
            return target
        except FileExistsError:
            target = free_place(target.parent, target.name, os.path.lexists)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            return _copy_across(claim, target)


def _copy_across(claim: Claim, target: Path) -> Path:
    """Move a file to another filesystem: copy, sync, note, rename, sync, and only then unlink.

    The note beside the claim holds the inode of the copy. Equal bytes under an equal name are no proof
    that an earlier attempt got so far: they may be another scan's.
    """
    note = claim.note("copied")
    placed = _placed(claim, note, target)
    if placed is None:
        scratch = target.with_name(scratch_for(claim.id))
        copy_durably(claim.path, scratch)
        placed = _place(scratch, target, note)
        sync_folder(placed.parent)
    claim.path.unlink()
    sync_folder(claim.path.parent)
    note.unlink(missing_ok=True)
    return placed


def _place(scratch: Path, target: Path, note: Path) -> Path:
    inode = scratch.stat().st_ino
    try:
        while True:
            write_durably(note, f"{inode} ".encode() + os.fsencode(target.name))
            sync_folder(note.parent)
            with contextlib.suppress(FileExistsError):
                rename_new(scratch, target)
                return target
            target = free_place(target.parent, target.name, os.path.lexists)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise


def _placed(claim: Claim, note: Path, target: Path) -> Path | None:
    """Give where an earlier attempt put the copy, or None when it did not get so far."""
    with contextlib.suppress(FileNotFoundError, ValueError):
        inode, _, name = note.read_bytes().partition(b" ")
        placed = target.with_name(os.fsdecode(name))
        if placed.lstat().st_ino == int(inode) and digest(placed) == digest(claim.path):
            return placed
    return None


def _plain(name: str) -> str:
    """Give a name that every filesystem takes: ASCII letters and digits, short, told apart by a hash."""
    stem, suffix = os.path.splitext(name)
    mark = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.~") else "_" for c in stem)[: SHORT_NAME - 30]
    ending = "".join(c if c.isascii() and (c.isalnum() or c == ".") else "_" for c in suffix)[:20]
    return f"{kept}~{mark}{ending}"


def _reason_for(target: Path) -> Path:
    return target.with_name(numbered(target.name, 1, REASON))
