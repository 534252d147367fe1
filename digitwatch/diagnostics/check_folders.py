"""The folders: whether they are there, whether they can be written, and how originals move between them."""

import contextlib
import errno
import os
import pwd
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from digitwatch.diagnostics.finding import Finding, mend, note, ok
from digitwatch.spool.claims import CLAIMED
from digitwatch.spool.disk_space import nearest, shortage
from digitwatch.spool.durable_io import rename_new, write_durably
from digitwatch.system.os_errors import describe

PROBE = 1 << 16  # bytes: a quota or a full disk is not reported by a file without any


def folder(name: str, path: Path, base: Path) -> Finding:
    """Look at one folder of the settings: there, a folder, writable; those below `base` may be made later."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return _missing(name, path, base)
    except OSError as error:
        return mend(
            f"{name}: {path} cannot be reached: {describe(error)}; `namei -l {path}` shows where {user()} stops"
        )
    if os.path.islink(path) and not os.path.exists(path):
        return mend(f"{name}: {path} is a link to {os.readlink(path)}, which does not exist; mount its disk or turn it")
    if not os.path.isdir(path):
        return mend(f"{name}: {path} is not a folder; correct the path in config.yaml")
    finding = writable(name, path)
    if finding.well and os.path.islink(path):
        return ok(f"{name}: {path} leads to {os.path.realpath(path)}, which can be written")
    return finding


def _missing(name: str, path: Path, base: Path) -> Finding:
    if not path.is_relative_to(base):
        return mend(f"{name}: {path} does not exist; make it, or mount its disk: mkdir -p {path}")
    above = writable(name, nearest(path))
    return ok(f"{name}: {path} will be made at the start") if above.well else above


def writable(name: str, path: Path) -> Finding:
    """Try to list a folder and to write a file in it that is synced and removed."""
    try:
        os.listdir(path)
        _write_probe(path)
    except OSError as error:
        return mend(f"{name}: {_refusal(path, error)}")
    return ok(f"{name}: {path} can be written")


def _write_probe(path: Path) -> None:
    probe = path / f".check-{secrets.token_hex(4)}"
    write_durably(probe, b"\0" * PROBE)
    probe.unlink()


def _refusal(path: Path, error: OSError) -> str:
    """Say why a folder could not be written, and what helps."""
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return f"no right to list and write in {path}; give it to user {user()}: chown {user()} {path}"
        case errno.EROFS:
            return f"{path} lies on a disk that is read-only; see `dmesg` for why, then: mount -o remount,rw MOUNT"
        case errno.EDQUOT:
            return f"the quota of user {user()} on the disk of {path} is used up; raise it (edquota -u {user()})"
        case errno.ENOSPC if os.statvfs(path).f_favail == 0 < os.statvfs(path).f_files:
            return f"the disk of {path} has no room for one more name (df -i); delete files there"
        case errno.ENOSPC:
            return f"the disk of {path} is full; free some space"
    return f"cannot write in {path}: {describe(error)}"


def user() -> str:
    """Give the name of the user that this process runs as."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container often knows no names
        return str(os.geteuid())


def inner(inbox: Path, *tops: Path) -> Iterator[Finding]:
    """Look at the folders that digitwatch itself has made: one by another user's hand stops it later."""
    claimed = inbox / CLAIMED
    if claimed.is_symlink():
        yield mend(f"claims: {claimed} is a link, and claimed scans would leave the inbox; remove it")
    elif os.path.lexists(claimed):
        yield from _unless_well(writable("claims", claimed))
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for top in tops:
        if os.path.lexists(top / today):
            yield from _unless_well(writable(f"{top.name} of today", top / today))


def _unless_well(finding: Finding) -> Iterator[Finding]:
    if not finding.well:
        yield finding


def owner(inbox: Path) -> Iterator[Finding]:
    """Say that the look of a user who may do everything proves little for the service, which may not."""
    with contextlib.suppress(KeyError, FileNotFoundError):
        theirs = pwd.getpwuid(inbox.stat().st_uid).pw_name
        if os.geteuid() == 0 and theirs != "root":
            yield note(
                f"user: root may do everything; look as the service does: runuser -u {theirs} -- digitwatch check"
            )


def ways(inbox: Path, outbox: Path, *targets: Path) -> Iterator[Finding]:
    """Try how a scan is claimed and how originals move: a real rename, since only that tells."""
    error = _refused(inbox, inbox / CLAIMED) if (inbox / CLAIMED).is_dir() else None
    if error is not None:
        yield mend(
            f"claims: no scan can be moved to {inbox / CLAIMED} ({describe(error)}); remove what is mounted there"
        )
    for target in targets:
        error = _refused(inbox, target)
        if error is None:
            yield ok(f"{inbox} -> {target}: originals move by one rename")
        elif error.errno == errno.EXDEV:
            why = "lies on another disk or mount: each original is copied, which takes longer; one disk would spare it"
            yield note(f"{inbox} -> {target}: {why}")
        else:
            yield mend(f"{inbox} -> {target}: no file can be moved there: {describe(error)}")
    error = _refused(inbox, outbox)
    if error is not None and error.errno == errno.EXDEV:
        yield ok(f"outbox: {outbox} lies on another disk than the inbox, which does no harm")


def _refused(source: Path, target: Path) -> OSError | None:
    name = f".check-{secrets.token_hex(4)}"
    try:
        (source / name).write_bytes(b"")
        rename_new(source / name, target / name)
    except OSError as error:
        return error
    finally:
        for path in (source / name, target / name):
            with contextlib.suppress(OSError):
                path.unlink()
    return None


def space(folders: tuple[Path, ...], min_free: int) -> Finding:
    """Look whether the disks have the room below which no scan is taken."""
    try:
        short = shortage(folders, min_free)
    except OSError as error:
        return mend(f"free space: a disk does not answer: {describe(error)}")
    if short:
        return mend(f"free space: {short}: no scan would be taken; free some space or lower min_free")
    return ok(f"free space: more than {min_free // 10**6} MB everywhere")
