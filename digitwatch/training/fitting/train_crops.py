"""Training the crop recogniser: a network that reads a grey crop of a line, from crops composed of single digits."""

from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Floats
from digitwatch.recognition.networks.crop_recognizer import CropRecognizer
from digitwatch.training.data import digits as datasets
from digitwatch.training.data.digits import Digits
from digitwatch.training.export import quantise, tflite
from digitwatch.training.export.tflite_to_keras import recover
from digitwatch.training.fitting import architectures, fit_agreement, sequences
from digitwatch.training.fitting.batches import of_one_width
from digitwatch.training.fitting.trainer import Progress, Recipe, fit, policy
from digitwatch.training.synthesis import crops
from digitwatch.training.synthesis.handwriting import LONGEST

AREA = 8192  # columns of crops in one batch: 64 crops of 128
STEPS = 200  # batches that count as an epoch: about 10,000 crops
EPOCHS = 105
MORE_EPOCHS, MORE_RATE = 20, 5e-4  # of a training that is continued: epochs, and highest learning rate
CROPS = 1000  # that tell how good a model is


def train(
    learn: Digits,
    epochs: int | None,
    *,
    seed: int,
    progress: Progress,
    steps: int = STEPS,
    start: bytes | None = None,
) -> tuple[bytes, dict[str, Any]]:
    """Train the crop recogniser, and calibrate it on crops of held-out writers' digits. Return .tflite and card.

    `start` is the .tflite of one whose training continues, as after a kind of paper has been added to the crops.
    """
    recipe = Recipe(epochs=epochs or EPOCHS, batch=0, peak_rate=2.5e-3, warm_up=0.1, smoothing=0.0)
    build = architectures.crop
    if start is not None:
        recipe = replace(recipe, epochs=epochs or MORE_EPOCHS, peak_rate=MORE_RATE)
        build = partial(recover, start, "crop")
    learn, held = datasets.hold_out(learn)
    model = fit(build, batches(learn, seed), recipe, steps=steps, loss=sequences.loss, progress=progress)
    content = quantise.to_tflite(model)
    card = tflite.describe_crop()
    known = sequences.sample(partial(crops.crop, held), CROPS // 2)
    card["temperature"] = sequences.temperature(CropRecognizer(content, 1.0).frames, known)
    progress(f"temperature {card['temperature']}")
    card["agreement"] = fit_agreement.fit(CropRecognizer(content, card["temperature"]), held, progress)
    scores = {"held_out_crops_exact": round(exact(content, card, held), 4)}
    return content, card | {"recipe": asdict(recipe) | {"arithmetic": policy()}, "scores": scores}


def exact(content: bytes, card: dict[str, Any], digits: Digits) -> float:
    """Return the share of CROPS crops composed of the digits that the model reads exactly, signs included."""
    model = CropRecognizer(content, card["temperature"])
    return sequences.exact(model.frames, sequences.sample(partial(crops.crop, digits), CROPS))


def batches(digits: Digits, seed: int) -> Iterator[tuple[Floats, NDArray[np.int32]]]:
    """Yield (N, 40, W, 1) crops from 0 to 1 and (N, 14) symbols without end, all of a batch of one width."""
    return sequences.batches(of_one_width(crops.crops(digits, seed=seed), AREA), LONGEST)
