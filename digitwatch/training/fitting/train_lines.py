"""Training of the line model, which reads a whole text line, on lines composed of single digits."""

from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Floats
from digitwatch.recognition.networks.line_recognizer import LineRecognizer
from digitwatch.training.data.digits import Digits, hold_out
from digitwatch.training.export import quantise, tflite
from digitwatch.training.fitting import architectures, sequences
from digitwatch.training.fitting.batches import of_one_width
from digitwatch.training.fitting.trainer import Progress, Recipe, fit, policy
from digitwatch.training.synthesis import lines
from digitwatch.training.synthesis.lines import LONGEST

AREA = 4096  # columns of line images in one batch
STEPS = 380  # batches per epoch: about 12,000 lines, with as many digits as MNIST
ROWS = 1000  # test lines


def train(
    learn: Digits, epochs: int | None, *, seed: int, progress: Progress, steps: int = STEPS
) -> tuple[bytes, dict[str, Any]]:
    """Train the line model and calibrate it on lines of digits by held-out writers; return .tflite and card."""
    recipe = Recipe(epochs=epochs or 30, batch=0, peak_rate=2e-3, smoothing=0.0)
    learn, held = hold_out(learn)
    model = fit(architectures.line, batches(learn, seed), recipe, steps=steps, loss=sequences.loss, progress=progress)
    content = quantise.to_tflite(model)
    card = tflite.describe_line()
    known = sequences.sample(partial(lines.line, held), ROWS // 2)
    card["temperature"] = sequences.temperature(LineRecognizer(content, 1.0), known)
    progress(f"temperature {card['temperature']}")
    scores = {"held_out_rows_exact": round(exact(content, card, held), 4)}
    return content, card | {"recipe": asdict(recipe) | {"arithmetic": policy()}, "scores": scores}


def exact(content: bytes, card: dict[str, Any], digits: Digits) -> float:
    """Return the share of ROWS lines composed of `digits` that the model reads exactly."""
    model = LineRecognizer(content, card["temperature"])
    return sequences.exact(model, sequences.sample(partial(lines.line, digits), ROWS))


def batches(digits: Digits, seed: int) -> Iterator[tuple[Floats, NDArray[np.int32]]]:
    """Yield (N, 32, W, 1) line images from 0 to 1 and (N, 9) symbols without end; a batch has one width."""
    return sequences.batches(of_one_width(lines.lines(digits, seed=seed), AREA), LONGEST)
