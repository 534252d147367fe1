"""Export of a Keras model to the two files of a digitwatch model: NAME.tflite and its card NAME.json."""

import contextlib
import hashlib
import io
import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from digitwatch.errors import UsageError
from digitwatch.recognition.networks import foreground_network
from digitwatch.recognition.networks.crop_recognizer import HEIGHT, LABELS
from digitwatch.training.fitting.architectures import DIGITS, OTHER

REVIEW_BELOW = 0.95  # default of the confidence below which a reading goes to review


class ExportError(UsageError):
    """A Keras model cannot be exported; the message says what was expected and what was found."""


def to_tflite(model: keras.Model) -> bytes:
    """Return the model as .tflite: any number of (28, 28, 1) float32 in; weights stored as float16.

    float16 halves the file and LiteRT turns it back to float32 when it loads, so the arithmetic is the same and the
    probabilities move by less than a thousandth. Networks trained by digitwatch are quantised further, see quantise.
    """

    converter = tf.lite.TFLiteConverter.from_keras_model(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.target_spec.supported_types = [tf.float16]
    with contextlib.redirect_stdout(io.StringIO()):  # the converter prints the model's signatures
        return bytes(converter.convert())


def save(content: bytes, card: dict[str, Any], stem: Path) -> None:
    """Write `stem`.tflite, then `stem`.json with the SHA-256 of the network, each atomically."""
    stem.parent.mkdir(parents=True, exist_ok=True)
    card = card | {"sha256": hashlib.sha256(content).hexdigest()}
    _write(stem.with_name(f"{stem.name}.tflite"), content)
    _write(stem.with_name(f"{stem.name}.json"), (json.dumps(card, indent=2) + "\n").encode())


def convert(keras_path: Path, out: Path) -> dict[str, Any]:
    """Convert a user's .keras file of 10 or 11 classes to `out`.tflite and `out`.json; return the card.

    Raises:
        ExportError: it is not a Keras model from 28x28 images to 10 or 11 outputs.
    """
    try:
        model = keras.saving.load_model(keras_path, compile=False, safe_mode=True)
    except Exception as error:  # zip, JSON, HDF5 and the layers raise many kinds
        raise ExportError(
            f"{keras_path}: expected a model saved by Keras 3 as .keras, but: {_reason(error)}"
        ) from error
    model = _with_channel(model, keras_path)
    classes = model.output_shape[-1]
    if isinstance(classes, tuple) or len(model.output_shape) != 2 or classes not in (10, 11):
        raise ExportError(
            f"{keras_path}: expected 10 outputs (the digits) or 11 (and `other`), found {model.output_shape}"
        )
    probe = np.asarray(model(np.random.default_rng(0).random((8, 28, 28, 1), np.float32), training=False))
    sums_to_one = bool((probe >= 0).all() and np.allclose(probe.sum(axis=1), 1, atol=1e-3))
    card = describe(classes=classes, output="probabilities" if sums_to_one else "logits")
    card |= {"name": out.name, "command": f"converted from {keras_path.name}"}
    try:
        content = to_tflite(model)
    except Exception as error:  # the errors of TensorFlow have no common base class
        raise ExportError(f"{keras_path}: it cannot be exported for LiteRT: {_reason(error)}") from error
    save(content, card, out)
    return card


def _reason(error: Exception) -> str:
    """Return the first line of an error message, or the type of the error."""
    return next(iter(str(error).strip().splitlines()), "") or type(error).__name__


def describe(*, classes: int, output: str) -> dict[str, Any]:
    """Return the card of a model with 10 classes, or 11 of which the last is `other`."""
    return {
        "labels": [*DIGITS, OTHER][:classes],
        "reject": OTHER if classes > len(DIGITS) else None,
        "reads": "digits",
        "input": {"shape": [28, 28], "dtype": "float32", "range": [0, 1]},
        "output": output,
        "temperature": 1.0,
        "review_below": REVIEW_BELOW,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def describe_line() -> dict[str, Any]:
    """Return the card of a line model."""
    return {
        "labels": [*DIGITS, OTHER, ""],
        "reads": "rows",
        "input": {"shape": [32, None], "dtype": "float32", "range": [0, 1]},
        "output": "logits",
        "temperature": 1.0,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def describe_crop() -> dict[str, Any]:
    """Return what the card of a crop model says."""
    return {
        "labels": list(LABELS),
        "reads": "crops",
        "input": {"shape": [HEIGHT, None], "dtype": "float32", "range": [0, 1]},
        "output": "logits",
        "temperature": 1.0,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def describe_foreground() -> dict[str, Any]:
    """Return what the card of a foreground model says."""
    return {
        "labels": ["paper", "writing", "other ink"],
        "reads": "foreground",
        "input": {"shape": [foreground_network.HEIGHT, None], "dtype": "float32", "range": [0, 1]},
        "output": "logits",
        "temperature": 1.0,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def _with_channel(model: keras.Model, path: Path) -> keras.Model:
    """Return the model with the input (N, 28, 28, 1), made from one with that, (N, 28, 28) or (N, 784)."""
    shape = getattr(model, "input_shape", None)  # a model without a fixed input has none
    if shape == (None, 28, 28, 1):
        return model
    if shape not in ((None, 28, 28), (None, 784)):
        raise ExportError(f"{path}: expected a model of 28x28 images, (N, 28, 28, 1), found the input {shape}")
    picture = keras.layers.Input((28, 28, 1))
    return keras.Model(picture, model(keras.layers.Reshape(shape[1:])(picture)))


def _write(path: Path, content: bytes) -> None:
    """Replace `path` atomically and durably."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
