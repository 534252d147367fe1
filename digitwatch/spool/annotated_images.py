"""Annotated pictures in the outbox: each carries the id of its scan, so that repeated work replaces only its own."""

import contextlib
import itertools
import os
import zlib
from pathlib import Path

from digitwatch.spool.archive import MOST_NUMBERED, place_names
from digitwatch.spool.durable_io import (
    exists,
    open_folder,
    open_regular,
    remove,
    rename_new,
    scratch_name,
    sync_handle,
    write_scratch,
)

PREFIX = 40  # characters of a name that are always kept when it is shortened


def publish(png: bytes, folder: Path, name: str, owner: str) -> Path:
    """Write a picture as NAME.png (or NAME~2.png …: `place_names`) below `folder`, durable before it is visible there.

    The picture carries its owner (scan id and page) inside, so that a repetition after a crash
    replaces only its own picture. No link below `folder` is followed.

    The folder above `folder` must exist; `folder` itself is created when it is missing.

    Raises:
        OSError: the disk is full, gone or read-only; nothing is left behind.
    """
    png = tagged(png, owner)
    below = (folder / name).parent
    with open_folder(folder.parent, below, make=True) as handle:
        scratch = write_scratch(handle, _as_name(owner), png)
        try:
            placed = _place(scratch, handle, os.path.basename(name) + ".png", owner)
        except OSError:
            remove(scratch, handle)
            raise
        sync_handle(handle)
    return below / placed


def adopt(picture: Path, folder: Path) -> Path | None:
    """Link or copy a published picture of another outbox into `folder`; return where it is then, None for other files.

    A picture of the same owner is replaced; a name of another owner's is numbered. The caller syncs the folder.

    Raises:
        OSError: the picture cannot be read, or the disk is full, gone or read-only.
    """
    owner = tag_of(picture)
    if owner is None:
        return None
    with open_folder(folder) as handle:
        scratch = f".{owner.replace('/', '-')}.tmp"
        remove(scratch, handle)
        try:
            os.link(picture, scratch, dst_dir_fd=handle, follow_symlinks=False)
        except OSError:  # another disk, or a filesystem without links
            scratch = write_scratch(handle, owner.replace("/", "-"), picture.read_bytes())
        return folder / _place(scratch, handle, picture.name, owner)


def _place(scratch: str, folder: int, name: str, owner: str) -> str:
    """Rename a written picture to the first name that is free or its owner's; return the name."""
    for target in place_names(name, _as_name(owner)):
        if tag_of(target, folder) == owner:
            os.unlink(target, dir_fd=folder)  # of an earlier attempt, whose rows were never written
        elif exists(target, folder):
            continue
        with contextlib.suppress(FileExistsError):  # another worker took the same name first
            rename_new(scratch, target, source_folder=folder, target_folder=folder)
            return target
    raise AssertionError("counting never ends")


def tagged(png: bytes, owner: str) -> bytes:
    """Return the PNG with a tEXt chunk `digitwatch` = owner behind its header (PNG specification, 11.3.3)."""
    body = b"tEXtdigitwatch\0" + owner.encode("latin-1")
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return png[:33] + chunk + png[33:]  # 8 bytes signature, 25 bytes IHDR


def tag_of(path: Path | str, folder: int | None = None) -> str | None:
    """Return the owner written into a published picture, or None when it is not one of ours."""
    with contextlib.suppress(OSError), open_regular(path, folder) as file:
        head = os.pread(file, 300, 0)
        if head[37:52] == b"tEXtdigitwatch\0":
            return head[52 : 41 + int.from_bytes(head[33:37], "big")].decode("latin-1")
    return None


def withdraw(folder: Path, name: str, scan: str) -> None:
    """Remove durably the published pictures of a scan that failed or is returned to the inbox.

    Pages are published in order, and the first is removed last: without its picture there are no others, and the
    folder, which may hold many thousands, need not be searched.

    Raises:
        OSError: the folder is not accessible; pictures removed before the error stay removed.
    """
    base = os.path.basename(name)
    try:
        with open_folder(folder, (folder / name).parent) as handle:
            remove(scratch_name(_as_name(f"{scan}/1")), handle)
            if first := _find(handle, f"{base}.png", f"{scan}/1"):
                _remove_others(handle, base[:PREFIX], scan, first)
                os.unlink(first, dir_fd=handle)
                sync_handle(handle)  # else a power cut could bring it back beside that of the next reading
    except (FileNotFoundError, NotADirectoryError):  # there are none
        return


def _find(folder: int, name: str, owner: str) -> str | None:
    """Return under which of the names that it may have the picture of an owner is published."""
    names = itertools.islice(place_names(name, _as_name(owner)), MOST_NUMBERED + 1)
    return next((each for each in names if tag_of(each, folder) == owner), None)


def _remove_others(folder: int, start: str, scan: str, first: str) -> None:
    for entry in os.listdir(folder):
        if entry.startswith(f".{scan}-") and entry.endswith(".tmp"):
            remove(entry, folder)
        elif entry != first and entry.startswith(start) and (tag_of(entry, folder) or "").startswith(scan + "/"):
            os.unlink(entry, dir_fd=folder)
    sync_handle(folder)


def _as_name(owner: str) -> str:
    """Return an owner as a part of a file name."""
    return owner.replace("/", "-")
