"""Environment errors: the daemon pauses, logs it once, resumes automatically, and no scan fails."""

import contextlib
import hashlib
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from accounts import account
from disks import mounted
from service import Small, until

LATER = 30  # scans in all: more rows than what is left of a full disk's last block


class WithErrors(Small):
    """The small daemon, without root's right to pass over permissions."""

    log: Path | None = None

    def command(self) -> list[str]:
        """Return the command line."""
        command = [*super().command(), *([str(self.log)] if self.log else [])]
        if os.getuid() == 0 and shutil.which("setpriv"):
            return ["setpriv", "--bounding-set=-dac_override,-dac_read_search", *command]
        return command


@pytest.fixture
def service(tmp_path: Path) -> Iterator[WithErrors]:
    """Return a service that is not started."""
    for name in ("outbox", "archive", "failed"):
        (tmp_path / name).mkdir()
    with WithErrors(tmp_path).unstarted() as service:
        yield service


def put(service: Small, names: range, size: int = 100) -> dict[str, int]:
    """Put scans of one page into the inbox; return what `account` wants."""
    sent = {}
    for number in names:
        data = b"x\1" + str(number).encode() + b"." * size
        (service.inbox / f"{number}.png").write_bytes(data)
        sent[hashlib.sha256(data).hexdigest()] = 1
    return sent


def is_done(service: Small, sent: dict[str, int]) -> bool:
    """Return whether all scans are filed."""
    return len(service.files("archive")) >= len(sent) and not service.files("inbox")


def go_through(service: WithErrors, begin: Callable[[], object], end: Callable[[], object], size: int = 100) -> None:
    """Read scans, cause the error, add more, wait for the pause, end the error, and account."""
    service.start()
    sent = put(service, range(5), size)
    until(lambda: is_done(service, sent), "the first scans")
    begin()
    with contextlib.suppress(OSError):  # when the problem is the inbox itself, they come when it is over
        sent |= put(service, range(5, LATER), size)
    until(lambda: "paused" in service.lines(), "the pause")
    end()
    if len(sent) == 5:
        sent |= put(service, range(5, LATER), size)
    until(lambda: is_done(service, sent), "all scans")
    assert service.stop() == 0
    account(service, sent).check()
    assert service.lines().count("paused") == 1, service.lines()
    assert not service.files("failed")


@pytest.mark.parametrize("folder", ["outbox", "archive", "inbox"])
def test_a_folder_that_goes_and_comes_back(service: WithErrors, folder: str) -> None:
    """Moved away and back, as when a disk is taken out and put in again."""
    place, away = service.base / folder, service.base / "away"

    go_through(service, lambda: place.rename(away), lambda: away.rename(place))


@pytest.mark.parametrize("folder", ["outbox", "archive", "inbox"])
def test_a_folder_without_permission(service: WithErrors, folder: str) -> None:
    """A folder without permission is an environment error; no scan fails."""
    if os.getuid() == 0 and not shutil.which("setpriv"):
        pytest.skip("root may write everywhere")
    place = service.base / folder
    below = [place, *(path for path in place.iterdir() if path.is_dir())]

    def close() -> None:
        for path in (*below, *(path for path in place.iterdir() if path.is_dir())):
            path.chmod(0o500)

    def reopen() -> None:
        for path in (*below, *(path for path in place.iterdir() if path.is_dir())):
            path.chmod(0o755)

    go_through(service, close, reopen)


@pytest.mark.parametrize("where", ["log", "outbox", "archive"])
def test_a_full_disk(service: WithErrors, where: str) -> None:
    """ENOSPC and short writes, for the log, the pictures and the archive: nothing half is left, nothing is failed."""
    with mounted(service.base / where, "256k") as disk:
        if where == "log":
            service.log = service.base / "log" / "predictions.csv"
            (service.base / "predictions.csv").symlink_to(service.log)
        filler = disk / "filler"

        def fill() -> None:
            with filler.open("wb") as file, contextlib.suppress(OSError):
                for piece in (4096, 64, 1):  # to the last byte
                    with contextlib.suppress(OSError):
                        while True:
                            os.write(file.fileno(), b"x" * piece)

        try:
            go_through(service, fill, filler.unlink, size=5000)
        finally:
            service.kill()


def test_a_disk_that_becomes_read_only(service: WithErrors) -> None:
    """As a disk with errors does; remounted writable, processing resumes."""
    with mounted(service.base / "archive", "1m") as disk:

        def remount(how: str) -> None:
            subprocess.run(["mount", "-o", f"remount,{how}", disk], check=True)

        try:
            go_through(service, lambda: remount("ro"), lambda: remount("rw"))
        finally:
            service.kill()


def test_an_inbox_on_a_mount_that_blinks(service: WithErrors) -> None:
    """The mount of the inbox goes and comes back three times; scans claimed meanwhile are taken up again."""
    disk = service.base / "disk"
    service.inbox.rename(disk)
    sent: dict[str, int] = {}
    with mounted(service.inbox, "64k"):  # skips without the right to mount
        pass
    try:
        for numbers in (range(50), range(50, 100), range(100, 150)):
            subprocess.run(["mount", "--bind", disk, service.inbox], check=True)
            if service.process is None:
                service.start()
            sent |= put(service, numbers)
            until(lambda some=numbers.start + 5: len(service.files("archive")) > some, "some of the scans")
            subprocess.run(["umount", "-l", service.inbox], check=True)
        subprocess.run(["mount", "--bind", disk, service.inbox], check=True)
        until(lambda: is_done(service, sent), "all scans")
        assert service.stop() == 0
        account(service, sent).check()
    finally:
        subprocess.run(["umount", "-l", service.inbox], check=False)


def test_an_inbox_that_is_a_link_turned_round(service: WithErrors) -> None:
    """Scans claimed in the old folder are finished there; those of the new one are taken."""
    first, second = service.base / "first", service.base / "second"
    service.inbox.rename(first)
    second.mkdir()
    service.inbox.symlink_to(first)
    service.start()
    sent = put(service, range(100))
    until(lambda: service.files("archive"), "some of the scans")
    (service.base / "turned").symlink_to(second)
    (service.base / "turned").rename(service.inbox)
    put(service, range(100, 110))
    until(lambda: len(list(second.glob("*.png"))) == 0, "the scans of the new folder")
    for folder in (first, second):
        until(lambda home=folder / ".digitwatch": not any(home.rglob("*.png")), "the claimed scans")

    assert not service.lines().count("no longer among")
    assert len(service.files("archive")) + len(list(first.glob("*.png"))) == len(sent) + 10


def test_a_log_that_is_a_folder_or_read_only(service: WithErrors) -> None:
    """No row can be written: nothing is filed and nothing fails until that is corrected."""
    path = service.base / "predictions.csv"

    def spoil() -> None:
        path.rename(service.base / "kept.csv")
        path.mkdir()

    def mend() -> None:
        path.rmdir()
        (service.base / "kept.csv").rename(path)

    go_through(service, spoil, mend)
