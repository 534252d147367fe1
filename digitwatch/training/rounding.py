"""Networks whose convolutions calculate in whole numbers: four times as fast, half the size, the same labels.

Each filter's weights are rounded to whole numbers from -127 to 127 times a scale of its own; what flows between
convolutions is rounded to 8 bits while it flows, by the largest value that is there (dynamic range quantisation,
after Jacob et al. 2018, "Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only
Inference"). The first sums and the answers stay float32.
"""

import contextlib
import io

import keras
import numpy as np
import tensorflow as tf

from digitwatch.training import export

LARGEST = 127


def round_weights(network: keras.Model) -> None:
    """Round the weights of each convolution, one scale for each filter; a second time changes nothing."""
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            weights, *bias = layer.get_weights()  # (height, width, in, out)
            scale = np.maximum(np.abs(weights).max(axis=(0, 1, 2)), np.finfo(np.float32).tiny) / LARGEST
            layer.set_weights([np.round(weights / scale) * scale, *bias])


def to_tflite(network: keras.Model) -> bytes:
    """Return the network as .tflite, of any batch size, with float32 in and out; without convolutions, as it is.

    The network's own weights are rounded as well, so that Keras and LiteRT hold the same.
    """
    if not any(isinstance(layer, keras.layers.Conv2D) for layer in network.layers):
        return export.to_tflite(network)
    from ai_edge_quantizer import qtyping, quantizer  # noqa: PLC0415 (takes 3 s, which only this needs)

    round_weights(network)
    with contextlib.redirect_stdout(io.StringIO()):  # both tools print what they did
        exact = bytes(tf.lite.TFLiteConverter.from_keras_model(network).convert())
        rounding = quantizer.Quantizer(exact)
        rounding.update_quantization_recipe(
            ".*",
            qtyping.TFLOperationName.CONV_2D,
            qtyping.OpQuantizationConfig(
                weight_tensor_config=qtyping.TensorQuantizationConfig(
                    8, granularity=qtyping.QuantGranularity.CHANNELWISE
                ),
                compute_precision=qtyping.ComputePrecision.INTEGER,
            ),
        )
        return bytes(rounding.quantize().quantized_model)
