"""A running daemon takes a taught model over, and goes back, without a restart."""

import json
import shutil
import signal
from importlib.resources import files
from pathlib import Path

from service import Service, scan, until

from digitwatch.cli.main import main
from digitwatch.models import registry


def save(stem: Path) -> None:
    """Write a copy of a bundled model that has another hash: a byte behind the end of a .tflite is not read."""
    for ending in (".tflite", ".json"):
        shutil.copy(str(files("digitwatch.models") / f"dense{ending}"), stem.with_name(stem.name + ending))
    with stem.with_name(f"{stem.name}.tflite").open("ab") as file:
        file.write(b"\0")
    path = stem.with_name(f"{stem.name}.json")
    card = json.loads(path.read_text())
    path.write_text(json.dumps({name: value for name, value in card.items() if name != "sha256"}))


def test_sighup_reloads_the_model(tmp_path: Path) -> None:
    """The rows name the model that read each scan; a bad one changes nothing and is logged."""
    with Service(tmp_path, "taught: taught\n") as service:

        def reads(name: str) -> str:
            (service.inbox / name).write_bytes(scan())
            until(lambda: any(row["file"] == name for row in service.rows()), name)
            return next(row["model"] for row in service.rows() if row["file"] == name)

        def reload(words: str) -> None:
            count = service.lines().count(words)
            service.signal(signal.SIGHUP)
            until(lambda: service.lines().count(words) > count, words)

        assert reads("a.png").startswith("dense-")
        registry.install(tmp_path / "taught", "dense", save)
        reload("has replaced dense-")
        assert reads("b.png").startswith("dense-taught-1-")
        bad = registry.install(tmp_path / "taught", "dense", save)
        bad.with_name(f"{bad.name}.tflite").write_bytes(b"no model")
        reload("cannot be used, dense-taught-1-")
        assert reads("c.png").startswith("dense-taught-1-")
        for _ in range(2):
            assert main(["-c", str(service.config), "train", "--rollback"]) == 0
        reload("has replaced dense-taught-1-")
        assert reads("d.png").startswith("dense-")
        (tmp_path / "taught" / registry.HISTORY).write_text(json.dumps({"dense": 7}))
        reload("cannot be used, dense-")
        assert service.stop() == 0
