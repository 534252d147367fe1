"""The log under external changes: rotated by the real logrotate, deleted, read-only, ten million rows long."""

import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from accounts import account
from service import Small, until

from digitwatch.spool.csv_rows import HEADER
from digitwatch.spool.prediction_log import PredictionLog


def put(service: Small, numbers: range) -> dict[str, int]:
    """Put scans of one page into the inbox."""
    sent = {}
    for number in numbers:
        data = b"x\1" + str(number).encode()
        (service.inbox / f"{number}.png").write_bytes(data)
        sent[hashlib.sha256(data).hexdigest()] = 1
    return sent


def rotate(service: Small, how: str = "nocreate") -> None:
    """Rotate the log with the real program, as the shipped file does."""
    rules = service.base / "rotate.conf"
    rules.write_text(f"{service.base}/predictions.csv {{\n rotate 50\n nocompress\n {how}\n missingok\n}}\n")
    rules.chmod(0o644)
    os.chmod(service.base, 0o755)
    subprocess.run(["/usr/sbin/logrotate", "-f", "-s", service.base / "state", rules], check=True)


def test_rotated_under_load(tmp_path: Path) -> None:
    """Rotated ten times while scans come in, by logrotate itself: each scan has its row in exactly one file."""
    if not Path("/usr/sbin/logrotate").exists():
        pytest.skip("needs logrotate")
    with Small(tmp_path) as service:
        sent = put(service, range(200))
        for _ in range(10):
            before = len(service.files("archive"))
            until(lambda seen=before: len(service.files("archive")) >= min(200, seen + 10), "some scans")
            rotate(service)
        until(lambda: len(service.files("archive")) == 200, "all scans")
        until(lambda: not service.files("inbox"), "an empty inbox")
        assert service.stop() == 0
    account(service, sent).check()
    assert len(list(tmp_path.glob("predictions.csv.*"))) > 3


def test_copied_and_truncated_under_load(tmp_path: Path) -> None:
    """`copytruncate` loses the rows between its copy and its cut, and nothing else: no scan, no line, none twice."""
    if not Path("/usr/sbin/logrotate").exists():
        pytest.skip("needs logrotate")
    before: set[str] = set()
    with Small(tmp_path) as service:
        sent = put(service, range(400))
        for _ in range(10):
            enough = min(400, len(service.files("archive")) + 20)
            until(lambda n=enough: len(service.files("archive")) >= n, "some scans")
            before |= {row["sha256"] for row in service.rows()}
            rotate(service, "copytruncate")
        until(lambda: len(service.files("archive")) == 400 and not service.files("inbox"), "all scans")
        assert service.stop() == 0
    done = account(service, sent)
    lost = set(done.lost)
    print(f"\n10 rotations, {len(lost)} of 400 scans without a row, {done.doubled} doubled")

    assert (done.archived, done.failed, done.doubled) == (400, 0, [])
    assert len(before) > 10 and not lost & before  # what was there when it began to copy is in the copy
    assert all(path.read_text().startswith(HEADER) for path in tmp_path.glob("predictions.csv*"))


def test_deleted_under_load(tmp_path: Path) -> None:
    """After `rm predictions.csv` a new log begins with a header; what is filed later has its rows there."""
    with Small(tmp_path) as service:
        put(service, range(20))
        until(lambda: len(service.files("archive")) == 20, "the first scans")
        (tmp_path / "predictions.csv").unlink()
        put(service, range(20, 40))
        until(lambda: len(service.files("archive")) == 40, "all scans")
    assert (tmp_path / "predictions.csv").read_text().startswith(HEADER)
    assert len(service.rows()) == 20


def test_tail_sees_every_row(tmp_path: Path) -> None:
    """`tail -F` on the log shows each row once, in order, through a rotation."""
    with Small(tmp_path) as service, (tmp_path / "seen").open("wb") as seen:
        (tmp_path / "predictions.csv").write_text(HEADER)
        command = ["tail", "-n", "+1", "-F", "--sleep-interval=0.1", str(tmp_path / "predictions.csv")]
        with subprocess.Popen(command, stdout=seen, stderr=subprocess.DEVNULL) as tail:
            try:
                for start in (0, 30):
                    put(service, range(start, start + 30))
                    enough = start + 30
                    until(lambda n=enough: (tmp_path / "seen").read_bytes().count(b".png,1,") == n, "the rows")
                    (tmp_path / "predictions.csv").rename(tmp_path / f"predictions.csv.{start}")
            finally:
                tail.terminate()


@pytest.mark.proof
def test_ten_million_rows_are_not_read_at_the_start(tmp_path: Path) -> None:
    """Repair and look-up take the end of a log of ten million rows, in far less than a second and little memory."""
    log = PredictionLog(tmp_path / "predictions.csv")
    line = b"2026-11-22T10:00:00.000Z,a.png,1,7,0.9990,ok,,7:0.999,20261122T100000.000Z-%08x,sha,o,f,cnn-1,12\n"
    if shutil.disk_usage(tmp_path).free < 3 << 30:
        pytest.skip("needs 3 GB")
    with log.path.open("wb") as file:
        file.write(HEADER.encode())
        for start in range(0, 10_000_000, 100_000):
            file.write(b"".join(line % number for number in range(start, start + 100_000)))
        os.fsync(file.fileno())
    before = time.monotonic()
    assert log.repair() == 0
    repaired = time.monotonic() - before
    assert log.find([f"20261122T100000.000Z-{9_999_999:08x}"])
    print(f"\nrepair {repaired:.3f} s, look-up {time.monotonic() - before - repaired:.3f} s")
    log.path.unlink()
    assert repaired < 1
