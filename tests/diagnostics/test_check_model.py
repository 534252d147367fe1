"""`digitwatch check` and the model: missing, damaged, half there, or a .keras file that may or may not be converted."""

import shutil
import sys
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest

from digitwatch.diagnostics.check_model import model


def lines(named: Path | str, data: Path | None = None) -> str:
    """Return the lines about a model."""
    return "\n".join(map(str, model(named, data)))


def put(folder: Path, *endings: str) -> Path:
    """Copy files of a bundled model; return the stem."""
    for ending in endings:
        shutil.copy(str(files("digitwatch.models") / f"dense{ending}"), folder / f"mine{ending}")
    return folder / "mine"


def test_a_model_that_loads(tmp_path: Path) -> None:
    """A bundled model and one at a path."""
    assert lines("dense").startswith("ok    model: dense-")
    assert lines(put(tmp_path, ".tflite", ".json")).startswith("ok    model: mine-")


def test_a_damaged_model(tmp_path: Path) -> None:
    """A file that is no network, and a card that is none."""
    stem = put(tmp_path, ".tflite", ".json")
    (tmp_path / "mine.tflite").write_bytes(b"\0" * 1000)
    assert "is not the network of its card" in lines(stem)
    (tmp_path / "mine.json").write_text("{")
    assert "is not a model card" in lines(stem)


def test_an_incomplete_model_is_not_replaced(tmp_path: Path) -> None:
    """A network without its card is not replaced."""
    assert lines(put(tmp_path, ".tflite")).startswith("FAIL  model: ")
    assert "has no card mine.json" in lines(tmp_path / "mine.tflite")


def test_a_missing_model_without_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that only reads cannot train."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    (tmp_path / "mine.keras").touch()

    assert "pip install 'digitwatch[train]'" in lines(tmp_path / "mine")
    assert "pip install 'digitwatch[train]'" in lines(tmp_path / "mine.keras")


def test_a_missing_model_that_would_be_trained(tmp_path: Path) -> None:
    """The start would train it, which takes its time; from data that are not there it would not."""
    pytest.importorskip("tensorflow")

    assert lines(tmp_path / "mine").startswith("note")
    assert "gone.npz, which does not exist" in lines(tmp_path / "mine", tmp_path / "gone.npz")


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_keras_model(tmp_path: Path) -> None:
    """It is converted on trial, and nothing is left of that; what is no model of digits is named."""
    keras = pytest.importorskip("keras")
    layers = [keras.Input((28, 28, 1)), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    keras.Sequential(layers).save(tmp_path / "mine.keras")
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as other:
        other.writestr("letter.txt", "Dear sirs,")
    (tmp_path / "damaged.keras").write_bytes(b"PK\3\4")

    assert "a trial succeeded" in lines(tmp_path / "mine.keras")
    assert "expected a model saved by Keras 3" in lines(tmp_path / "other.keras")
    assert "expected a model saved by Keras 3" in lines(tmp_path / "damaged.keras")
    assert "does not exist" in lines(tmp_path / "gone.keras")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["damaged.keras", "mine.keras", "other.keras"]
