"""One scan's error does not stop the others: repeated with the real daemon on real folders."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
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
