"""Long proofs on real data and real processes; run them with `pytest -m proof`."""

import csv
import hashlib
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import cv2
import numpy as np
import pytest
from service import Service, until

pytestmark = pytest.mark.proof


def read_batch(scans: Path, out: Path) -> list[dict[str, str]]:
    """Read a folder with the default model; return the rows."""
    command = [sys.executable, "-m", "digitwatch", "--batch", str(scans), "--out", str(out)]
    subprocess.run(command, check=False, timeout=3000, cwd=out.parent)
    with (out / "predictions.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_mnist_as_files_is_read_as_well_as_as_arrays(shared: Path, tmp_path: Path) -> None:
    """10,000 MNIST test pictures written as PNG lose at most 0.3 points on their way through files."""
    with np.load(shared / "mnist.npz") as data:
        pictures, labels = data["x_test"], data["y_test"]
    (tmp_path / "scans").mkdir()
    for number, picture in enumerate(pictures):
        cv2.imwrite(str(tmp_path / "scans" / f"{number:05}.png"), picture)
    rows = read_batch(tmp_path / "scans", tmp_path / "out")
    through_files = np.mean([row["prediction"] == str(label) for row, label in zip(rows, labels, strict=True)])

    from digitwatch.recognition.reader import Reader

    classify = Reader()._classifier
    answers = np.concatenate([classify(pictures[i : i + 500]).argmax(1) for i in range(0, 10_000, 500)])
    as_arrays = np.mean(answers == labels)
    print(f"\nas arrays {as_arrays:.2%}, through files {through_files:.2%}")
    assert through_files >= as_arrays - 0.003


def _arrivals(service: Service, outside: Path) -> list[str]:
    """Bring 200 real scans into the inbox in five ways, 40 each; return their digests."""
    digests = []
    for number, source in enumerate(sorted(outside.iterdir())):
        data = source.read_bytes()
        digests.append(hashlib.sha256(data).hexdigest())
        target = service.inbox / source.name
        match number % 5:
            case 0:
                shutil.copyfile(source, target)
            case 1:
                source.rename(target)
            case 2:
                os.link(source, target)
            case 3:
                target.with_name(target.name + ".part").write_bytes(data)
                target.with_name(target.name + ".part").rename(target)
            case 4:
                with target.open("wb", buffering=0) as file:
                    for piece in _pieces(data):
                        file.write(piece)
                        os.fsync(file.fileno())
    return digests


def _pieces(data: bytes) -> list[bytes]:
    size = max(1, len(data) // 20)
    return [data[start : start + size] for start in range(0, len(data), size)]


def test_200_real_scans_arrive_in_five_ways(shared: Path, tmp_path: Path) -> None:
    """Copied, moved, linked, renamed and slowly written: 200 rows, 200 originals byte for byte, nothing left."""
    outside = tmp_path / "outside"
    outside.mkdir()
    sources = sorted((shared / "scans").rglob("*.*"), key=lambda p: p.stat().st_size)[:200]
    for number, source in enumerate(sources):
        shutil.copyfile(source, outside / f"{number:03}{source.suffix}")
    with Service(tmp_path, "") as service:
        digests = _arrivals(service, outside)
        rows = service.await_rows(200)
        archived = [hashlib.sha256(p.read_bytes()).hexdigest() for p in service.files("archive")]

    assert sorted(archived) == sorted(digests)
    assert sorted(row["sha256"] for row in rows) == sorted(digests)
    assert len({row["id"] for row in rows}) == 200
    assert service.files("inbox") == []


def test_damaged_and_hostile_files_are_filed(shared: Path, tmp_path: Path) -> None:
    """Every file of the formats collection ends in archive or failed; every labelled one is read right."""
    sources = [p for folder in ("good", "made", "bad") for p in sorted((shared / "formats" / folder).iterdir())]
    with (shared / "formats" / "index.csv").open(newline="") as file:
        labels = {Path(row["file"]).name: row["label"] for row in csv.DictReader(file) if row["class"] == "made"}
    with Service(tmp_path, "limits: {seconds: 60}\n") as service:
        service.stop()
        service.config.write_text(service.config.read_text().replace("model: dense", "model: cnn"))
        service.start()
        for source in sources:
            shutil.copyfile(source, service.inbox / source.name)
        until(lambda: not service.files("inbox"), "an empty inbox", 600)
        rows = {row["file"]: row for row in service.rows()}
        ended = service.files("archive") + [p for p in service.files("failed") if not p.name.endswith(".reason.txt")]

    print(Counter(row["status"] for row in rows.values()))
    assert len(ended) == len(rows) == len(sources)
    wrong = {n: (rows[n]["prediction"], rows[n]["reason"]) for n, t in labels.items() if rows[n]["prediction"] != t}
    assert set(wrong) <= {name for name in labels if name.endswith(".pdf")}, wrong
