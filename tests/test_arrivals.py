"""Arrivals in the inbox: unusual names and entries, and many at once; none is lost or read wrongly."""

import contextlib
import hashlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from accounts import account, tiny
from service import Service, Small, until

NAMES = [
    b"x" * 251 + b".png",
    "é".encode() * 125 + b".png",
    "\U0001f600".encode() * 62 + b".png",
    b"\xe9" * 251 + b".png",
    b"caf\xe9.png",
    b"two\nlines.png",
    b"\r\t\x01\x7f.png",
    b"-rf.png",
    b"=1+1.png",
    b"@SUM(A1).png",
    b'quo"te, com,ma.png',
    b"quo'te $(touch x) `y`.png",
    "\u202egnp.exe.png".encode(),
    "שלום-سلام.png".encode(),
    b"%s%n{0}.png",
    b"a\\x0ab.png",
    b"no ending",
    b"..png",
    b"con.png~2.png",
    b"[a-z]*?.png",
]


def test_unusual_names(tmp_path: Path) -> None:
    """Names of 255 bytes, not UTF-8, with line ends, like options, like formulas: all are read and filed."""
    sent = {}
    with Service(tmp_path) as service:
        for number, name in enumerate(NAMES):
            data = tiny(number)
            (service.inbox / os.fsdecode(name)).write_bytes(data)
            sent[hashlib.sha256(data).hexdigest()] = 1
        left = ["..png"]  # hidden
        until(lambda: [p.name for p in service.files("inbox")] == left, "an inbox with the hidden file only")
        rows = service.rows()
        (service.inbox / "..png").rename(service.inbox / "now.png")
        service.await_rows(len(NAMES))
        assert service.stop() == 0

    assert len(rows) == len(NAMES) - 1
    assert {p.name for p in service.files("archive")} >= {os.fsdecode(name) for name in NAMES if name != b"..png"}
    assert all(row["file"].isprintable() and row["file"][0] not in "=+-@" for row in rows)
    assert {row["sha256"] for row in service.rows()} == set(sent)


def test_entries_that_are_no_files(tmp_path: Path) -> None:
    """Links, pipes, sockets and folders are left where they are, each mentioned once, and hinder nobody."""
    with Service(tmp_path) as service, socket.socket(socket.AF_UNIX) as listener:
        (service.inbox / "link.png").symlink_to("/etc/passwd")
        os.mkfifo(service.inbox / "pipe.png")
        here = os.open(service.inbox, os.O_RDONLY)
        listener.bind(f"/proc/self/fd/{here}/socket.png")  # the name of a socket may not be long
        (service.inbox / "folder").mkdir()
        (service.inbox / "folder" / "inside.png").write_bytes(tiny(1))
        (service.inbox / "empty.png").touch()
        with contextlib.suppress(PermissionError):
            os.mknod(service.inbox / "device.png", 0o20666, os.makedev(1, 5))  # /dev/zero: without end
        (service.inbox / "good.png").write_bytes(tiny(2))
        until(lambda: len(service.rows()) == 2, "the good scan and the empty one")
        until(lambda: not (service.inbox / "empty.png").exists(), "its filing")
        lines = service.lines()
        os.close(here)

    assert {row["file"]: row["status"] for row in service.rows()} == {"good.png": "empty", "empty.png": "failed"}
    left = {p.name for p in service.inbox.iterdir()} - {".digitwatch", "device.png"}
    assert left == {"link.png", "pipe.png", "socket.png", "folder"}
    assert (service.inbox / "folder" / "inside.png").exists()
    assert all(lines.count(f"/{name} ") == 1 for name in ("link.png", "pipe.png", "socket.png", "folder"))


def test_equal_scans_of_one_name_are_several_scans(tmp_path: Path) -> None:
    """The same blank form under the same name, five times: five rows, five pictures, five originals."""
    with Service(tmp_path) as service:
        for number in range(1, 6):
            (tmp_path / "new").write_bytes(tiny(1))
            (tmp_path / "new").rename(service.inbox / "SCN_0001.png")
            service.await_rows(number)

    assert [len(service.files(folder)) for folder in ("archive", "outbox")] == [5, 5]
    assert len({row["id"] for row in service.rows()}) == 5


@pytest.mark.proof
def test_sixty_thousand_files_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four writers overflow the queue of events while the daemon is held up; that alone makes it list again."""
    monkeypatch.setenv("SMALL_WATCH", "auto")
    monkeypatch.setenv("SMALL_RESCAN", "86400")
    number = int(os.environ.get("FLOOD", "60000"))
    code = (
        "import sys; from pathlib import Path\n"
        "for n in range(int(sys.argv[2]), int(sys.argv[3]), 4):\n"
        "    (Path(sys.argv[1]) / f'{n}.png').write_bytes(b'x\\1%d' % n)"
    )
    with Small(tmp_path) as service:
        command = [sys.executable, "-c", code, str(service.inbox)]
        service.signal(signal.SIGSTOP)  # as on a busy machine: nobody takes the events away
        writers = [subprocess.Popen([*command, str(start), str(number)]) for start in range(4)]
        assert [writer.wait() for writer in writers] == [0] * 4
        service.signal(signal.SIGCONT)
        until(lambda: not _has_scans(service.inbox), "an empty inbox", 7200)
        until(lambda: not service.files("inbox"), "an empty inbox")
        overflows = service.lines().count("more came at once")
        assert service.stop() == 0
    print(f"\n{overflows} overflows told")
    assert overflows or number < 8_000  # the queue holds 16,384 events, and each file makes three
    account(service, {hashlib.sha256(b"x\1%d" % n).hexdigest(): 1 for n in range(number)}).check()


def _has_scans(inbox: Path) -> bool:
    """Return whether a scan waits, without listing all of them."""
    with os.scandir(inbox) as entries:
        return any(entry.name.endswith(".png") for entry in entries)
