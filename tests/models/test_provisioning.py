"""The model that config.yaml names: found, converted, or refused with what to do."""

import shutil
import sys
from importlib.resources import files
from pathlib import Path

import pytest

from digitwatch.config.settings import Training
from digitwatch.models.provisioning import NoModelError, provide


def test_a_bundled_model_is_taken_by_its_name() -> None:
    """`cnn` needs nothing."""
    assert provide("cnn", Training(), print) == "cnn"


@pytest.mark.parametrize("ending", ["", ".tflite"])
def test_a_model_that_exists_is_taken_as_it_is(tmp_path: Path, ending: str) -> None:
    """A path works with and without its ending."""
    for suffix in (".tflite", ".json"):
        shutil.copy(str(files("digitwatch.models") / f"dense{suffix}"), tmp_path / f"mine{suffix}")

    assert provide(tmp_path / f"mine{ending}", Training(), print) == tmp_path / "mine"


def test_without_tensorflow_the_message_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing model on a machine without TensorFlow is an error of one line."""
    monkeypatch.setitem(sys.modules, "tensorflow", None)

    with pytest.raises(NoModelError, match=r"pip install 'digitwatch\[train\]'"):
        provide(tmp_path / "absent", Training(), print)


def test_a_model_is_trained_once(tmp_path: Path) -> None:
    """A model that does not exist is trained from the named data, saved, and found the next time."""
    pytest.importorskip("tensorflow")
    import numpy as np

    pixels = np.random.default_rng(0).integers(0, 255, (40, 28, 28), np.uint8)
    labels = np.arange(40, dtype=np.uint8) % 10
    np.savez(tmp_path / "few.npz", x_train=pixels, y_train=labels, x_test=pixels, y_test=labels)
    training = Training(architecture="dense", data=tmp_path / "few.npz", epochs=1, seed=1)
    said: list[str] = []
    before = set(sys.modules)

    assert provide(tmp_path / "mine", training, said.append) == tmp_path / "mine"
    assert any(line.startswith("epoch 1 of 1 done") for line in said)
    assert "tensorflow" not in sys.modules or "tensorflow" in before  # it ended with the process that trained
    assert provide(tmp_path / "mine", training, pytest.fail) == tmp_path / "mine"


def test_bad_training_data_is_reported(tmp_path: Path) -> None:
    """A wrong data file is a message, not a traceback."""
    pytest.importorskip("tensorflow")

    with pytest.raises(NoModelError, match=r"gone\.npz"):
        provide(tmp_path / "mine", Training(data=tmp_path / "gone.npz"), print)
