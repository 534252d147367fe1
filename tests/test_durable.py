"""Writes and renames that never replace and never leave halves."""

import errno
import os
from pathlib import Path

import pytest

from digitwatch.spool import durable


def other_filesystem() -> Path | None:
    """Give a folder on another filesystem than the temporary one, or None."""
    memory = Path("/dev/shm")
    return memory if memory.is_dir() and os.access(memory, os.W_OK) else None


def test_rename_refuses_an_existing_target(tmp_path: Path) -> None:
    """The kernel itself refuses, so that no moment lies between looking and renaming."""
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)

    with pytest.raises(FileExistsError):
        durable.rename_new(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "b"


def test_rename_refuses_without_the_system_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where renameat2 is missing, an existing target is refused all the same."""
    monkeypatch.setattr(durable, "_renameat2", None)
    test_rename_refuses_an_existing_target(tmp_path)


def test_move_across_filesystems_keeps_the_bytes(tmp_path: Path) -> None:
    """EXDEV turns the rename into copy, sync, rename and unlink; nothing else is left."""
    other = other_filesystem()
    if other is None or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("needs /dev/shm as a second filesystem")
    source, target = other / f"digitwatch-test-{os.getpid()}", tmp_path / "a.png"
    source.write_bytes(b"scan" * 1000)

    durable.move_new(source, target)

    assert target.read_bytes() == b"scan" * 1000
    assert not source.exists()
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_failed_write_leaves_nothing() -> None:
    """On a full disk no empty or half file stays behind."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    folder = Path(f"/dev/shm/digitwatch-full-{os.getpid()}")
    folder.symlink_to(full)
    try:
        with pytest.raises(OSError) as caught:
            durable.write_durably(folder, b"x" * 10)
        assert caught.value.errno == errno.ENOSPC
        assert not folder.is_symlink()
    finally:
        folder.unlink(missing_ok=True)


def test_digest_is_sha256(tmp_path: Path) -> None:
    """The digest is the one that sha256sum prints."""
    (tmp_path / "empty").touch()

    assert durable.digest(tmp_path / "empty").startswith("e3b0c44298fc1c14")
