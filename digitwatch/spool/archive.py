"""The archive: free names for originals and their notes, and moves that never replace a file."""

import contextlib
import errno
import hashlib
import itertools
import os
from collections.abc import Callable, Container, Iterator
from pathlib import Path

from digitwatch.errors import TransientError
from digitwatch.spool.claims import Claim
from digitwatch.spool.durable_io import (
    copy_scratch,
    digest_of,
    exists,
    open_folder,
    open_regular,
    remove,
    rename_new,
    sync_folder,
    sync_handle,
    write_durably,
    write_scratch,
)

REASON = ".reason.txt"
MARKER = b" could not be read: "  # in every note

LONGEST_NAME = 255  # bytes, on every common filesystem
MOST_NUMBERED = 100  # files of one name in a folder that are told apart by numbers
SHORT_NAME = 100  # bytes, on every filesystem
REFUSED_NAME = (errno.ENAMETOOLONG, errno.EINVAL, errno.EILSEQ)
"""Errors of filesystems for a name that is too long for them or has a character that they do not know."""

BLOCKED: dict[bool, tuple[type[OSError], ...]] = {
    False: (NotADirectoryError,),
    True: (NotADirectoryError, PermissionError),
}
"""Errors of a sub-folder after which its scan goes into the top folder. With a note that is failed/, where the group
may write and so may close a sub-folder; elsewhere a closed folder is an environment error."""


class AcrossDisksError(OSError):
    """The place lies on another filesystem: moving there takes as long as copying the bytes."""


class ClaimVanishedError(TransientError):
    """The claimed file is neither at its claim nor at its target."""


def free_place(folder: Path, name: str, unique: str, taken: Callable[[Path], bool]) -> Path:
    """Return the first of the `place_names` in `folder` that is not taken."""
    return next(path for path in (folder / text for text in place_names(name, unique)) if not taken(path))


def place_names(name: str, unique: str) -> Iterator[str]:
    """Yield the names that a file called NAME may get: NAME, NAME~2 … NAME~100, then NAME~UNIQUE.

    The suffix stays at the end. A scanner that gives all its scans one name costs the last of them no more look-ups
    than the hundredth. Further names (NAME~UNIQUE~2 …) are for places that somebody took on purpose.
    """
    yield from (numbered(name, number) for number in range(1, MOST_NUMBERED + 1))
    yield _marked(name, f"~{unique}")
    yield from (_marked(name, f"~{unique}~{number}") for number in itertools.count(2))


def numbered(name: str, number: int, ending: str = "") -> str:
    """Return `scan~2.jpg` for the second `scan.jpg`, with `ending` behind it, in at most 255 bytes."""
    return _marked(name, f"~{number}" if number > 1 else "", ending)


def _marked(name: str, mark: str, ending: str = "") -> str:
    """Return a name with a mark in front of its suffix; one that is too long is shortened before the mark."""
    folder, base = os.path.split(name)
    stem, suffix = os.path.splitext(base)
    available = LONGEST_NAME - len(os.fsencode(mark + suffix + ending))
    raw = os.fsencode(stem)
    if len(raw) > available:
        while len(os.fsencode(stem)) > max(0, available - 9):  # whole characters, so that it stays the text it was
            stem = stem[:-1]
        stem += "~" + hashlib.sha256(raw).hexdigest()[:8]
    return os.path.join(folder, stem + mark + suffix + ending)


def choose_place(top: Path, folder: Path, claim: Claim, *, with_note: bool, promised: Container[Path]) -> Path:
    """Return a free place for an original in `folder`, at or below `top`; `promised` are not free.

    With a note, the place of the note is free as well. A scan of a sub-folder whose place there is a link or a file
    goes into `top` itself.
    """

    def taken(path: Path) -> bool:
        return any(spot in promised or os.path.lexists(spot) for spot in occupied(path, with_note))

    with contextlib.suppress(FileNotFoundError):
        try:
            with open_folder(top, (folder / claim.name).parent):
                pass
        except BLOCKED[with_note]:
            flat = _flat(top, folder / claim.name)
            return free_place(top, flat.name, claim.id, taken)
    return free_place(folder, claim.name, claim.id, taken)


def occupied(target: Path, with_note: bool) -> list[Path]:
    """Return the places that filing an original at `target` takes: its own, and that of its note."""
    return [target, note_of(target)] if with_note else [target]


def note_of(target: Path) -> Path:
    """Return the place of the note on the original at `target`: NAME.reason.txt."""
    return target.with_name(numbered(target.name, 1, REASON))


def is_note(name: str, folder: int) -> bool:
    """Return whether a file of an open folder is a note: by its name, its text, and having no note of its own.

    A scan that was a note once, and failed under that name, has one.
    """
    if not name.endswith(REASON) or exists(numbered(name, 1, REASON), folder):
        return False
    with contextlib.suppress(OSError), open_regular(name, folder) as file:
        return MARKER in os.pread(file, 4096, 0)
    return False


def remove_note(name: str, folder: int) -> None:
    """Remove the note on the original `name` of an open folder, and only a note."""
    note = numbered(name, 1, REASON)
    if is_note(note, folder):
        remove(note, folder)


def file_original(claim: Claim, top: Path, target: Path, note: str = "", *, across: bool = True) -> Path:
    """Move a recorded original, and first its note, to its place below `top`; return its path.

    Nothing is ever replaced and no link below `top` is followed: when the place of the original or of its note was
    taken meanwhile, both get the next free number. The move is durable once the folder is synced, which the caller
    does, for many moves at once. It may be repeated after a crash at any point.

    Raises:
        AcrossDisksError: `across` is false and the place is on another filesystem; nothing was done.
        ClaimVanishedError: it is neither at its claim nor at its place.
        OSError: the folder is full, gone or read-only; the original was not moved.
    """
    try:
        return _file(claim, top, target, note, across)
    except BLOCKED[bool(note)]:  # a link or a file has replaced the folder since it was chosen
        if target.parent == top:
            raise
        return _file(claim, top, _flat(top, target), note, across)


def _file(claim: Claim, top: Path, target: Path, note: str, across: bool) -> Path:
    with open_folder(top, target.parent, make=True) as folder:
        if not os.path.lexists(claim.path):
            if not exists(target.name, folder):
                raise ClaimVanishedError(str(claim.path))
            if note:
                _publish_note(folder, target.name, note, claim.id)
            return target
        try:
            return _first_free(claim, folder, target, note, across)
        except OSError as error:
            if error.errno not in REFUSED_NAME:
                raise
            return _first_free(claim, folder, target.with_name(_plain(target.name)), note, across)


def _first_free(claim: Claim, folder: int, target: Path, note: str, across: bool) -> Path:
    for name in place_names(target.name, claim.id):
        published = _publish_note(folder, name, note, claim.id) if note else ""
        if published is None:
            continue
        placed: Path | None = None
        try:
            placed = _move(claim, folder, target.with_name(name), across)
            return placed
        except FileExistsError:
            continue
        finally:  # no note beside another's original; an earlier attempt may have reached another number
            if published and (placed is None or placed.name != name):
                remove(published, folder)
    raise AssertionError("counting never ends")


def _publish_note(folder: int, name: str, note: str, owner: str) -> str | None:
    """Publish the note on the original `name`; return its name, "" when it is there already, None when taken."""
    place = numbered(name, 1, REASON)
    text = (note.rstrip() + "\n").encode("utf-8", "backslashreplace")
    scratch = write_scratch(folder, owner, text)
    try:
        rename_new(scratch, place, source_folder=folder, target_folder=folder)
        return place
    except OSError as error:
        remove(scratch, folder)
        if not isinstance(error, FileExistsError):
            raise
    with contextlib.suppress(OSError), open_regular(place, folder) as file:
        if os.pread(file, len(text) + 1, 0) == text:  # of an earlier attempt: its place was promised to this scan
            return ""
    return None


def _move(claim: Claim, folder: int, target: Path, across: bool) -> Path:
    """Move the claimed file into an open folder, to a free name.

    Raises:
        AcrossDisksError: the folder is on another filesystem and `across` is false.
        FileExistsError: the name is taken.
    """
    try:
        rename_new(claim.path, target.name, target_folder=folder)
        return target
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        if not across:
            raise AcrossDisksError(*error.args) from None
        return _copy_across(claim, folder, target)


def _copy_across(claim: Claim, folder: int, target: Path) -> Path:
    """Move a file to another filesystem: copy, sync, record the inode, rename, sync, and only then unlink.

    ID.copied beside the claim holds the inode of the copy. Equal bytes under an equal name do not
    prove that an earlier attempt got so far: they may belong to another scan.
    """
    record = claim.note("copied")
    with open_regular(claim.path) as source:
        name = _placed(source, folder, record)
        if name is None:
            name = target.name
            _place(copy_scratch(source, folder, claim.id), folder, name, record)
            sync_handle(folder)
    claim.path.unlink()
    sync_folder(claim.path.parent)
    record.unlink(missing_ok=True)
    return target.with_name(name)


def _place(scratch: str, folder: int, name: str, record: Path) -> None:
    inode = os.stat(scratch, dir_fd=folder, follow_symlinks=False).st_ino
    try:
        write_durably(record, f"{inode} ".encode() + os.fsencode(name))
        sync_folder(record.parent)
        rename_new(scratch, name, source_folder=folder, target_folder=folder)
    except OSError:
        remove(scratch, folder)
        raise


def _placed(source: int, folder: int, record: Path) -> str | None:
    """Return the name that an earlier attempt gave to the copy, or None when it did not get so far."""
    with contextlib.suppress(OSError, ValueError):
        inode, _, raw = record.read_bytes().partition(b" ")
        name = os.fsdecode(raw)
        with open_regular(name, folder) as copy:
            if os.fstat(copy).st_ino == int(inode) and digest_of(copy) == digest_of(source):
                return name
    return None


def _flat(top: Path, target: Path) -> Path:
    """Return a place in `top` itself for a path below it: `sub~scan.png`."""
    return top / numbered(str(target.relative_to(top)).replace(os.sep, "~"), 1)


def _plain(name: str) -> str:
    """Return a name that every filesystem takes: ASCII letters and digits, short, made unique by a hash."""
    stem, suffix = os.path.splitext(name)
    mark = hashlib.sha256(os.fsencode(name)).hexdigest()[:8]
    kept = "".join(c if c.isascii() and (c.isalnum() or c in "-_.~") else "_" for c in stem)[: SHORT_NAME - 30]
    ending = "".join(c if c.isascii() and (c.isalnum() or c == ".") else "_" for c in suffix)[:20]
    return f"{kept}~{mark}{ending}"
