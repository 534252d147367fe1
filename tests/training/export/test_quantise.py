"""A network whose convolutions calculate in whole numbers answers like the one that Keras holds."""

from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from ai_edge_litert.interpreter import Interpreter

from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.reader import locate
from digitwatch.training.data.digits import load
from digitwatch.training.export.quantise import EXACT, round_weights, to_tflite
from digitwatch.training.export.tflite_to_keras import recover
from digitwatch.training.fitting import architectures


def test_the_bundled_network_answers_as_in_keras(shared: Path) -> None:
    """1,000 test digits have the same labels, and probabilities within two hundredths of Keras'."""
    model = DigitClassifier.load(locate("cnn"))
    pictures = load(shared / "mnist.npz")[1].pictures[:1000]
    network = recover(files("digitwatch.models").joinpath("cnn.tflite").read_bytes())
    logits = network.predict(pictures[..., None].astype(np.float32) / 255, verbose=0) / model.card["temperature"]
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    expected, found = raised / raised.sum(axis=1, keepdims=True), model(pictures)

    assert np.abs(expected - found).max() < 0.02  # rounding what flows between the layers is hardly felt
    assert (expected.argmax(axis=1) == found.argmax(axis=1)).all()


def test_rounded_weights_stay() -> None:
    """Rounding a second time changes nothing, so the export holds the very weights of the network."""
    network = architectures.line()
    before = [weights.copy() for weights in network.get_weights()]
    round_weights(network)
    once = [weights.copy() for weights in network.get_weights()]
    round_weights(network)

    assert any(not np.array_equal(old, new) for old, new in zip(before, once, strict=True))
    assert all(np.allclose(old, new, atol=1e-7) for old, new in zip(once, network.get_weights(), strict=True))


def test_convolutions_hold_whole_numbers() -> None:
    """Every filter is 8 bits wide, what leads in and out is float32."""
    model = Interpreter(model_content=to_tflite(architectures.cnn()))
    model.allocate_tensors()
    filters = [tensor for tensor in model.get_tensor_details() if len(tensor["shape"]) == 4 and tensor["shape"][1] == 3]

    assert len(filters) == 6
    assert {np.dtype(tensor["dtype"]) for tensor in filters} == {np.dtype(np.int8)}
    assert model.get_input_details()[0]["dtype"] == model.get_output_details()[0]["dtype"] == np.float32


def test_one_convolution_may_stay_in_floats() -> None:
    """Its filters are those of the network itself, the others' are rounded."""
    network = architectures.cnn()
    before = [layer.get_weights()[0].copy() for layer in network.layers if "conv2d" in layer.name]
    model = Interpreter(model_content=to_tflite(network, EXACT))
    filters = [tensor for tensor in model.get_tensor_details() if len(tensor["shape"]) == 4 and tensor["shape"][1] == 3]
    after = [layer.get_weights()[0] for layer in network.layers if "conv2d" in layer.name]

    assert [np.dtype(tensor["dtype"]) for tensor in filters].count(np.dtype(np.float32)) == 1
    assert [np.array_equal(*pair) for pair in zip(before, after, strict=True)].index(True) == EXACT


def test_a_network_without_convolutions_is_exported_as_it_is() -> None:
    """There is nothing to round in `dense`."""
    network = architectures.dense()
    before = [weights.copy() for weights in network.get_weights()]
    round_weights(network)

    assert all(np.array_equal(old, new) for old, new in zip(before, network.get_weights(), strict=True))
    assert b"TFL3" in to_tflite(network)[:8]
