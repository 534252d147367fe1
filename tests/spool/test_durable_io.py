"""Writes and renames that never replace and never leave halves."""

import contextlib
import errno
import os
import shutil
from pathlib import Path
from typing import BinaryIO

import pytest
from disks import mounted

from digitwatch.spool import durable_io
from digitwatch.system.os_errors import describe


def test_rename_refuses_an_existing_target(tmp_path: Path) -> None:
    """The kernel itself refuses, so that there is no gap between check and rename."""
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
    """A copy made during a write may hold a mixture: it is discarded and made again later."""

    def copy_while_somebody_writes(source: BinaryIO, copy: BinaryIO, length: int) -> None:
        copy.write(source.read())
        (tmp_path / "a").write_bytes(b"more than before")

    (tmp_path / "a").write_bytes(b"a")
    monkeypatch.setattr(shutil, "copyfileobj", copy_while_somebody_writes)

    with (
        durable_io.open_regular(tmp_path / "a") as source,
        durable_io.open_folder(tmp_path) as folder,
        pytest.raises(BlockingIOError),
    ):
        durable_io.copy_scratch(source, folder, "owner")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_copy_keeps_times_and_mode_but_not_set_user_id(tmp_path: Path) -> None:
    """Whoever hands in a set-user-ID file does not get one of the daemon's user."""
    (tmp_path / "a").write_bytes(b"a")
    (tmp_path / "a").chmod(0o4755)
    os.utime(tmp_path / "a", (1, 2))
    with durable_io.open_regular(tmp_path / "a") as source, durable_io.open_folder(tmp_path) as folder:
        copy = (tmp_path / durable_io.copy_scratch(source, folder, "owner")).stat()

    assert (copy.st_mode & 0o7777, copy.st_mtime) == (0o755, 2)


def test_folders_are_made_below_what_is_there_only(tmp_path: Path) -> None:
    """Days are made; the disk that they should lie on is not."""
    for _ in range(2):
        with durable_io.open_folder(tmp_path, tmp_path / "day" / "sub", make=True):
            assert (tmp_path / "day" / "sub").is_dir()

    with pytest.raises(FileNotFoundError), durable_io.open_folder(tmp_path / "a", tmp_path / "a" / "day", make=True):
        pass


@pytest.mark.parametrize("make", [False, True])
@pytest.mark.parametrize("folder", ["link", "link/sub", "file", "file/sub"])
def test_no_link_below_the_top_is_followed(tmp_path: Path, folder: str, make: bool) -> None:
    """A link or a file where a folder is expected is named in the error; the top itself may be a link."""
    (tmp_path / "top" / "real").mkdir(parents=True)
    (tmp_path / "top" / "link").symlink_to("real")
    (tmp_path / "top" / "file").touch()
    (tmp_path / "top-link").symlink_to("top")
    top = tmp_path / "top-link"

    with pytest.raises(NotADirectoryError) as caught, durable_io.open_folder(top, top / folder, make=make):
        pass
    assert caught.value.filename == str(top / folder.split("/", maxsplit=1)[0])
    assert list((tmp_path / "top" / "real").iterdir()) == []


def test_open_folders_are_closed(tmp_path: Path) -> None:
    """Neither a folder that was opened nor one that was refused leaves an open handle."""
    (tmp_path / "file").touch()
    before = len(os.listdir("/proc/self/fd"))
    with durable_io.open_folder(tmp_path, tmp_path / "a" / "b", make=True):
        pass
    with contextlib.suppress(NotADirectoryError), durable_io.open_folder(tmp_path, tmp_path / "file" / "b"):
        pass

    assert len(os.listdir("/proc/self/fd")) == before


def test_failed_write_leaves_nothing(tmp_path: Path) -> None:
    """On a full disk no empty or half file stays behind."""
    with mounted(tmp_path / "full", "16k") as full:
        with pytest.raises(OSError) as caught:
            durable_io.write_durably(full / "a", b"x" * 100_000)
        assert caught.value.errno == errno.ENOSPC
        assert list(full.iterdir()) == []


def test_a_write_goes_through_no_link(tmp_path: Path) -> None:
    """A link at the place of the file is replaced, and the file that it leads to is kept."""
    (tmp_path / "victim").write_bytes(b"keep")
    (tmp_path / "a").symlink_to("victim")
    durable_io.write_durably(tmp_path / "a", b"new")

    assert (tmp_path / "victim").read_bytes() == b"keep"
    assert (tmp_path / "a").read_bytes() == b"new"


def test_digest_is_sha256(tmp_path: Path) -> None:
    """The digest is the one that sha256sum prints."""
    (tmp_path / "empty").touch()

    assert durable_io.digest(tmp_path / "empty").startswith("e3b0c44298fc1c14")


def test_the_folder_that_is_gone_is_named(tmp_path: Path) -> None:
    """Not the one of the day that could not be made in it."""
    outbox = tmp_path / "outbox"
    with pytest.raises(FileNotFoundError) as caught, durable_io.open_folder(outbox, outbox / "2026-11-22", make=True):
        pass

    assert describe(caught.value) == f"the folder is gone; make it or mount its disk: {tmp_path / 'outbox'}"
