"""An exported network answers as before when it is back in Keras."""

from importlib.resources import files

import numpy as np
import pytest

pytest.importorskip("tensorflow")

import keras

from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.reader import locate
from digitwatch.training.export import tflite
from digitwatch.training.export.tflite_to_keras import RecoverError, recover
from digitwatch.training.fitting import architectures


def answers(network: object, pictures: np.ndarray) -> np.ndarray:
    """Return what a Keras network says of (N, 28, 28) pictures."""
    return np.asarray(network(pictures[..., None].astype(np.float32) / 255, training=False))  # type: ignore[operator]


@pytest.mark.parametrize("name", ["cnn", "dense"])
def test_the_bundled_models_come_back(name: str) -> None:
    """Keras gives the probabilities that LiteRT gives, to a hundredth, for noise and for strokes."""
    pictures = np.random.default_rng(0).integers(0, 256, (40, 28, 28)).astype(np.uint8)
    pictures[20:, :, :11] = pictures[20:, :, 16:] = 0
    classifier = DigitClassifier.load(locate(name))
    classifier.card["temperature"] = 1.0

    said = answers(recover(files("digitwatch.models").joinpath(f"{name}.tflite").read_bytes()), pictures)
    if classifier.card["output"] == "logits":
        said = np.exp(said) / np.exp(said).sum(axis=1, keepdims=True)

    assert np.abs(said - classifier(pictures)).max() < 0.02


def test_it_comes_back_a_second_time() -> None:
    """What was recovered can be exported and recovered again."""
    pictures = np.random.default_rng(0).integers(0, 256, (10, 28, 28)).astype(np.uint8)
    first = recover(files("digitwatch.models").joinpath("cnn.tflite").read_bytes())
    second = recover(tflite.to_tflite(first))

    assert np.abs(answers(first, pictures) - answers(second, pictures)).max() < 0.05


def test_a_foreign_network_is_refused() -> None:
    """Another network has other layers, or the same with other sizes."""
    for layers in ([keras.layers.Dense(10)], [keras.layers.Dense(64), keras.layers.Dense(10)]):
        own = keras.Sequential([keras.Input((28, 28, 1)), keras.layers.Flatten(), *layers])
        with pytest.raises(RecoverError, match="its network is not one of digitwatch"):
            recover(tflite.to_tflite(own), "mine")


def test_fresh_networks_come_back() -> None:
    """Also one whose normalisations have learned something."""
    network = architectures.cnn()
    rng = np.random.default_rng(1)
    network.set_weights(
        [np.abs(rng.normal(0.1, 0.1, w.shape)).astype(np.float32) + 0.01 for w in network.get_weights()]
    )
    pictures = rng.integers(0, 256, (5, 28, 28)).astype(np.uint8)
    said, again = (answers(n, pictures) for n in (network, recover(tflite.to_tflite(network))))

    assert np.allclose(said, again, rtol=0.01, atol=0.05 * np.abs(said).max())
