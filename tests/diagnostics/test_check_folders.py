"""Checks of the folders: each fault is produced for real, and its line says what to do."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from disks import as_nobody, mounted, other_filesystem

from digitwatch.diagnostics import check_folders
from digitwatch.spool.claims import CLAIMED


@pytest.mark.parametrize(
    ("spoil", "line"),
    [
        (lambda path: None, "ok .* can be written"),
        (lambda path: path.rmdir(), "FAIL .* does not exist; .*mkdir -p"),
        (lambda path: (path.rmdir(), path.touch()), "FAIL .* is not a folder; correct the path"),
        (lambda path: (path.rmdir(), path.symlink_to("/nowhere")), "FAIL .* is a link to /nowhere, which does not"),
        (lambda path: (path.rmdir(), path.symlink_to("/dev/shm")), "ok .* is a link to /dev/shm, which can be written"),
    ],
)
def test_a_folder_in_every_state(tmp_path: Path, spoil: Callable[[Path], object], line: str) -> None:
    """There, missing, a file, a link to nothing, a link to a folder: each is named."""
    (tmp_path / "archive").mkdir()
    spoil(tmp_path / "archive")
    finding = check_folders.folder("archive", tmp_path / "archive", Path("/elsewhere"))

    assert re.match(line, str(finding)), finding


def test_what_the_start_makes_is_not_missing(tmp_path: Path) -> None:
    """A folder below config.yaml is made by the daemon, where it may."""
    assert check_folders.folder("outbox", tmp_path / "a" / "b", tmp_path).level == "ok"
    tmp_path.chmod(0o755)
    with as_nobody(tmp_path):
        assert "may not list or write in" in str(check_folders.folder("outbox", tmp_path / "a" / "b", tmp_path))


def test_a_folder_closed_to_us(tmp_path: Path) -> None:
    """Not writable, or not to be reached at all: the user is named, and what to do."""
    (tmp_path / "closed").mkdir(mode=0o700)
    with as_nobody(tmp_path):
        unwritable = str(check_folders.folder("archive", tmp_path, Path("/")))
        unreachable = str(check_folders.folder("archive", tmp_path / "closed" / "inner", Path("/")))

    assert "chown nobody" in unwritable
    assert "namei -l" in unreachable


def test_a_read_only_disk_is_named(tmp_path: Path) -> None:
    """The line says how it is made writable again."""
    with mounted(tmp_path / "disk", "1m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)

        assert "remount,rw" in str(check_folders.writable("outbox", disk))


def test_a_full_disk_and_one_without_inodes_are_distinguished(tmp_path: Path) -> None:
    """No free space, or no free inode."""
    with mounted(tmp_path / "full", "64k") as full, mounted(tmp_path / "many", "1m,nr_inodes=2") as many:
        (full / "filler").write_bytes(b"x" * 60_000)
        (many / "filler").touch()

        assert "is full; free some space" in str(check_folders.writable("outbox", full))
        assert "df -i" in str(check_folders.writable("outbox", many))


def test_a_quota_that_is_used_up_is_named(tmp_path: Path) -> None:
    """On a real filesystem with quotas, for the user that has none left."""
    image, disk = tmp_path / "image", tmp_path / "disk"
    disk.mkdir()
    image.write_bytes(b"\0" * (16 << 20))
    if not shutil.which("setquota") or subprocess.run(["mkfs.ext4", "-qO", "quota", image], check=False).returncode:
        pytest.skip("needs mkfs.ext4 and setquota")
    if subprocess.run(["mount", "-o", "loop,usrquota", image, disk], check=False, capture_output=True).returncode:
        pytest.skip("needs a kernel with quotas, and root")
    try:
        disk.chmod(0o777)
        subprocess.run(["setquota", "-u", "nobody", "0", "16", "0", "0", disk], check=True)
        with as_nobody(tmp_path):
            line = str(check_folders.writable("outbox", disk))
    finally:
        subprocess.run(["umount", disk], check=True)

    assert "the quota of user nobody" in line


def test_folders_that_another_user_made(tmp_path: Path) -> None:
    """Run once as root, digitwatch leaves folders in which the service cannot work."""
    today = tmp_path / "archive" / f"{datetime.now(UTC):%Y-%m-%d}"
    today.mkdir(parents=True)
    (tmp_path / CLAIMED).mkdir()
    with as_nobody(tmp_path):
        lines = [str(finding) for finding in check_folders.inner(tmp_path, tmp_path / "archive")]

    assert ["claims" in lines[0], "archive of today" in lines[1]] == [True, True]
    assert list(check_folders.inner(tmp_path, tmp_path / "archive")) == []


def test_claims_that_would_leave_the_inbox(tmp_path: Path) -> None:
    """A link in the place of the folder of claims stops the daemon, so it is to be removed."""
    (tmp_path / CLAIMED).symlink_to("/dev/shm")

    assert "is a link" in str(next(check_folders.inner(tmp_path)))


def test_the_way_to_another_disk_is_tried(tmp_path: Path) -> None:
    """An archive elsewhere costs a copy; an outbox elsewhere costs nothing; nothing is left of the trial."""
    far = other_filesystem(tmp_path)
    for name in ("inbox", "archive", "failed"):
        (tmp_path / name).mkdir()
    places = (tmp_path / "inbox", far, far, tmp_path / "failed")
    lines = [str(finding) for finding in check_folders.moves(*places)]

    assert [line.split()[0] for line in lines] == ["note", "ok", "ok"]
    assert "each original is copied" in lines[0]
    assert "outbox" in lines[2]
    assert [path for folder in {*places} for path in folder.iterdir()] == []


def test_two_mounts_of_one_disk_are_two(tmp_path: Path) -> None:
    """Between bind mounts of the same filesystem a rename is refused, which only a trial shows."""
    (tmp_path / "inbox").mkdir()
    with mounted(tmp_path / "archive", "64k"):
        subprocess.run(["mount", "--bind", tmp_path / "inbox", tmp_path / "archive"], check=True)
        line = str(next(check_folders.moves(tmp_path / "inbox", tmp_path / "inbox", tmp_path / "archive")))
        subprocess.run(["umount", tmp_path / "archive"], check=True)

    assert "each original is copied" in line


def test_claims_on_a_mount_of_their_own(tmp_path: Path) -> None:
    """No scan could ever be claimed."""
    with mounted(tmp_path / CLAIMED, "64k"):
        line = str(next(check_folders.moves(tmp_path, tmp_path)))

    assert "no scan can be moved" in line


def test_too_little_free_space(tmp_path: Path) -> None:
    """Less than min_free stops the daemon; the line names both."""
    with mounted(tmp_path / "disk", "1m") as disk:
        line = str(check_folders.space((disk,), 200 * 10**6))

    assert "has 1 MB free, less than min_free (200 MB): no scan would be read" in line


def test_root_is_advised_to_check_as_the_service_user(tmp_path: Path) -> None:
    """What root may do says nothing about the user that owns the inbox."""
    with as_nobody(tmp_path):
        pass
    os.chown(tmp_path, 65534, -1)

    assert "runuser -u nobody -- digitwatch check" in str(next(check_folders.user_of_check(tmp_path)))
