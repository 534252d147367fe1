"""Training the line model: a network that reads a whole row, from rows composed of single digits."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Floats
from digitwatch.recognition.decoding.ctc import likely_texts, log_probabilities
from digitwatch.recognition.networks.line_recognizer import LineRecognizer
from digitwatch.training.data import digits as datasets
from digitwatch.training.data.digits import Digits
from digitwatch.training.export import quantise, tflite
from digitwatch.training.fitting import architectures
from digitwatch.training.fitting.trainer import Progress, Recipe, fit, policy
from digitwatch.training.synthesis import lines as composed
from digitwatch.training.synthesis.lines import LONGEST, Line

NOTHING = -1  # fills the symbols of a short row

AREA = 4096  # columns of strips in one batch
STEPS = 380  # batches that count as an epoch: about 12,000 rows, as many digits as MNIST has

ROWS = 1000  # that tell how good a model is
TEMPERATURES = np.geomspace(0.5, 3, 19)


def course(
    learn: Digits, epochs: int | None, *, seed: int, progress: Progress, steps: int = STEPS
) -> tuple[bytes, dict[str, Any]]:
    """Train the line model, and calibrate it on rows of held-out writers' digits. Return .tflite and card."""
    recipe = Recipe(epochs=epochs or 30, batch=0, peak_rate=2e-3, smoothing=0.0)
    learn, held = datasets.hold_out(learn)
    model = fit(architectures.line, batches(learn, seed), recipe, steps=steps, loss=loss, progress=progress)
    content = quantise.to_tflite(model)
    card = tflite.describe_line()
    card["temperature"] = temperature(content, held)
    progress(f"temperature {card['temperature']}")
    scores = {"held_out_rows_exact": round(exact(content, card, held), 4)}
    return content, card | {"recipe": asdict(recipe) | {"arithmetic": policy()}, "scores": scores}


def exact(content: bytes, card: dict[str, Any], digits: Digits) -> float:
    """Return the share of ROWS rows composed of the digits that the model alone reads exactly."""
    model = LineRecognizer(content, card["temperature"])
    right = [likely_texts(model(line.picture), 1)[0] == line.symbols for line in sample(digits, ROWS)]
    return float(np.mean(right))


def sample(digits: Digits, count: int) -> list[Line]:
    """Return `count` rows composed of the digits, always the same."""
    rng = np.random.default_rng(0)
    made = (composed.line(digits, rng) for _ in range(count * 2))
    return [line for line in made if line is not None][:count]


def temperature(content: bytes, digits: Digits) -> float:
    """Return the temperature at which rows composed of the digits have the highest likelihood."""
    cold = LineRecognizer(content, 1.0)
    answers = [(cold(line.picture), line.symbols) for line in sample(digits, ROWS // 2)]
    losses = []
    for t in TEMPERATURES:
        cooled = [(logs / t - np.logaddexp.reduce(logs / t, axis=1, keepdims=True), text) for logs, text in answers]
        losses.append(-sum(float(log_probabilities(logs, [text])[0]) for logs, text in cooled))
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 3)


def batches(digits: Digits, seed: int) -> Iterator[tuple[Floats, NDArray[np.int32]]]:
    """Yield (N, 32, W, 1) strips from 0 to 1 and (N, 9) symbols without end, all of a batch of one width."""
    waiting: dict[int, list[Line]] = {}
    for line in composed.lines(digits, seed=seed):
        wide = line.picture.shape[1]
        same = waiting.setdefault(wide, [])
        same.append(line)
        if len(same) * wide >= AREA:
            yield _batch(waiting.pop(wide))


def _batch(same: list[Line]) -> tuple[Floats, NDArray[np.int32]]:
    symbols = np.full((len(same), LONGEST), NOTHING, np.int32)
    for row, line in zip(symbols, same, strict=True):
        row[: len(line.symbols)] = line.symbols
    strips = np.stack([line.picture for line in same])[..., None]
    return strips.astype(np.float32) / np.float32(255), symbols


def loss(symbols: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return (N,): minus the log probability that each row says its (N, 9) symbols, given (N, T, 12) logits."""
    rows, frames = tf.unstack(tf.shape(logits)[:2])
    where = tf.where(symbols != NOTHING)
    size = tf.cast(tf.shape(symbols), tf.int64)
    sparse = tf.SparseTensor(where, tf.cast(tf.gather_nd(symbols, where), tf.int32), size)
    return tf.nn.ctc_loss(sparse, logits, None, tf.fill([rows], frames), logits_time_major=False, blank_index=-1)
