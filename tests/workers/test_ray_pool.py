"""Workers on a Ray cluster: the same rows and pictures as local ones, whatever of the cluster is lost."""

import json
import os
import queue
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import ray_cluster
from batches import batch, command, rows
from service import scan
from stand_in_ray import stand_in

from digitwatch.cli import factories
from digitwatch.cli.main import main
from digitwatch.config.settings import Settings
from digitwatch.service.batch import Batch
from digitwatch.spool.annotated_images import tag_of
from digitwatch.workers.messages import WorkerConfig
from digitwatch.workers.pool import WorkerError
from digitwatch.workers.ray_pool import STAGING, RayPool

STORM = Path(__file__).parents[1] / "support" / "ray_storm.py"
SCANS = int(os.environ.get("RAY_SCANS", "3000"))
FAULTS = int(os.environ.get("RAY_FAULTS", "8"))
FORMS = Path(__file__).parents[2] / "examples" / "forms"
TIMES = ("time", "elapsed_ms")


@pytest.fixture
def scans(tmp_path: Path) -> Path:
    """Return a folder of scans that were read by local workers, one of them damaged."""
    pytest.importorskip("ray", reason="needs the extra ray")
    scans = tmp_path / "scans"
    (scans / "sub").mkdir(parents=True)
    for number in range(40):
        (scans / f"{'sub/' * (number % 2)}{number:04}.png").write_bytes(scan(str(number)))
    (scans / "damaged.png").write_bytes(scan("7")[:200])
    batch(scans)
    return scans


def shown(out: Path) -> list[tuple[str, ...]]:
    """Return the rows of an output without their times, in their order."""
    return [tuple(value for name, value in row.items() if name not in TIMES) for row in rows(out)]


def check(out: Path, scans: Path) -> None:
    """Compare an output with that of local workers: rows, pictures, and that nothing else is left."""
    plain = scans.with_name("scans-digitwatch")
    pictures = [path for path in (out / "annotated").rglob("*") if path.is_file()]
    assert sorted(shown(out)) == sorted(shown(plain))
    assert {path.relative_to(out): path.read_bytes() for path in pictures} == {
        path.relative_to(plain): path.read_bytes() for path in (plain / "annotated").rglob("*") if path.is_file()
    }
    assert len({tag_of(path) for path in pictures}) == len(pictures)
    assert not (out / STAGING).exists()


@pytest.mark.proof
def test_a_cluster_reads_what_local_workers_read(scans: Path) -> None:
    """With --ray local: the same rows in the same order, and the same pictures."""
    out = scans.with_name("out")
    done = subprocess.run([*command(scans, "--out", str(out)), "--ray", "local"], check=False)

    assert done.returncode == 1  # a damaged scan
    assert shown(out) == shown(scans.with_name("scans-digitwatch"))
    check(out, scans)


def put_digits(shared: Path, scans: Path) -> None:
    """Write SCANS digits of MNIST, 28x28; every hundredth file is cut off."""
    scans.mkdir()
    data = np.load(shared / "mnist.npz")
    for number, digit in enumerate(np.concatenate([data["x_test"], data["x_train"]])[:SCANS]):
        png = cv2.imencode(".png", 255 - digit)[1].tobytes()
        (scans / f"{number:05}.png").write_bytes(png[: len(png) // 2] if number % 100 == 99 else png)


@pytest.mark.proof
@pytest.mark.skipif(not ray_cluster.is_possible(), reason="needs network namespaces: root, and ip")
def test_a_storm_loses_and_doubles_nothing(tmp_path: Path, shared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Workers, nodes and the driver are killed, nodes stopped and cut off: each scan has one row and one picture."""
    pytest.importorskip("ray", reason="needs the extra ray")
    scans, out = tmp_path / "scans", tmp_path / "out"
    put_digits(shared, scans)
    command(scans)
    arguments = [str(each) for each in (tmp_path / "config.yaml", scans, out, FAULTS, 6)]
    done = subprocess.run([sys.executable, STORM, *arguments], check=True, capture_output=True, text=True)
    result = json.loads(done.stdout.splitlines()[-1])
    with capsys.disabled():
        print(f"\n{SCANS} scans: {result}")

    assert result["code"] == 1  # damaged scans
    found = rows(out)
    assert [row["file"] for row in found] == sorted(path.name for path in scans.iterdir())
    pictures = [path for path in (out / "annotated").rglob("*") if path.is_file()]
    assert sorted(map(str, map(tag_of, pictures))) == sorted(f"{row['id']}/1" for row in found if row["annotated"])
    assert len(pictures) == SCANS - SCANS // 100
    assert not (out / STAGING).exists()
    waits = {kind: wait for kind, wait in result["waits"].items() if kind != "driver"}
    assert max(waits.values()) < 15


def test_form_templates_reach_the_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--forms` counts with --ray too, and nodes that do not see the folder are refused."""
    stand_in(monkeypatch, 1)
    work = Batch(tmp_path, tmp_path.with_name("out"))
    settings = Settings(model="dense", forms=FORMS)
    pool = factories.ray_pool(settings, "auto", work, (tmp_path, tmp_path.with_name("out")))

    assert pool._config.forms == FORMS
    assert FORMS in pool._shared_folders


def test_without_its_extra_a_cluster_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The message says what to install."""
    monkeypatch.setitem(sys.modules, "ray", None)
    (tmp_path / "scans").mkdir()

    assert main(["--batch", str(tmp_path / "scans"), "--ray", "local"]) == 2
    assert "digitwatch[ray]" in capsys.readouterr().err


def test_a_cluster_that_is_not_there_is_reported_at_once(tmp_path: Path) -> None:
    """The exit code asks for another try, and nothing is read."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    config = WorkerConfig("dense", None, 10**8, 4 * 10**9)
    calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
    pool = RayPool(f"127.0.0.1:{port}", config, (tmp_path, tmp_path), seconds=9, report=print, post=calls.put)

    with pytest.raises(WorkerError, match="cannot be reached"):
        pool.start()
    pool.stop()
