"""Training of the foreground network, on crops composed of single digits with the class of each pixel."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.networks.foreground_network import WRITING, ForegroundNetwork
from digitwatch.training.data import digits as datasets
from digitwatch.training.data.digits import Digits
from digitwatch.training.export import quantise, tflite
from digitwatch.training.fitting import architectures
from digitwatch.training.fitting.batches import of_one_width, stacked
from digitwatch.training.fitting.trainer import Progress, Recipe, fit, policy
from digitwatch.training.synthesis import crops

AREA = 4096  # columns of crops in one batch
STEPS = 250  # batches that count as an epoch
EPOCHS = 16
CROPS = 300  # that tell how good a model is


def train(
    learn: Digits, epochs: int | None, *, seed: int, progress: Progress, steps: int = STEPS
) -> tuple[bytes, dict[str, Any]]:
    """Train the foreground network and measure it on crops of held-out writers' digits. Return .tflite and card."""
    recipe = Recipe(epochs=epochs or EPOCHS, batch=0, peak_rate=3e-3, smoothing=0.0)
    learn, held = datasets.hold_out(learn)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model = fit(architectures.foreground, batches(learn, seed), recipe, steps=steps, loss=loss, progress=progress)
    content = quantise.to_tflite(model)
    card = tflite.describe_foreground()
    scores = {"held_out_writing_iou": round(overlap(content, held), 4)}
    return content, card | {"recipe": asdict(recipe) | {"arithmetic": policy()}, "scores": scores}


def overlap(content: bytes, digits: Digits) -> float:
    """Return, over CROPS crops composed of the digits, the intersection over union of writing, found and true."""
    model, rng = ForegroundNetwork(content), np.random.default_rng(0)
    both = either = 0
    for _ in range(CROPS):
        composed = crops.compose(digits, rng)
        true = crops.classes(composed) == WRITING
        found = (model(composed.grey).argmax(axis=2) == WRITING)[:, : true.shape[1]]
        both += int((true[:, : found.shape[1]] & found).sum())
        either += int((true[:, : found.shape[1]] | found).sum())
    return both / max(1, either)


def batches(digits: Digits, seed: int) -> Iterator[tuple[Floats, NDArray[np.uint8]]]:
    """Yield (N, 48, W, 1) crops from 0 to 1 and (N, 12, W / 4, 4) classes without end, all of a batch of one width."""
    for same in of_one_width(crops.masks(digits, seed=seed), AREA):
        yield stacked(same), np.stack([_in_fours(each.classes) for each in same])


def _in_fours(classes: Pixels) -> NDArray[np.uint8]:
    """Return (24, w) classes as (12, w / 2, 4): those of each 2 by 2, row by row."""
    high, wide = classes.shape
    return classes.reshape(high // 2, 2, wide // 2, 2).transpose(0, 2, 1, 3).reshape(high // 2, wide // 2, 4)
