"""Writes and renames that never replace and never leave halves."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from digitwatch.spool import durable_io
from digitwatch.system.os_errors import describe


def test_rename_refuses_an_existing_target(tmp_path: Path) -> None:
    """The kernel itself refuses, so that no moment lies between looking and renaming."""
    for name in ("a", "b"):
        (tmp_path / name).write_text(name)

    with pytest.raises(FileExistsError):
        durable_io.rename_new(tmp_path / "a", tmp_path / "b")
    assert (tmp_path / "b").read_text() == "b"


def test_rename_refuses_without_the_system_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where renameat2 is missing, an existing target is refused all the same."""
    monkeypatch.setattr(durable_io, "_renameat2", None)
    test_rename_refuses_an_existing_target(tmp_path)


def test_a_copy_of_a_file_that_is_written_to_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A copy made while somebody writes may hold a mixture: it is thrown away and made again later."""

    def copy_while_somebody_writes(source: Path, copy: Path) -> None:
        copy.write_bytes(source.read_bytes())
        source.write_bytes(b"more than before")

    (tmp_path / "a").write_bytes(b"a")
    monkeypatch.setattr(shutil, "copyfile", copy_while_somebody_writes)

    with pytest.raises(BlockingIOError):
        durable_io.copy_durably(tmp_path / "a", tmp_path / "copy")
    assert not (tmp_path / "copy").exists()


def test_folders_are_made_below_what_is_there_only(tmp_path: Path) -> None:
    """Days are made; the disk that they should lie on is not."""
    durable_io.make_folder(tmp_path, tmp_path / "day" / "sub")
    assert (tmp_path / "day" / "sub").is_dir()

    with pytest.raises(FileNotFoundError):
        durable_io.make_folder(tmp_path / "away", tmp_path / "away" / "day")


def test_failed_write_leaves_nothing() -> None:
    """On a full disk no empty or half file stays behind."""
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("needs /dev/full")
    folder = Path(f"/dev/shm/digitwatch-full-{os.getpid()}")
    folder.symlink_to(full)
    try:
        with pytest.raises(OSError) as caught:
            durable_io.write_durably(folder, b"x" * 10)
        assert caught.value.errno == errno.ENOSPC
        assert not folder.is_symlink()
    finally:
        folder.unlink(missing_ok=True)


def test_digest_is_sha256(tmp_path: Path) -> None:
    """The digest is the one that sha256sum prints."""
    (tmp_path / "empty").touch()

    assert durable_io.digest(tmp_path / "empty").startswith("e3b0c44298fc1c14")


def test_the_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    """Not the one of the day that could not be made in it."""
    with pytest.raises(FileNotFoundError) as caught:
        durable_io.make_folder(tmp_path / "outbox", tmp_path / "outbox" / "2026-11-22")

    assert describe(caught.value) == f"the folder is gone; make it or mount its disk: {tmp_path / 'outbox'}"
