"""Facts about turning Keras models into the two files that the reader takes."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.training.export import tflite
from digitwatch.training.fitting import architectures

# Keras 3.15 saves and loads weights in a way that NumPy 2 finds old-fashioned
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")

PICTURES = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)


def floats(pictures: np.ndarray) -> np.ndarray:
    """Return what Keras is fed."""
    return pictures[..., None].astype(np.float32) / 255


def test_litert_agrees_with_keras() -> None:
    """On the same pictures both runtimes give the same labels, and probabilities within 0.01."""
    keras.utils.set_random_seed(0)
    model = architectures.cnn()
    head = model.layers[-1]
    head.set_weights([weights * 20 for weights in head.get_weights()])  # an untrained network decides nothing
    card = tflite.describe(classes=11, output="logits")

    ours = DigitClassifier(tflite.to_tflite(model), card)(PICTURES)
    theirs = np.asarray(keras.ops.softmax(model(floats(PICTURES), training=False)))

    assert np.array_equal(theirs.argmax(axis=1), ours.argmax(axis=1))
    assert abs(ours - theirs).max() < 0.01


def test_model_is_written_before_its_card(tmp_path: Path) -> None:
    """Both files are there afterwards, nothing else, and the card is JSON."""
    tflite.save(b"model", {"name": "x"}, tmp_path / "new" / "x")

    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == ["x.json", "x.tflite"]
    assert json.loads((tmp_path / "new" / "x.json").read_text()).items() >= {"name": "x"}.items()


def test_dots_in_a_model_name_survive(tmp_path: Path) -> None:
    """`cnn-1.2` is saved as cnn-1.2.tflite, not cnn-1.tflite."""
    tflite.save(b"model", {}, tmp_path / "cnn-1.2")

    assert (tmp_path / "cnn-1.2.tflite").exists()


@pytest.mark.parametrize("shape", [(28, 28), (784,), (28, 28, 1)])
def test_users_keras_file_is_converted(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """A .keras file with any usual input shape becomes a model that answers the same."""
    layers = [keras.layers.Input(shape), keras.layers.Flatten(), keras.layers.Dense(10, activation="softmax")]
    model = keras.Sequential(layers)
    model.save(tmp_path / "mine.keras")

    card = tflite.convert(tmp_path / "mine.keras", tmp_path / "mine")
    ours = DigitClassifier.load(tmp_path / "mine")(PICTURES)

    assert card["output"] == "probabilities"
    assert np.allclose(np.asarray(model(floats(PICTURES).reshape(-1, *shape))), ours, atol=0.01)


def test_unusable_keras_models_are_refused(tmp_path: Path) -> None:
    """Wrong inputs, wrong outputs and no model have different messages."""
    keras.Sequential([keras.layers.Input((5,)), keras.layers.Dense(10)]).save(tmp_path / "five.keras")
    keras.Sequential([keras.layers.Input((784,)), keras.layers.Dense(3)]).save(tmp_path / "three.keras")
    (tmp_path / "no.keras").write_bytes(b"no model")

    for name, message in (
        ("five", "found the input"),
        ("three", "expected 10 outputs"),
        ("no", "expected a model saved"),
    ):
        with pytest.raises(tflite.ExportError, match=message):
            tflite.convert(tmp_path / f"{name}.keras", tmp_path / "out")
