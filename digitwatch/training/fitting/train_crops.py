"""Training the crop recogniser: a network that reads a grey crop of a line, from crops composed of single digits."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Floats
from digitwatch.recognition.decoding.ctc import likely_texts, log_probabilities
from digitwatch.recognition.networks.crop_recognizer import CropRecognizer
from digitwatch.training.data import digits as datasets
from digitwatch.training.data.digits import Digits
from digitwatch.training.export import quantise, tflite
from digitwatch.training.fitting import architectures, fit_agreement
from digitwatch.training.fitting.batches import of_one_width, stacked
from digitwatch.training.fitting.train_lines import NOTHING
from digitwatch.training.fitting.train_lines import loss as line_loss
from digitwatch.training.fitting.trainer import Progress, Recipe, fit, policy
from digitwatch.training.synthesis import crops
from digitwatch.training.synthesis.crops import Crop
from digitwatch.training.synthesis.handwriting import LONGEST

AREA = 4096  # columns of crops in one batch: 32 crops of 128
STEPS = 400  # batches that count as an epoch: about 12,000 crops
EPOCHS = 40

CROPS = 1000  # that tell how good a model is
TEMPERATURES = np.geomspace(0.5, 3, 19)


def train(
    learn: Digits, epochs: int | None, *, seed: int, progress: Progress, steps: int = STEPS
) -> tuple[bytes, dict[str, Any]]:
    """Train the crop recogniser, and calibrate it on crops of held-out writers' digits. Return .tflite and card."""
    recipe = Recipe(epochs=epochs or EPOCHS, batch=0, peak_rate=2e-3, smoothing=0.0)
    learn, held = datasets.hold_out(learn)
    model = fit(architectures.crop, batches(learn, seed), recipe, steps=steps, loss=loss, progress=progress)
    content = quantise.to_tflite(model)
    card = tflite.describe_crop()
    card["temperature"] = temperature(content, held)
    progress(f"temperature {card['temperature']}")
    card["agreement"] = fit_agreement.fit(CropRecognizer(content, card["temperature"]), held, progress)
    scores = {"held_out_crops_exact": round(exact(content, card, held), 4)}
    return content, card | {"recipe": asdict(recipe) | {"arithmetic": policy()}, "scores": scores}


def exact(content: bytes, card: dict[str, Any], digits: Digits) -> float:
    """Return the share of CROPS crops composed of the digits that the model reads exactly, signs included."""
    model = CropRecognizer(content, card["temperature"])
    right = [likely_texts(model.frames(crop.picture), 1)[0] == crop.symbols for crop in sample(digits, CROPS)]
    return float(np.mean(right))


def sample(digits: Digits, count: int) -> list[Crop]:
    """Return `count` crops composed of the digits, always the same."""
    rng = np.random.default_rng(0)
    made = (crops.crop(digits, rng) for _ in range(count * 2))
    return [crop for crop in made if crop is not None][:count]


def temperature(content: bytes, digits: Digits) -> float:
    """Return the temperature at which crops composed of the digits have the highest likelihood."""
    cold = CropRecognizer(content, 1.0)
    answers = [(cold.frames(crop.picture), crop.symbols) for crop in sample(digits, CROPS // 2)]
    losses = []
    for t in TEMPERATURES:
        cooled = [(logs / t - np.logaddexp.reduce(logs / t, axis=1, keepdims=True), text) for logs, text in answers]
        losses.append(-sum(max(-30.0, float(log_probabilities(logs, [text])[0])) for logs, text in cooled))
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 3)


def batches(digits: Digits, seed: int) -> Iterator[tuple[Floats, NDArray[np.int32]]]:
    """Yield (N, 40, W, 1) crops from 0 to 1 and (N, 14) symbols without end, all of a batch of one width."""
    yield from map(_batch, of_one_width(crops.crops(digits, seed=seed), AREA))


def _batch(same: list[Crop]) -> tuple[Floats, NDArray[np.int32]]:
    symbols = np.full((len(same), LONGEST), NOTHING, np.int32)
    for row, crop in zip(symbols, same, strict=True):
        row[: len(crop.symbols)] = crop.symbols
    return stacked(same), symbols


def loss(symbols: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return (N,): minus the log probability that each crop says its (N, 14) symbols, given (N, T, 21) logits.

    TensorFlow's loss refuses an empty text, whose probability is that of the blank in every frame.
    """
    symbols = tf.cast(symbols, tf.int32)  # Keras makes targets floats
    empty = tf.reduce_all(symbols == NOTHING, axis=1)
    first = tf.range(tf.shape(symbols)[1]) == 0
    some = tf.where(empty[:, None] & first, 0, symbols)
    blank = -tf.reduce_sum(tf.nn.log_softmax(logits)[..., -1], axis=1)
    return tf.where(empty, blank, line_loss(some, logits))
