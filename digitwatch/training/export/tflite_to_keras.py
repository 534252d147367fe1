"""Import of an exported network into Keras for fine-tuning: the weights are read from the .tflite.

A .tflite is a list of operators in the order of the layers. The exporter has folded each batch normalisation that
follows a convolution into it and left one that follows a pooling as a multiplication and an addition; here each
normalisation gets these constants, with a mean of 0 and a variance of 1, and is frozen: its statistics are not known.
"""

from collections.abc import Iterator

import keras
import numpy as np
from tensorflow.lite.tools import flatbuffer_utils

from digitwatch.errors import UsageError
from digitwatch.recognition.arrays import Floats
from digitwatch.training.fitting import architectures

Steps = list[tuple[str, Floats, Floats]]  # operator name, weights, bias

ARCHITECTURES = (architectures.cnn, architectures.dense, architectures.line, architectures.crop)
FLOATS = {0: np.float32, 1: np.float16}  # by the tensor types of schema.fbs
INT8 = 9


class RecoverError(UsageError):
    """The network of a model is not one of digitwatch and cannot be fine-tuned."""


def recover(content: bytes, name: str = "model") -> keras.Model:
    """Return the Keras network with the weights of the export `content`; both give the same outputs.

    Args:
        content: the bytes of a .tflite exported from a network of fitting.architectures.
        name: name of the model for the error message.

    Raises:
        RecoverError: the network is not one of digitwatch.
    """
    steps = list(_steps(content))
    for build in ARCHITECTURES:
        network = build()
        try:
            _fill(network, list(steps))
        except (ValueError, IndexError):  # the weights have other shapes, or there are more or fewer of them
            continue
        return network
    raise RecoverError(f"{name} cannot be fine-tuned: its network is not one of digitwatch")


def _steps(content: bytes) -> Iterator[tuple[str, Floats, Floats]]:
    """Yield the operators with weights: convolutions, dense layers, multiplications and additions of constants."""
    model = flatbuffer_utils.read_model_from_bytearray(bytearray(content))
    graph = model.subgraphs[0]
    known = {}  # tensor number -> values
    for number, tensor in enumerate(graph.tensors):
        data = model.buffers[tensor.buffer].data
        if data is not None and tensor.type in FLOATS:
            known[number] = np.frombuffer(bytes(data), FLOATS[tensor.type]).astype(np.float32).reshape(tensor.shape)
        elif data is not None and tensor.type == INT8:  # rounded weights, the filters first
            whole = np.frombuffer(bytes(data), np.int8).reshape(tensor.shape)
            known[number] = whole * tensor.quantization.scale.astype(np.float32)[:, None, None, None]
    for operator in graph.operators:
        name = flatbuffer_utils.opcode_to_name(model, operator.opcodeIndex)
        inputs = [int(number) for number in operator.inputs]
        if name == "DEQUANTIZE" and inputs[0] in known:
            known[int(operator.outputs[0])] = known[inputs[0]]
            continue
        weights = [known[number] for number in inputs if number in known]
        if weights:
            yield name, weights[0], weights[1] if len(weights) > 1 else np.zeros(1, np.float32)


def _fill(network: keras.Model, steps: Steps) -> None:
    """Set the network's weights from the steps, layer by layer.

    Raises:
        ValueError, IndexError: the weights do not fit the network.
    """
    left = np.zeros(1, np.float32)  # bias of the export of a convolution without bias
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            weights, left = _take(steps, "CONV_2D")
            weights = weights.transpose(1, 2, 3, 0)  # (out, height, width, in) to Keras' order
            layer.set_weights([weights, left] if layer.use_bias else [weights])
            left = np.zeros(1, np.float32) if layer.use_bias else left
        elif isinstance(layer, keras.layers.BatchNormalization):
            size = layer.moving_mean.shape[0]
            scale, shift = np.ones(size, np.float32), np.broadcast_to(left, size)
            if steps[0][0] == "MUL":
                scale = _take(steps, "MUL")[0]
                shift = scale * shift + _take(steps, "ADD")[0]
            divisor = np.sqrt(np.float32(1 + layer.epsilon))  # the divisor for a variance of 1
            layer.set_weights([scale * divisor, shift, np.zeros(size), np.ones(size)])
            layer.trainable = False
        elif isinstance(layer, keras.layers.Dense):
            weights, bias = _take(steps, "FULLY_CONNECTED")
            layer.set_weights([weights.T, bias])
    if steps:
        raise ValueError(f"expected no more weights, found {len(steps)}")


def _take(steps: Steps, kind: str) -> tuple[Floats, Floats]:
    name, weights, bias = steps.pop(0)
    if name != kind:
        raise ValueError(f"expected {kind}, found {name}")
    return weights, bias
