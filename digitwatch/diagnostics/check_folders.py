"""Checks of the folders: they exist, they can be written, and originals can be moved between them."""

import contextlib
import errno
import os
import pwd
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from digitwatch.diagnostics.finding import Finding, fail, note, ok
from digitwatch.spool.claims import CLAIMED
from digitwatch.spool.disk_space import nearest, shortage
from digitwatch.spool.durable_io import rename_new, write_durably
from digitwatch.system.os_errors import describe

PROBE = 1 << 16  # bytes: an empty file does not reveal a full disk or an exhausted quota


def folder(name: str, path: Path, base: Path) -> Finding:
    """Check that a folder exists and can be written; a missing one below `base` is created at the start."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return _missing(name, path, base)
    except OSError as error:
        return fail(
            f"{name}: {path} cannot be reached: {describe(error)}; `namei -l {path}` shows where {user()} is refused"
        )
    if os.path.islink(path) and not os.path.exists(path):
        return fail(
            f"{name}: {path} is a link to {os.readlink(path)}, which does not exist; mount its disk or fix the link"
        )
    if not os.path.isdir(path):
        return fail(f"{name}: {path} is not a folder; correct the path in config.yaml")
    finding = writable(name, path)
    if not finding.has_failed and os.path.islink(path):
        return ok(f"{name}: {path} is a link to {os.path.realpath(path)}, which can be written")
    return finding


def _missing(name: str, path: Path, base: Path) -> Finding:
    if not path.is_relative_to(base):
        return fail(f"{name}: {path} does not exist; create it, or mount its disk: mkdir -p {path}")
    above = writable(name, nearest(path))
    return above if above.has_failed else ok(f"{name}: {path} will be created at the start")


def writable(name: str, path: Path) -> Finding:
    """Check that a folder can be listed, and that a file can be written, synced and removed in it."""
    try:
        os.listdir(path)
        _write_probe(path)
    except OSError as error:
        return fail(f"{name}: {_refusal(path, error)}")
    return ok(f"{name}: {path} can be written")


def _write_probe(path: Path) -> None:
    probe = path / f".check-{secrets.token_hex(4)}"
    write_durably(probe, b"\0" * PROBE)
    probe.unlink()


def _refusal(path: Path, error: OSError) -> str:
    """Return why a folder could not be written, and what to do."""
    match error.errno:
        case errno.EACCES | errno.EPERM:
            return f"user {user()} may not list or write in {path}; chown {user()} {path}"
        case errno.EROFS:
            return f"{path} is on a read-only disk; see `dmesg` for the cause, then: mount -o remount,rw MOUNT"
        case errno.EDQUOT:
            return f"the quota of user {user()} on the disk of {path} is exhausted; raise it (edquota -u {user()})"
        case errno.ENOSPC if os.statvfs(path).f_favail == 0 < os.statvfs(path).f_files:
            return f"the disk of {path} has no free inode (df -i); delete files there"
        case errno.ENOSPC:
            return f"the disk of {path} is full; free some space"
    return f"cannot write in {path}: {describe(error)}"


def user() -> str:
    """Return the name of the user that this process runs as."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:  # a container may have no name for the user id
        return str(os.geteuid())


def inner(inbox: Path, *tops: Path) -> Iterator[Finding]:
    """Check the folders that digitwatch has created: one that another user owns stops it later."""
    claimed = inbox / CLAIMED
    if claimed.is_symlink():
        yield fail(f"claims: {claimed} is a link, so that claimed scans would leave the inbox; remove it")
    elif os.path.lexists(claimed):
        yield from _if_failed(writable("claims", claimed))
    today = f"{datetime.now(UTC):%Y-%m-%d}"
    for top in tops:
        if os.path.lexists(top / today):
            yield from _if_failed(writable(f"{top.name} of today", top / today))


def _if_failed(finding: Finding) -> Iterator[Finding]:
    if finding.has_failed:
        yield finding


def user_of_check(inbox: Path) -> Iterator[Finding]:
    """Note that a check by root does not show what the service's user may do."""
    with contextlib.suppress(KeyError, FileNotFoundError):
        theirs = pwd.getpwuid(inbox.stat().st_uid).pw_name
        if os.geteuid() == 0 and theirs != "root":
            yield note(
                f"user: root may do everything; check as the service does: runuser -u {theirs} -- digitwatch check"
            )


def moves(inbox: Path, outbox: Path, *targets: Path) -> Iterator[Finding]:
    """Check by a real rename that scans can be claimed and originals can be moved; only a rename shows it."""
    error = _refused(inbox, inbox / CLAIMED) if (inbox / CLAIMED).is_dir() else None
    if error is not None:
        yield fail(
            f"claims: no scan can be moved to {inbox / CLAIMED} ({describe(error)}); unmount what is mounted there"
        )
    for target in targets:
        error = _refused(inbox, target)
        if error is None:
            yield ok(f"{inbox} -> {target}: originals move by one rename")
        elif error.errno == errno.EXDEV:
            why = "is on another disk or mount: each original is copied, which is slower than a rename"
            yield note(f"{inbox} -> {target}: {why}")
        else:
            yield fail(f"{inbox} -> {target}: no file can be moved there: {describe(error)}")
    error = _refused(inbox, outbox)
    if error is not None and error.errno == errno.EXDEV:
        yield ok(f"outbox: {outbox} is on another disk than the inbox, which is supported")


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
    """Check that the disks have `min_free` bytes free, without which no scan is read."""
    try:
        short = shortage(folders, min_free)
    except OSError as error:
        return fail(f"free space: a disk cannot be queried: {describe(error)}")
    if short:
        return fail(f"free space: {short}: no scan would be read; free some space or lower min_free")
    return ok(f"free space: more than {min_free // 10**6} MB on every disk")
