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
from digitwatch.training.datasets import DataError, Digits
from digitwatch.training.evaluate import measure

Progress = Callable[[str], None]
Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained. The defaults are those of `cnn`."""

    epochs: int = 8  # a quarter of an hour on two cores
    batch: int = 128
    # ---- AdamW (Loshchilov and Hutter 2019) in one cycle: up for a fifth of the way, then down to nothing
    peak_rate: float = 4e-3
    weight_decay: float = 2e-2
    warm_up: float = 0.2
    # ---- what steadies the result: averaged weights, and targets that leave some doubt
    averaging: float = 0.998
    smoothing: float = 0.05


DENSE_EPOCHS = 3
EVERY = 30.0  # seconds between two lines of progress within an epoch
LICENCE = "MIT; trained on MNIST (LeCun, Cortes, Burges; CC BY-SA 3.0)"


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
        progress: called with a line at least every half minute while epochs last, and after each.

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
    course = _dense if architecture == "dense" else _cnn
    content, card = course(learn, epochs, seed=seed, progress=progress)
    source = "" if data is None else f" --data {data.name}"
    card |= {
        "name": out.name,
        "data": "MNIST (keras.datasets.mnist)" if data is None else data.name,
        "command": f"digitwatch train --model {architecture}{source} --epochs {card['recipe']['epochs']} --seed {seed}",
        "minutes": round((time.monotonic() - began) / 60, 1),
        "licence": LICENCE,
    }
    result = measure(Classifier(content, card, out.name), test)
    progress(f"test accuracy {result.accuracy:.2%}, loss {result.loss:.4f}")
    card["scores"] |= {
        "test_accuracy": round(result.accuracy, 4),
        "test_loss": round(result.loss, 4),
        "test_digits": len(test),
        "test_calibration_error": round(result.calibration_error, 4),
    }
    export.save(content, card, out)
    return card


def _dense(learn: Digits, epochs: int | None, *, seed: int, progress: Progress) -> tuple[bytes, dict[str, Any]]:
    """Train the dense network plainly: pixels 0 to 1, Adam, no variations. Return .tflite and card."""
    epochs = epochs or DENSE_EPOCHS
    model = models.dense()
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(), metrics=["accuracy"])
    model.fit(floats(learn.pictures), learn.labels, epochs=epochs, verbose=0, callbacks=[Report(epochs, progress)])
    card = export.describe(classes=10, output="probabilities")
    return export.to_tflite(model), card | {"recipe": {"epochs": epochs}, "scores": {}}


def _cnn(learn: Digits, epochs: int | None, *, seed: int, progress: Progress) -> tuple[bytes, dict[str, Any]]:
    """Train the convolutional network and calibrate it on held-out writers. Return .tflite and card."""
    recipe = Recipe() if epochs is None else Recipe(epochs=epochs)
    learn, held = datasets.hold_out(learn)
    if lessons.size(learn) < recipe.batch:
        raise DataError(f"expected at least {recipe.batch} training digits for cnn, found {len(learn)}")
    model = _fit(learn, recipe, seed=seed, progress=progress)
    card = export.describe(classes=11, output="logits")
    content = export.to_tflite(model)
    card["temperature"] = temperature(Classifier(content, card), held)
    result = measure(Classifier(content, card), held)
    progress(f"accuracy {result.accuracy:.2%} on {len(held)} digits by writers held out of the training")
    scores = {"held_out_accuracy": round(result.accuracy, 4), "held_out_digits": len(held)}
    return content, card | {"recipe": asdict(recipe) | {"arithmetic": _policy()}, "scores": scores}


def _fit(learn: Digits, recipe: Recipe, *, seed: int, progress: Progress) -> keras.Model:
    """Return the convolutional network after its last epoch, in float32 and with averaged weights."""
    steps = lessons.size(learn) // recipe.batch
    rise = round(recipe.epochs * steps * recipe.warm_up)
    rate = keras.optimizers.schedules.CosineDecay(
        recipe.peak_rate / 25,
        decay_steps=recipe.epochs * steps - rise,
        warmup_target=recipe.peak_rate,
        warmup_steps=rise,
    )
    model = _with_policy(_policy(), models.cnn)
    model.compile(
        keras.optimizers.AdamW(rate, weight_decay=recipe.weight_decay, use_ema=True, ema_momentum=recipe.averaging),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=recipe.smoothing),
        metrics=["accuracy"],
    )
    model.fit(
        _batches(learn, recipe, seed), steps_per_epoch=steps, epochs=recipe.epochs, verbose=0,
        shuffle=False, callbacks=[Report(recipe.epochs, progress, steps)],
    )  # fmt: skip  # shuffle: the lessons already are
    exact = models.cnn()
    exact.set_weights(model.get_weights())
    return exact


def _batches(learn: Digits, recipe: Recipe, seed: int) -> Iterator[tuple[Floats, Floats]]:
    """Yield (batch, 28, 28, 1) pictures from 0 to 1 and (batch, 11) targets, epoch after epoch."""
    targets = np.eye(lessons.NOT_A_DIGIT + 1, dtype=np.float32)
    for pictures, labels in lessons.epochs(learn, count=recipe.epochs, seed=seed):
        for start in range(0, len(pictures) - recipe.batch + 1, recipe.batch):
            part = slice(start, start + recipe.batch)
            yield floats(pictures[part]), targets[labels[part]]


def _policy() -> str:
    """Return the fastest number format here: bfloat16 on processors with AMX, 74 s an epoch instead of 112.

    Weights are float32 either way, and the finished network calculates in float32.
    """
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="ascii", errors="replace")
    except OSError:  # not Linux
        return "float32"
    return "mixed_bfloat16" if "amx_bf16" in flags else "float32"


def _with_policy(policy: str, build: Callable[[], keras.Model]) -> keras.Model:
    """Return the network calculating in the number format `policy`, which holds for no other network."""
    before = keras.mixed_precision.global_policy()
    keras.mixed_precision.set_global_policy(policy)
    try:
        return build()
    finally:
        keras.mixed_precision.set_global_policy(before)


def floats(pictures: NDArray[np.uint8]) -> Floats:
    """Return (N, 28, 28) uint8 as (N, 28, 28, 1) float32 from 0 to 1."""
    return pictures[..., None].astype(np.float32) / np.float32(255)


class Report(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types
    """Tells the progress after each epoch, and every half minute within one."""

    def __init__(self, epochs: int, progress: Progress, steps: int = 0) -> None:
        """Expect so many epochs, each of `steps` batches; 0 where nobody knows."""
        super().__init__()
        self._epochs, self._steps, self._progress = epochs, steps, progress
        self._epoch, self._began, self._told = 0, time.monotonic(), time.monotonic()

    def on_epoch_begin(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Note which one."""
        self._epoch = epoch

    def on_train_batch_end(self, batch: int, logs: dict[str, float] | None = None) -> None:
        """Tell how far it is, now and then."""
        if self._steps and time.monotonic() - self._told > EVERY:
            self._tell(f"{(batch + 1) / self._steps:.0%}", logs)

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Tell that it is done."""
        self._tell("done", logs)

    def _tell(self, how_far: str, logs: dict[str, float] | None) -> None:
        values = logs or {}
        self._told = time.monotonic()
        self._progress(
            f"epoch {self._epoch + 1} of {self._epochs} {how_far}: accuracy {values.get('accuracy', 0):.2%}, "
            f"loss {values.get('loss', 0):.4f}, {(self._told - self._began) / 60:.1f} min"
        )
