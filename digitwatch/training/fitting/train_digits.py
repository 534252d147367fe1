"""Training of the digit models; the card of the result records everything that reproduces it."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # hide the start-up messages of TensorFlow

import keras
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Floats
from digitwatch.recognition.networks import model_files
from digitwatch.recognition.networks.digit_classifier import DigitClassifier, ModelError
from digitwatch.training.data import digits
from digitwatch.training.data.digits import DataError, Digits
from digitwatch.training.evaluation.evaluate import measure
from digitwatch.training.export import quantise, tflite
from digitwatch.training.export.calibrate import temperature
from digitwatch.training.fitting import architectures, train_crops, train_foreground, train_lines
from digitwatch.training.fitting.trainer import Progress, Recipe, Report, fit, policy
from digitwatch.training.synthesis.epochs import NOT_A_DIGIT, generate, size

DENSE_EPOCHS = 3
LICENCE = "MIT; trained on MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0)"


@dataclass(frozen=True)
class Run:
    """A training: its data (None: MNIST from Keras), epochs (None: as in the recipe), seed, and who sees its progress.

    `progress` is called with a line at least every half minute while epochs last, and after each.
    """

    data: Path | None = None
    epochs: int | None = None
    seed: int = 0
    progress: Progress = print


def train(architecture: str, out: Path, run: Run) -> dict[str, Any]:
    """Train `architecture`, one of architectures.ARCHITECTURES; install it as `out`.tflite and .json; return the card.

    Raises:
        DataError: the training data cannot be used.
        ValueError: there is no such architecture, or the number of epochs is not positive.
    """
    return _trained(_trainer(architecture, run.epochs), f"--model {architecture}", out, run)


def continue_crop(start: Path, out: Path, run: Run) -> dict[str, Any]:
    """Continue the training of the crop model `start`; install it as `train` does; return the card, with its origin.

    Raises:
        DataError: the training data cannot be used.
        ModelError: `start` is no crop model.
    """
    content, known = model_files.read(start)
    if known.get("reads") != "crops":
        raise ModelError(f"--start: expected a crop model, found {start.name}, which reads {known.get('reads')}")
    origin = {key: known.get(key) for key in ("command", "minutes", "recipe", "sha256")}
    trainer = partial(train_crops.train, start=content)
    return _trained(trainer, f"--model crop --start {start.name}", out, run, {"start": origin})


def _trained(
    trainer: Callable[..., tuple[bytes, dict[str, Any]]],
    what: str,
    out: Path,
    run: Run,
    origin: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Install what the trainer returns as `out`.tflite and `out`.json; return the card."""
    began = time.monotonic()
    learn, test = digits.load(run.data)
    run.progress(f"{len(learn)} training digits, {len(test)} test digits")
    keras.utils.set_random_seed(run.seed)
    content, card = trainer(learn, run.epochs, seed=run.seed, progress=run.progress)
    source = "" if run.data is None else f" --data {run.data.name}"
    card |= {
        "name": out.name,
        "data": "MNIST (keras.datasets.mnist)" if run.data is None else run.data.name,
        "command": f"digitwatch train {what}{source} --epochs {card['recipe']['epochs']} --seed {run.seed}",
        "minutes": round((time.monotonic() - began) / 60, 1),
        "licence": LICENCE,
    } | (origin or {})
    card["scores"] |= _scores(content, card, test, run.progress)
    tflite.save(content, card, out)
    return card


def _trainer(architecture: str, epochs: int | None) -> Callable[..., tuple[bytes, dict[str, Any]]]:
    """Return the function that trains the architecture.

    Raises:
        ValueError: there is no such architecture, or `epochs` is not positive.
    """
    if architecture not in architectures.ARCHITECTURES:
        raise ValueError(f"expected one of {', '.join(architectures.ARCHITECTURES)}, found {architecture!r}")
    if epochs is not None and epochs < 1:
        raise ValueError(f"expected 1 epoch or more, found {epochs}")
    return {
        "dense": _dense,
        "cnn": _cnn,
        "line": train_lines.train,
        "crop": train_crops.train,
        "foreground": train_foreground.train,
    }[architecture]


def _scores(content: bytes, card: dict[str, Any], test: Digits, progress: Progress) -> dict[str, Any]:
    """Return the scores of the model on the test digits."""
    if card["reads"] == "rows":
        exact = train_lines.exact(content, card, test)
        progress(f"{exact:.2%} of the lines composed of test digits read exactly")
        return {"test_rows_exact": round(exact, 4), "test_rows": train_lines.ROWS}
    if card["reads"] == "crops":
        exact = train_crops.exact(content, card, test)
        progress(f"{exact:.2%} of the crops composed of test digits read exactly")
        return {"test_crops_exact": round(exact, 4), "test_crops": train_crops.CROPS}
    if card["reads"] == "foreground":
        overlap = train_foreground.overlap(content, test)
        progress(f"intersection over union of writing {overlap:.2%}, in crops composed of test digits")
        return {"test_writing_iou": round(overlap, 4), "test_crops": train_foreground.CROPS}
    result = measure(DigitClassifier(content, card, card["name"]), test)
    progress(f"test accuracy {result.accuracy:.2%}, best digit right {result.named:.2%}, loss {result.loss:.4f}")
    return {
        "test_accuracy": round(result.accuracy, 4),
        "test_named": round(result.named, 4),
        "test_loss": round(result.loss, 4),
        "test_digits": len(test),
        "test_calibration_error": round(result.calibration_error, 4),
    }


def _dense(learn: Digits, epochs: int | None, *, seed: int, progress: Progress) -> tuple[bytes, dict[str, Any]]:
    """Train the dense network on pixels from 0 to 1 with Adam, without variations; return .tflite and card."""
    epochs = epochs or DENSE_EPOCHS
    model = architectures.dense()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    model.fit(floats(learn.pictures), learn.labels, epochs=epochs, verbose=0, callbacks=[Report(epochs, progress)])
    card = tflite.describe(classes=10, output="probabilities")
    return tflite.to_tflite(model), card | {"recipe": {"epochs": epochs}, "scores": {}}


def _cnn(learn: Digits, epochs: int | None, *, seed: int, progress: Progress) -> tuple[bytes, dict[str, Any]]:
    """Train the convolutional network and calibrate it on held-out writers. Return .tflite and card."""
    recipe = Recipe() if epochs is None else Recipe(epochs=epochs)
    learn, held = digits.hold_out(learn)
    if size(learn) < recipe.batch:
        raise DataError(f"expected at least {recipe.batch} training digits for cnn, found {len(learn)}")
    smoothed = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.smoothing)
    steps = size(learn) // recipe.batch
    model = fit(architectures.cnn, _batches(learn, recipe, seed), recipe, steps=steps, loss=smoothed, progress=progress)
    card = tflite.describe(classes=11, output="logits")
    content = quantise.to_tflite(model, quantise.EXACT)
    card["temperature"] = temperature(DigitClassifier(content, card), held)
    result = measure(DigitClassifier(content, card), held)
    progress(f"accuracy {result.accuracy:.2%} on {len(held)} digits by writers held out of the training")
    scores = {"held_out_accuracy": round(result.accuracy, 4), "held_out_digits": len(held)}
    return content, card | {"recipe": asdict(recipe) | {"arithmetic": policy()}, "scores": scores}


def _batches(learn: Digits, recipe: Recipe, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield (batch, 28, 28, 1) images from 0 to 1 and (batch, 11) targets, epoch after epoch."""
    targets = np.eye(NOT_A_DIGIT + 1, dtype=np.float32)
    for pictures, labels in generate(learn, count=recipe.epochs, seed=seed):
        for start in range(0, len(pictures) - recipe.batch + 1, recipe.batch):
            part = slice(start, start + recipe.batch)
            yield floats(pictures[part]), targets[labels[part]]


def floats(pictures: NDArray[np.uint8]) -> Floats:
    """Return (N, 28, 28) uint8 as (N, 28, 28, 1) float32 from 0 to 1."""
    return pictures[..., None].astype(np.float32) / np.float32(255)
