"""Checks of the inbox: unreadable and special files, claims left over, and the running daemon."""

import os
from pathlib import Path

from disks import as_nobody
from service import Small

from digitwatch.diagnostics import check_inbox
from digitwatch.spool.claims import CLAIMED, claim, lock_inbox


def lines(inbox: Path, recursive: bool = False) -> list[str]:
    """Return the lines about the files that wait."""
    return [str(finding) for finding in check_inbox.waiting(inbox, recursive)]


def test_scans_that_can_be_read_are_counted(tmp_path: Path) -> None:
    """Hidden and temporary names are no scans, nor are files and folders of a NAS or a desktop."""
    for name in ("a.png", "b.png", ".hidden.png", "c.png.part", "Thumbs.db", "a.png:Zone.Identifier"):
        (tmp_path / name).touch()
    (tmp_path / "@eaDir").mkdir()

    assert lines(tmp_path) == ["ok    waiting: 2 scans can be read"]


def test_files_closed_to_us(tmp_path: Path) -> None:
    """Of another owner and mode 600: whose they are, and how they are opened."""
    (tmp_path / "inbox").mkdir()
    (tmp_path / "inbox").chmod(0o777)
    for name in ("a.png", "b.png"):
        (tmp_path / "inbox" / name).touch(mode=0o600)
    with as_nobody(tmp_path):
        [closed, count] = lines(tmp_path / "inbox")

    assert "2 files (the first: " in closed and "cannot be read by user nobody (owner root, mode 600)" in closed
    assert "chmod g+r" in closed
    assert "0 scans" in count


def test_a_sticky_inbox(tmp_path: Path) -> None:
    """With the sticky bit no user can remove the files of another."""
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    inbox.chmod(0o1777)
    (inbox / "a.png").touch(mode=0o644)
    with as_nobody(tmp_path):
        [stuck, count] = lines(inbox)

    assert "cannot be moved" in stuck and "chmod -t" in stuck
    assert "0 scans" in count


def test_what_is_left_alone_is_named(tmp_path: Path) -> None:
    """Links, pipes, sockets and folders stay where they are."""
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "link.png").symlink_to("/etc/passwd")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "a.png").touch()
    special, folder, count = lines(tmp_path)

    assert "2 files (the first: " in special and "ignored" in special
    assert "`recursive: true` reads its scans" in folder
    assert "0 scans" in count
    assert lines(tmp_path, recursive=True)[-1] == "ok    waiting: 1 scans can be read"


def test_the_daemon_at_work_is_named(tmp_path: Path) -> None:
    """A second daemon would be refused: which one is there."""
    with Small(tmp_path) as service:
        line = str(check_inbox.claims(service.inbox))
        assert service.process is not None

        assert f"process {service.process.pid} (" in line
        assert "small_daemon" in line


def test_leftover_claims_without_a_daemon(tmp_path: Path) -> None:
    """Claimed scans wait for a start of the daemon."""
    os.close(lock_inbox(tmp_path))
    assert str(check_inbox.claims(tmp_path)) == "note  daemon: none is running"
    (tmp_path / "a.png").touch()
    claim(tmp_path, "a.png")

    assert "1 claimed scans are left" in str(check_inbox.claims(tmp_path))
    assert (tmp_path / CLAIMED).is_dir()
