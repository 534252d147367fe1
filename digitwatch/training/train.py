"""Training: a model from labelled digits, installed as .tflite and card, with everything that reproduces it."""

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # TensorFlow's start-up notes are not for users

import keras
import numpy as np
from numpy.typing import NDArray

from digitwatch.reading.classifier import Classifier
from digitwatch.training import datasets, export, lessons, models
from digitwatch.training.calibrate import temperature
from digitwatch.training.datasets import Digits

Progress = Callable[[str], None]
Pictures = NDArray[np.uint8]  # (N, 28, 28)


@dataclass(frozen=True)
class Recipe:
    """How a network is trained; the defaults are those of `cnn`."""

    epochs: int = 20
    batch: int = 128
    # ---- AdamW (Loshchilov and Hutter 2019) in one cycle: up for a fifth of the way, then down to nothing
    peak_rate: float = 4e-3
    weight_decay: float = 2e-2
    warm_up: float = 0.2
    # ---- what steadies the result: averaged weights, and targets that leave some doubt
    averaging: float = 0.998
    smoothing: float = 0.05


DENSE_EPOCHS = 3


def train(
    architecture: str,
    out: Path,
    *,
    data: Path | None = None,
    epochs: int | None = None,
    seed: int = 0,
    progress: Progress = print,
) -> dict[str, Any]:
    """Train `architecture` and install it as `out`.tflite and `out`.json; return the card.

    Args:
        architecture: "cnn" or "dense".
        out: path of the model without ending.
        data: an .npz file as datasets.load wants it; None: MNIST through Keras.
        epochs: None: the recipe's.
        seed: of the weights, the order and every variation.
        progress: called with a line after each epoch and step.

    Raises:
        DataError: the training data is not usable.
        ValueError: there is no such architecture, or `epochs` is not positive.
    """
    if architecture not in models.ARCHITECTURES:
        raise ValueError(f"expected one of {', '.join(models.ARCHITECTURES)}, found {architecture!r}")
    if epochs is not None and epochs < 1:
        raise ValueError(f"expected 1 epoch or more, found {epochs}")
    began = time.monotonic()
    learn, test = datasets.load(data)
    progress(f"{len(learn)} training digits, {len(test)} test digits")
    keras.utils.set_random_seed(seed)
    recipe = Recipe(epochs=epochs or (DENSE_EPOCHS if architecture == "dense" else Recipe.epochs))
    if architecture == "dense":
        model, settings = _train_dense(learn, recipe.epochs, progress), {"epochs": recipe.epochs}
        card = export.describe(classes=10, output="probabilities")
    else:
        learn, held = datasets.hold_out(learn)
        model, settings = _train_cnn(learn, recipe, seed=seed, progress=progress), asdict(recipe)
        card = export.describe(classes=11, output="logits")
    content = export.to_tflite(model)
    if architecture == "cnn":
        card["temperature"] = temperature(Classifier(content, card), held)
    card |= {
        "name": out.name,
        "data": "MNIST (keras.datasets.mnist)" if data is None else data.name,
        "command": f"digitwatch train --model {architecture} --epochs {recipe.epochs} --seed {seed}",
        "recipe": settings,
        "minutes": round((time.monotonic() - began) / 60, 1),
        "licence": "MIT; trained on MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0)",
    }
    accuracy, loss = _score(Classifier(content, card), test)
    progress(f"test accuracy {accuracy:.2%}, loss {loss:.4f}")
    card["scores"] = {"test_accuracy": round(accuracy, 4), "test_loss": round(loss, 4), "test_digits": len(test)}
    export.save(content, card, out)
    return card


def _train_dense(learn: Digits, epochs: int, progress: Progress) -> keras.Model:
    """Return the dense network after a plain course: pixels 0 to 1, Adam, no variations."""
    model = models.dense()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    model.fit(
        _floats(learn.pictures), learn.labels, epochs=epochs, verbose=0, callbacks=[_Report(epochs, progress)]
    )
    return model


def _train_cnn(learn: Digits, recipe: Recipe, *, seed: int, progress: Progress) -> keras.Model:
    """Return the convolutional network, in float32, with averaged weights, after its last epoch."""
    steps = lessons.size(learn) // recipe.batch
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.peak_rate / 25,
        decay_steps=round(recipe.epochs * steps * (1 - recipe.warm_up)),
        warmup_target=recipe.peak_rate,
        warmup_steps=round(recipe.epochs * steps * recipe.warm_up),
    )
    keras.mixed_precision.set_global_policy(_policy())
    model = models.cnn()
    model.compile(
        keras.optimizers.AdamW(
            rate, weight_decay=recipe.weight_decay, use_ema=True, ema_momentum=recipe.averaging
        ),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.smoothing),
        metrics=["accuracy"],
    )
    model.fit(
        _batches(learn, recipe, seed), steps_per_epoch=steps, epochs=recipe.epochs, verbose=0,
        callbacks=[_Report(recipe.epochs, progress)],
    )  # fmt: skip
    keras.mixed_precision.set_global_policy("float32")
    exact = models.cnn()
    exact.set_weights(model.get_weights())
    return exact


def _batches(learn: Digits, recipe: Recipe, seed: int) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yield (batch, 28, 28, 1) pictures from 0 to 1 and (batch, 11) targets, epoch after epoch."""
    targets = np.eye(lessons.NOT_A_DIGIT + 1, dtype=np.float32)
    for pictures, labels in lessons.epochs(learn, count=recipe.epochs, seed=seed):
        for start in range(0, len(pictures) - recipe.batch + 1, recipe.batch):
            part = slice(start, start + recipe.batch)
            yield _floats(pictures[part]), targets[labels[part]]


def _policy() -> str:
    """Return the number format that is fastest here: bfloat16 on processors with AMX, where it saves a third."""
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:
        return "float32"
    return "mixed_bfloat16" if "amx_bf16" in flags else "float32"


def _floats(pictures: Pictures) -> NDArray[np.float32]:
    """Return (N, 28, 28) uint8 as (N, 28, 28, 1) float32 from 0 to 1."""
    return pictures[..., None].astype(np.float32) / np.float32(255)


def _score(classifier: Classifier, digits: Digits) -> tuple[float, float]:
    """Return accuracy and mean cross-entropy."""
    chances = classifier(digits.pictures)
    right = chances[np.arange(len(digits)), digits.labels]
    return float((chances.argmax(1) == digits.labels).mean()), float(-np.log(np.maximum(right, 1e-7)).mean())


class _Report(keras.callbacks.Callback):
    """Tells the progress after each epoch."""

    def __init__(self, epochs: int, progress: Progress) -> None:
        super().__init__()
        self._epochs, self._progress, self._began = epochs, progress, time.monotonic()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        values = logs or {}
        minutes = (time.monotonic() - self._began) / 60
        self._progress(
            f"epoch {epoch + 1} of {self._epochs}: accuracy {values.get('accuracy', 0):.2%}, "
            f"loss {values.get('loss', 0):.4f}, {minutes:.1f} min"
        )
