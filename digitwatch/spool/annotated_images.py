"""The outbox: pictures that know whose they are, so that repeated work replaces only its own."""

import contextlib
import glob
import os
import zlib
from pathlib import Path

from digitwatch.spool.archive import free_place
from digitwatch.spool.durable_io import make_folder, rename_new, sync_folder, write_durably

PREFIX = 20  # characters of a name that remain however much it is shortened


def publish(png: bytes, folder: Path, name: str, owner: str) -> Path:
    """Write a picture as NAME.png (or NAME~2.png …) below `folder`, durable before it is seen there.

    The picture carries its owner (scan id and page) inside, so that a repetition after a crash
    replaces its own picture and nobody else's.

    The folder above `folder` must be there; `folder` itself is made when it is missing.

    Raises:
        OSError: the disk is full, gone or read-only; nothing is left behind.
    """

    def is_foreign(path: Path) -> bool:
        return path.exists() and tag_of(path) != owner

    png = tagged(png, owner)
    target = free_place(folder, name + ".png", is_foreign)
    make_folder(folder.parent, target.parent)
    scratch = target.with_name(scratch_name(owner))  # the same for a repetition, so that none is left over
    try:
        write_durably(scratch, png)
        while not _rename_over_own(scratch, target, owner):
            target = free_place(folder, name + ".png", is_foreign)
    except OSError:
        with contextlib.suppress(OSError):
            scratch.unlink()
        raise
    sync_folder(target.parent)
    return target


def scratch_name(owner: str) -> str:
    """Give the name under which a picture is written before it is renamed to its place."""
    return f".{owner.replace('/', '-')}.tmp"


def _rename_over_own(scratch: Path, target: Path, owner: str) -> bool:
    if target.exists() and tag_of(target) == owner:
        os.replace(scratch, target)
        return True
    try:
        rename_new(scratch, target)
    except FileExistsError:  # another worker was quicker with the same name
        return False
    return True


def tagged(png: bytes, owner: str) -> bytes:
    """Give the PNG with a tEXt chunk `digitwatch` = owner behind its header (PNG specification, 11.3.3)."""
    body = b"tEXtdigitwatch\0" + owner.encode("latin-1")
    chunk = (len(body) - 4).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    return png[:33] + chunk + png[33:]  # 8 bytes signature, 25 bytes IHDR


def tag_of(path: Path) -> str | None:
    """Give the owner written into a published picture, or None when it is not one of ours."""
    with contextlib.suppress(OSError), path.open("rb") as file:
        head = file.read(300)
        if head[37:52] == b"tEXtdigitwatch\0":
            return head[52 : 41 + int.from_bytes(head[33:37], "big")].decode("latin-1")
    return None


def withdraw(folder: Path, name: str, scan: str) -> None:
    """Remove, durably, the pictures of a scan that failed or goes back, whichever of its pages were published.

    Raises:
        OSError: the folder does not let us; what was removed stays removed.
    """
    near = folder / name
    removed = False
    for path in near.parent.glob(f".{scan}-*.tmp"):
        path.unlink(missing_ok=True)
    for path in near.parent.glob(f"{glob.escape(near.stem[:PREFIX])}*.png"):
        owner = tag_of(path)
        if owner is not None and owner.startswith(scan + "/"):
            path.unlink(missing_ok=True)
            removed = True
    if removed:  # else a power cut could bring them back beside those of the next reading
        sync_folder(near.parent)
