"""Training of the line model, which reads a whole text line, on lines composed of single digits."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Floats
from digitwatch.recognition.decoding.ctc import likely_texts, log_probabilities
from digitwatch.recognition.networks.line_recognizer import LineRecognizer
from digitwatch.training.data.digits import Digits, hold_out
from digitwatch.training.export import quantise, tflite
from digitwatch.training.fitting import architectures
from digitwatch.training.fitting.batches import of_one_width, stacked
from digitwatch.training.fitting.trainer import Progress, Recipe, fit, policy
from digitwatch.training.synthesis import lines
from digitwatch.training.synthesis.lines import LONGEST, Line

NOTHING = -1  # pads the symbols of a short line

AREA = 4096  # columns of line images in one batch
STEPS = 380  # batches per epoch: about 12,000 lines, with as many digits as MNIST

ROWS = 1000  # test lines
TEMPERATURES = np.geomspace(0.5, 3, 19)


def train(
    learn: Digits, epochs: int | None, *, seed: int, progress: Progress, steps: int = STEPS
) -> tuple[bytes, dict[str, Any]]:
    """Train the line model and calibrate it on lines of digits by held-out writers; return .tflite and card."""
    recipe = Recipe(epochs=epochs or 30, batch=0, peak_rate=2e-3, smoothing=0.0)
    learn, held = hold_out(learn)
    model = fit(architectures.line, batches(learn, seed), recipe, steps=steps, loss=loss, progress=progress)
    content = quantise.to_tflite(model)
    card = tflite.describe_line()
    card["temperature"] = temperature(content, held)
    progress(f"temperature {card['temperature']}")
    scores = {"held_out_rows_exact": round(exact(content, card, held), 4)}
    return content, card | {"recipe": asdict(recipe) | {"arithmetic": policy()}, "scores": scores}


def exact(content: bytes, card: dict[str, Any], digits: Digits) -> float:
    """Return the share of ROWS lines composed of `digits` that the model reads exactly."""
    model = LineRecognizer(content, card["temperature"])
    right = [likely_texts(model(line.picture), 1)[0] == line.symbols for line in sample(digits, ROWS)]
    return float(np.mean(right))


def sample(digits: Digits, count: int) -> list[Line]:
    """Return `count` lines composed of `digits`, always the same ones."""
    rng = np.random.default_rng(0)
    made = (lines.line(digits, rng) for _ in range(count * 2))
    return [line for line in made if line is not None][:count]


def temperature(content: bytes, digits: Digits) -> float:
    """Return the temperature at which lines composed of `digits` have the highest likelihood."""
    cold = LineRecognizer(content, 1.0)
    answers = [(cold(line.picture), line.symbols) for line in sample(digits, ROWS // 2)]
    losses = []
    for t in TEMPERATURES:
        cooled = [(logs / t - np.logaddexp.reduce(logs / t, axis=1, keepdims=True), text) for logs, text in answers]
        losses.append(-sum(float(log_probabilities(logs, [text])[0]) for logs, text in cooled))
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 3)


def batches(digits: Digits, seed: int) -> Iterator[tuple[Floats, NDArray[np.int32]]]:
    """Yield (N, 32, W, 1) line images from 0 to 1 and (N, 9) symbols without end; a batch has one width."""
    yield from map(_batch, of_one_width(lines.lines(digits, seed=seed), AREA))


def _batch(same: list[Line]) -> tuple[Floats, NDArray[np.int32]]:
    symbols = np.full((len(same), LONGEST), NOTHING, np.int32)
    for row, line in zip(symbols, same, strict=True):
        row[: len(line.symbols)] = line.symbols
    return stacked(same), symbols


def loss(symbols: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return (N,): the CTC loss of each line, from its (N, 9) symbols and (N, T, 12) logits."""
    rows, frames = tf.unstack(tf.shape(logits)[:2])
    where = tf.where(symbols != NOTHING)
    size = tf.cast(tf.shape(symbols), tf.int64)
    sparse = tf.SparseTensor(where, tf.cast(tf.gather_nd(symbols, where), tf.int32), size)
    return tf.nn.ctc_loss(sparse, logits, None, tf.fill([rows], frames), logits_time_major=False, blank_index=-1)
