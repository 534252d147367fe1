"""A long run: the counts right, and nothing that grows."""

import hashlib
import os
from pathlib import Path

import pytest
from accounts import account, family, tiny
from service import Service, until

pytestmark = pytest.mark.proof

SCANS = int(os.environ.get("SOAK_SCANS", "20000"))
WAVE = 500


def measure(service: Service) -> dict[str, int]:
    """Return what could grow: memory of its own (kB), open files, threads and processes of the whole family."""
    assert service.process is not None
    below = family(service.process.pid)
    pids = [service.process.pid, *below["children"], *below["workers"]]
    figures = {"processes": len(pids), "memory": 0, "files": 0, "threads": 0}
    for pid in pids:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        figures["memory"] += sum(int(line.split()[1]) for line in lines if line.startswith("Private_"))
        figures["files"] += len(os.listdir(f"/proc/{pid}/fd"))
        figures["threads"] += len(os.listdir(f"/proc/{pid}/task"))
    return figures


def test_twenty_thousand_scans(tmp_path: Path) -> None:
    """20,000 scans in waves: one row, picture and original each; memory, files, threads and processes flat."""
    sent: dict[str, int] = {}
    measured = []
    with Service(tmp_path) as service:
        for start in range(0, SCANS, WAVE):
            for number in range(start, start + WAVE):
                (service.base / "scan").write_bytes(tiny(number))
                (service.base / "scan").rename(service.inbox / f"{number}.png")
                sent[hashlib.sha256(tiny(number)).hexdigest()] = 1
            until(lambda: not service.files("inbox"), "an empty inbox", 600)
            measured.append(measure(service))
        assert service.stop() == 0

    early, late = measured[3], measured[-1]
    print(f"\nafter {4 * WAVE} scans {early}, after {SCANS} {late}")
    account(service, sent).check()
    assert late["memory"] < 1.1 * early["memory"]
    assert {k: late[k] for k in ("processes", "files", "threads")} == {
        k: early[k] for k in ("processes", "files", "threads")
    }
