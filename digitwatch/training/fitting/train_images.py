"""Training of models that classify whole images: own labels, and a card with `reads: objects`."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import cv2
import keras
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.networks.digit_classifier import OBJECTS, DigitClassifier
from digitwatch.recognition.networks.letterbox import background_of
from digitwatch.training.data import digits, images
from digitwatch.training.data.digits import Digits
from digitwatch.training.data.images import Collection
from digitwatch.training.evaluation.evaluate import measure
from digitwatch.training.export import quantise, tflite
from digitwatch.training.export.calibrate import temperature
from digitwatch.training.fitting import architectures
from digitwatch.training.fitting.trainer import Progress, Report

EPOCHS = 10
BATCH = 64
FEWEST_STEPS = 40  # per epoch; few images are repeated with other variations
RATE, WEIGHT_DECAY, SMOOTHING = 2e-3, 1e-2, 0.05
MEMORY = 0.9  # momentum of batch normalisation, low because there are few steps
TURN, ZOOM, SHIFT = 8.0, 0.1, 0.06  # degrees, logarithm, share of the width: standard deviations
ONE_GROUND = 0.9  # share of images on dark (or light) ground from which on the others are inverted


def train(
    source: str, out: Path, *, epochs: int | None = None, seed: int = 1, progress: Progress = print
) -> dict[str, Any]:
    """Train a network on the images of `source` and install it as `out`.tflite and `out`.json; return the card.

    Args:
        source: as for images.load.
        out: path of the model without ending.
        epochs: None for EPOCHS.
        seed: of the weights, the order and all variations.
        progress: called with a line of text from time to time.

    Raises:
        DataError: the images cannot be used.
    """
    began = time.monotonic()
    epochs = epochs or EPOCHS
    data = images.load(source)
    progress(f"{len(data.learn)} training images, {len(data.test)} test images, {len(data.labels)} classes")
    keras.utils.set_random_seed(seed)
    order = np.random.default_rng(seed).permutation(len(data.learn))
    learn, held = digits.hold_out(data.learn[order])
    content = quantise.to_tflite(_fit(data, learn, epochs, seed, progress))
    card = _describe(data)
    card["temperature"] = temperature(DigitClassifier(content, card, out.name), held)
    result = measure(DigitClassifier(content, card, out.name), data.test)
    progress(f"test accuracy {result.accuracy:.2%}, loss {result.loss:.4f}")
    card |= {
        "recipe": {"epochs": epochs, "batch": BATCH, "rate": RATE},
        "scores": {"test_accuracy": round(result.accuracy, 4), "test_loss": round(result.loss, 4)},
        "name": out.name,
        "data": data.name,
        "command": f"digitwatch train --dataset {source} --epochs {epochs} --seed {seed}",
        "minutes": round((time.monotonic() - began) / 60, 1),
    }
    card["scores"]["test_pictures"] = len(data.test)
    tflite.save(content, card, out)
    return card


def _describe(data: Collection) -> dict[str, Any]:
    """Return the card without scores."""
    grounds = [background_of(picture) for picture in data.learn.pictures]
    common = [ground for ground in ("dark", "light") if grounds.count(ground) >= ONE_GROUND * len(grounds)]
    return {
        "labels": list(data.labels),
        "reject": None,
        "reads": OBJECTS,
        "input": {
            "shape": list(data.shape), "dtype": "float32", "range": [0, 1], "ground": common[0] if common else None,
        },
        "output": "logits",
        "temperature": 1.0,
        "review_below": tflite.REVIEW_BELOW,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
    }  # fmt: skip


def _fit(data: Collection, learn: Digits, epochs: int, seed: int, progress: Progress) -> keras.Model:
    shape = data.shape if len(data.shape) == 3 else (*data.shape, 1)
    network = architectures.cnn(shape, len(data.labels), memory=MEMORY)
    steps = max(FEWEST_STEPS, len(learn) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(RATE, decay_steps=epochs * steps)
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY),
        keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=SMOOTHING),
        metrics=["accuracy"],
    )
    network.fit(
        _batches(learn, shape, len(data.labels), seed), steps_per_epoch=steps, epochs=epochs, verbose=0,
        shuffle=False, callbacks=[Report(epochs, progress, steps)],
    )  # fmt: skip
    return network


def _batches(
    learn: Digits, shape: tuple[int, ...], classes: int, seed: int
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yield (BATCH, *shape) images from 0 to 1 and (BATCH, classes) targets without end."""
    rng = np.random.default_rng(seed)
    targets = np.eye(classes, dtype=np.float32)
    waiting = np.empty(0, np.int64)
    while True:
        while len(waiting) < BATCH:
            waiting = np.r_[waiting, rng.permutation(len(learn))]
        part, waiting = waiting[:BATCH], waiting[BATCH:]
        pictures = np.stack([_vary(learn.pictures[k], rng) for k in part]).reshape(BATCH, *shape)
        yield pictures.astype(np.float32) / np.float32(255), targets[learn.labels[part]]


def _vary(picture: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return the image slightly rotated, scaled and shifted; its edge pixels are repeated outside."""
    height, width = picture.shape[:2]
    middle = ((width - 1) / 2, (height - 1) / 2)
    matrix = cv2.getRotationMatrix2D(middle, rng.normal(0, TURN), float(np.exp(rng.normal(0, ZOOM))))
    matrix[:, 2] += rng.normal(0, SHIFT, 2) * (width, height)
    changed: NDArray[np.uint8] = cv2.warpAffine(picture, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return changed
