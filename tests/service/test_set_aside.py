"""One scan's error does not stop the others: repeated with the real daemon on real folders."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from zlib import crc32

import pytest
from disks import other_filesystem
from service import Service, scan, until

from digitwatch.diagnostics.check_inbox import waiting

GIB = 1 << 30


def read_others(service: Service, number: int = 3) -> None:
    """Bring scans and wait until they are read."""
    before = len(service.rows())
    for at in range(number):
        (service.inbox / f"good{at}.png").write_bytes(scan())
    until(lambda: len(service.rows()) >= before + number, "the other scans are read")
    assert "paused:" not in service.lines()


def test_a_file_larger_than_the_memory_is_rejected_unread(tmp_path: Path) -> None:
    """300 GB: it is refused by its size, and the others are read while its SHA-256 is computed."""
    with Service(tmp_path) as service:
        with (service.inbox / ".big.tmp").open("wb") as file:
            file.truncate(300 * GIB)
        (service.inbox / ".big.tmp").rename(service.inbox / "big.png")
        until(lambda: not (service.inbox / "big.png").exists(), "the large file is claimed")
        read_others(service)
        assert service.stop() == 0

        assert (service.inbox / "big.png").stat().st_size == 300 * GIB  # given back: not recorded yet


def test_a_large_file_fails_with_its_size_and_digest(tmp_path: Path) -> None:
    """The row has the reason and the SHA-256 that the completion thread computed."""
    with Service(tmp_path, "limits: {memory: 1 GB}\n") as service:
        with (service.inbox / ".big.tmp").open("wb") as file:
            file.truncate(600_000_000)
        (service.inbox / ".big.tmp").rename(service.inbox / "big.png")
        [row] = service.await_rows(1)

    assert row["status"] == "failed" and len(row["sha256"]) == 64
    assert "600,000,000 bytes; the limit is 500,000,000" in row["reason"]


UNPRIVILEGED = ("setpriv", "--inh-caps=-all", "--bounding-set=-all")
"""What makes a daemon of root one that may not read the files of others."""


def bring_closed(service: Service, name: str, data: bytes) -> None:
    """Let a member of the group bring a scan and take the right to read it away while the daemon waits for more."""
    scratch = service.inbox / f".{name}.tmp"
    scratch.write_bytes(data)
    os.chown(scratch, 65534, 65534)
    scratch.rename(service.inbox / name)
    read_others(service, 1)  # events come in order: the daemon has seen the scan, and could have read it
    (service.inbox / name).chmod(0)


def unprivileged(base: Path) -> Service:
    """Return a daemon that waits three seconds for files that do not look complete."""
    if os.geteuid() or shutil.which("setpriv") is None:
        pytest.skip("needs root, to be somebody else, and setpriv")
    service = Service(base).unstarted()
    service.config.write_text(service.config.read_text().replace("settle: 0.3", "settle: 3"))
    return service


def test_a_scan_closed_after_the_copy_waits_alone(tmp_path: Path) -> None:
    """chmod 000 while it settles: it stays in the inbox, over a new start too, and is read once it is open again."""
    with unprivileged(tmp_path) as service:
        service.start(prefix=UNPRIVILEGED)
        bring_closed(service, "x.png", scan()[:-20])
        until(lambda: "x.png may not be read" in service.lines(), "it is said")
        read_others(service)
        assert service.stop() == 0
        assert (service.inbox / "x.png").exists()
        service.start(prefix=UNPRIVILEGED)
        read_others(service)
        (service.inbox / "x.png").chmod(0o644)
        until(lambda: any(row["file"] == "x.png" for row in service.rows()), "the scan is read")


def test_a_closed_scan_among_the_claims_stops_no_start(tmp_path: Path) -> None:
    """A kill -9 left it claimed, and its owner has closed it: each of two starts reads the other scans."""
    claimed = tmp_path / "inbox/.digitwatch/20261122T000001.000Z-00000000/x.tif"
    with unprivileged(tmp_path) as service:
        claimed.parent.mkdir(parents=True)
        claimed.write_bytes(scan(ending=".tif"))
        os.chown(claimed, 65534, 65534)
        claimed.chmod(0)
        for _ in range(2):
            service.start(prefix=UNPRIVILEGED)
            until((service.inbox / "x.tif").exists, "the scan is given back")
            read_others(service)
            service.kill()
        assert "x.tif" in service.lines() and "x.tif" not in {row["file"] for row in service.rows()}


def keep_writing(path: Path, log: Path) -> "subprocess.Popen[bytes]":
    """Hold a file open and, from the moment that its name is in the log, write to it again and again."""
    code = (
        "import os, sys, time\nf = os.open(sys.argv[1], os.O_RDWR)\nprint(flush=True)\n"
        "while not os.path.exists(sys.argv[2]) or b'x.png' not in open(sys.argv[2], 'rb').read(): time.sleep(0.001)\n"
        "while True: os.pwrite(f, b'B', 1000); time.sleep(0.0005)\n"
    )
    writer = subprocess.Popen([sys.executable, "-c", code, str(path), str(log)], stdout=subprocess.PIPE)
    assert writer.stdout is not None and writer.stdout.readline()
    return writer


def test_a_recorded_scan_that_is_written_to_waits_alone(tmp_path: Path) -> None:
    """With the archive on another disk, what changes while it is copied is copied again later; others are filed."""
    far = other_filesystem(tmp_path)
    (tmp_path / "archive").symlink_to(far)
    image = scan()
    chunk = b"\x04\0\0\0prVt" + bytes(1 << 26)  # 64 MB, so that the copy takes a while
    with Service(tmp_path) as service:
        (service.inbox / ".x.tmp").write_bytes(image[:33] + chunk + crc32(chunk[4:]).to_bytes(4, "big") + image[33:])
        writer = keep_writing(service.inbox / ".x.tmp", tmp_path / "predictions.csv")
        try:
            (service.inbox / ".x.tmp").rename(service.inbox / "x.png")
            until(lambda: "x.png is set aside" in service.lines(), "the scan is set aside")
            read_others(service)
            until(lambda: len(list(far.rglob("good*.png"))) == 3, "the others are filed")
        finally:
            writer.kill()
            writer.communicate()
        until(lambda: not service.files("inbox"), "the scan is filed")
        [filed] = far.rglob("x.png")
        assert filed.stat().st_size == len(image) + len(chunk) + 4
        assert service.lines().count("x.png is set aside") == 1 and len(service.rows()) == 4


def hold_lease(path: Path) -> "subprocess.Popen[bytes]":
    """Hold a write lease on a file, and take it again whenever it is broken."""
    code = (
        "import fcntl, os, signal, sys, time\nsignal.signal(signal.SIGIO, signal.SIG_IGN)\n"
        "f = os.open(sys.argv[1], os.O_RDWR)\n"
        "fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)\nprint(flush=True)\n"
        "while True:\n try:\n  if fcntl.fcntl(f, fcntl.F_GETLEASE) == fcntl.F_UNLCK:\n"
        "   fcntl.fcntl(f, fcntl.F_SETLEASE, fcntl.F_WRLCK)\n except OSError: pass\n time.sleep(0.002)\n"
    )
    holder = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdout.readline()
    return holder


@pytest.mark.skipif(not hasattr(fcntl, "F_SETLEASE"), reason="needs Linux")
def test_a_scan_under_a_write_lease_waits_alone(tmp_path: Path) -> None:
    """It goes back to the inbox, is said once and tried again; it is read when the lease has gone."""
    with Service(tmp_path) as service:
        (service.inbox / ".x.tmp").write_bytes(scan())
        holder = hold_lease(service.inbox / ".x.tmp")
        try:
            (service.inbox / ".x.tmp").rename(service.inbox / "x.png")
            until(lambda: "x.png is set aside" in service.lines(), "the scan is set aside")
            read_others(service)
            assert any("x.png" in str(finding) for finding in waiting(service.inbox, False))
        finally:
            os.kill(holder.pid, signal.SIGKILL)
            holder.communicate()
        service.await_rows(4)
        assert service.lines().count("x.png is set aside") == 1


def test_a_file_in_place_of_a_folder_delays_no_other_scan(tmp_path: Path) -> None:
    """A folder named like a scan of the same day: its scan is filed beside that one, under both names."""
    with Service(tmp_path, "recursive: true\n") as service:
        (service.inbox / "meter").write_bytes(scan())
        service.await_rows(1)
        (service.inbox / "meter").mkdir()
        (service.inbox / "meter" / "b.png").write_bytes(scan())
        service.await_rows(2)
        until(lambda: len(list((tmp_path / "archive").rglob("*.*"))) == 1, "the scan is filed")

        [filed] = (tmp_path / "archive").rglob("*.*")
        assert filed.name.endswith("meter~b.png")


def test_a_path_too_long_for_a_claim_delays_no_other_scan(tmp_path: Path) -> None:
    """A path that fits in the inbox and not below the longer one of the claims is left there, and said."""
    with Service(tmp_path, "recursive: true\n") as service:
        code = (
            "import os, sys\nos.chdir(sys.argv[1])\nleft = 4085 - len(sys.argv[1]) - 1\n"
            "while left > 260: os.mkdir('d' * 250); os.chdir('d' * 250); left -= 251\n"
            "open('a' * (left - 4) + '.png', 'wb').write(sys.stdin.buffer.read())\n"
        )
        subprocess.run([sys.executable, "-c", code, str(service.inbox)], input=scan(), check=True)
        until(lambda: "cannot be taken out of its folder" in service.lines(), "the scan is left")
        read_others(service)


def test_folders_nested_too_deep_are_left_alone(tmp_path: Path) -> None:
    """Six hundred levels end neither a running daemon nor the next start."""
    with Service(tmp_path, "recursive: true\n") as service:
        code = "import os, sys\nos.chdir(sys.argv[1])\nfor _ in range(600): os.mkdir('d'); os.chdir('d')\n"
        subprocess.run([sys.executable, "-c", code, str(service.inbox)], check=True)
        until(lambda: "more than 64 folders" in service.lines(), "the folders are left alone")
        read_others(service)
        assert service.stop() == 0
        service.start()
        read_others(service)
        assert list(waiting(service.inbox, True))
        assert len(service.lines()) < 10_000  # the library would warn once a folder, with the list of all of them
