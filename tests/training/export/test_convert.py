"""A user's .keras file that cannot be converted is refused with one sentence."""

import zipfile
from pathlib import Path

import pytest

pytest.importorskip("tensorflow")

import keras

from digitwatch.training.export.tflite import ExportError, convert


def test_files_that_keras_chokes_on_in_its_own_ways(tmp_path: Path) -> None:
    """No zip, a zip of nothing, a zip whose parts are no JSON."""
    (tmp_path / "a.keras").write_bytes(b"no zip")
    with zipfile.ZipFile(tmp_path / "b.keras", "w"):
        pass
    with zipfile.ZipFile(tmp_path / "c.keras", "w") as archive:
        for name in ("metadata.json", "config.json", "model.weights.h5"):
            archive.writestr(name, "{")

    for name in "abc":
        with pytest.raises(ExportError, match="expected a model saved by Keras 3"):
            convert(tmp_path / f"{name}.keras", tmp_path / "out")
    assert not (tmp_path / "out.tflite").exists()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_several_inputs_or_outputs_are_refused(tmp_path: Path) -> None:
    """A model of digits has one of each."""
    one, two = keras.Input((28, 28, 1)), keras.Input((28, 28, 1))
    flat = keras.layers.Flatten()(one)
    keras.Model(one, [keras.layers.Dense(10)(flat), keras.layers.Dense(11)(flat)]).save(tmp_path / "out2.keras")
    keras.Model([one, two], keras.layers.Dense(10)(keras.layers.Flatten()(one + two))).save(tmp_path / "in2.keras")

    with pytest.raises(ExportError, match="expected 10 outputs"):
        convert(tmp_path / "out2.keras", tmp_path / "out")
    with pytest.raises(ExportError, match="expected a model of 28x28 images"):
        convert(tmp_path / "in2.keras", tmp_path / "out")
