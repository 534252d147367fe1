"""Teaching: a model learns on from the digits that people have reviewed, and is kept only if that made it better."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.reader import Reader, locate
from digitwatch.training.data import digits as datasets
from digitwatch.training.data import labelled_crops
from digitwatch.training.data.digits import DataError, Digits
from digitwatch.training.data.labelled_crops import LabelledCrops, Page
from digitwatch.training.evaluation.evaluate import measure
from digitwatch.training.export import quantise, tflite
from digitwatch.training.export.calibrate import temperature
from digitwatch.training.export.tflite_to_keras import recover
from digitwatch.training.fitting.train_digits import floats
from digitwatch.training.fitting.trainer import Progress, Report
from digitwatch.training.synthesis import augment
from digitwatch.training.synthesis import epochs as lessons

EPOCHS = 3
BATCH = 128
RATE = 2e-4  # a twentieth of what a network starts with: it is to keep what it knows
WEIGHT_DECAY = 2e-2
SMOOTHING = 0.05
ORIGINAL = 6_000  # digits of the original data in an epoch, so that what they taught is not forgotten
SHARE = 0.25  # of an epoch for reviewed digits, at most
OFTEN = 20  # times that one reviewed digit is shown in an epoch, varied each time, at most

FEWEST = 10  # reviewed digits to teach
# Pages held back, below which the verdict would be chance: where one page in ten is read wrong, four of them hold no
# wrong one in two cases of three, so that nothing could become better; twenty hold one in seven cases of eight.
FEWEST_HELD = 20
FIRM = 100  # pages held back from which on a page more or less is no chance any more
WORSE = 0.0005  # of MNIST's test digits that may be read worse than before


@dataclass(frozen=True)
class Course:
    """How a model learns on.

    data: as for train.train; mixed with the reviewed digits, and its test digits guard what was known.
    seed: of the order and every variation.
    """

    data: Path | None = None
    epochs: int = EPOCHS
    seed: int = 1


@dataclass(frozen=True)
class Taught:
    """A model that has learned on, with its card, and why it should not be installed; empty where it should."""

    content: bytes
    card: dict[str, Any]
    objection: str


@dataclass(frozen=True)
class Marks:
    """What decides: pages held back and read right, the loss on their digits, and accuracy on the original test."""

    pages: int
    right: int
    loss: float
    test: float

    def __str__(self) -> str:
        """Return them for people."""
        return f"{self.right} of {self.pages} pages held back right, loss {self.loss:.4f}; test digits {self.test:.2%}"


def teach(
    named: Path | str,
    in_use: Path | str,
    pages: Sequence[Page],
    course: Course,
    progress: Progress = print,
) -> Taught:
    """Let the model `named` learn on from reviewed pages, and compare it with the one `in_use`.

    It always starts from `named`, with all that was ever reviewed, so that teaching twice does not drift away.

    Args:
        named: a bundled name, or a path of a model made by `digitwatch train`.
        in_use: the model that reads now: `named` itself, or one taught before.
        pages: what people have looked at.
        course: how.
        progress: called with a line now and then.

    Raises:
        DataError: there is too little to learn from, or the data is not usable.
        ModelError: a model cannot be used.
        RecoverError: its network is none that can learn on.
    """
    learn, test = datasets.load(course.data)
    base, reader = DigitClassifier.load(locate(named)), Reader(in_use)
    if base.sorts_pictures:
        raise DataError(f"{base.name} sorts whole pictures; corrections are digits: train it anew with --dataset")
    taught = labelled_crops.cut(reader, [page for page in pages if not page.is_held_back])
    held_back = [page for page in pages if page.is_held_back]
    held = labelled_crops.cut(reader, held_back)
    progress(_summary(taught, held))
    _refuse_too_few(taught, held)
    if held.pages < FIRM:
        progress(f"{held.pages} pages held back are few: the verdict is a hint, no proof; {FIRM} would be firm")
    before = _marks(DigitClassifier.load(locate(in_use)), held, held.digits, test)
    progress(f"in use: {before}")

    content, card = learn_on(named, taught.digits, learn, course, progress)
    after = _marks(DigitClassifier(content, card), _cut_with(content, card, held_back), held.digits, test)
    progress(f"taught: {after}")
    card["command"] = f"digitwatch train --corrections --epochs {course.epochs} --seed {course.seed}"
    card["taught"] = {"from": base.name, "pages": taught.pages, "digits": len(taught.digits), "result": str(after)}
    card |= {"name": Path(named).stem}
    card["scores"] = {"test_accuracy": round(after.test, 4), "test_digits": len(test)}
    return Taught(content, card, _objection(before, after))


def learn_on(
    named: Path | str, reviewed: Digits, original: Digits, course: Course, progress: Progress
) -> tuple[bytes, dict[str, Any]]:
    """Return the model `named` after it has learned on from the reviewed digits mixed with the original ones.

    Returns:
        its .tflite, and its card with a temperature of its own; the scores are still those from before.

    Raises:
        RecoverError: its network is none that can learn on.
    """
    base = DigitClassifier.load(locate(named))
    keras.utils.set_random_seed(course.seed)
    network = recover(locate(named).with_suffix(".tflite").read_bytes(), base.name)
    learn, calibration = datasets.hold_out(original)
    _learn(network, _mixed(learn, reviewed, course.seed), base.card, course, progress)
    content = quantise.to_tflite(network, quantise.EXACT)
    card = base.card | {"created": datetime.now(UTC).isoformat(timespec="seconds"), "temperature": 1.0}
    if card["output"] == "logits":
        card["temperature"] = temperature(DigitClassifier(content, card), calibration)
    return content, card


def _summary(taught: LabelledCrops, held: LabelledCrops) -> str:
    passed_over = taught.passed_over + held.passed_over
    reasons = "; ".join(f"{count} where {why}" for why, count in sorted(passed_over.items()))
    line = f"{len(taught.digits)} reviewed digits on {taught.pages} pages to learn from, {held.pages} pages held back"
    return line + (f"; passed over: {reasons}" if reasons else "")


def _refuse_too_few(taught: LabelledCrops, held: LabelledCrops) -> None:
    """Stop where nobody could tell whether teaching helped.

    Raises:
        DataError: it is so.
    """
    more = max(FEWEST, labelled_crops.HELD_BACK * (FEWEST_HELD - held.pages))
    if len(taught.digits) < FEWEST or held.pages < FEWEST_HELD or not len(held.digits):
        raise DataError(
            f"too little has been reviewed to tell better from worse: expected at least {FEWEST} digits to learn from "
            f"and {FEWEST_HELD} pages held back, found {len(taught.digits)} and {held.pages}; one scan in "
            f"{labelled_crops.HELD_BACK} is held back: review some {more} pages more"
        )


def _marks(classifier: DigitClassifier, read: LabelledCrops, digits: Digits, test: Digits) -> Marks:
    loss = measure(classifier, digits).loss
    return Marks(read.pages, read.right, loss, measure(classifier, test).accuracy)


def _cut_with(content: bytes, card: dict[str, Any], pages: list[Page]) -> LabelledCrops:
    """Read pages with a model that is not installed yet."""
    with tempfile.TemporaryDirectory() as folder:
        tflite.save(content, card, Path(folder) / "taught")
        return labelled_crops.cut(Reader(Path(folder) / "taught"), pages)


def _objection(before: Marks, after: Marks) -> str:
    """Say why the model should not be installed, or nothing: better on what was held back, as good on the rest.

    Better is more pages right, or as many and surer of their digits.
    """
    if after.test < before.test - WORSE - 1e-9:  # shares of whole digits, in floating point
        return f"it reads {after.test:.2%} of the original test digits instead of {before.test:.2%}"
    if (after.right, -after.loss) <= (before.right, -before.loss):
        return (
            f"it is not better on the pages held back: {after.right} of {after.pages} right (loss {after.loss:.4f}), "
            f"before {before.right} (loss {before.loss:.4f})"
        )
    return ""


def _mixed(original: Digits, reviewed: Digits, seed: int) -> Digits:
    """Return a part of the original digits and the reviewed ones, these repeated up to SHARE of the whole."""
    order = np.random.default_rng(seed).permutation(len(original))[:ORIGINAL]
    times = round(len(order) * SHARE / (1 - SHARE) / len(reviewed))
    times = min(OFTEN, max(1, times))
    pictures = np.concatenate([original.pictures[order], *[reviewed.pictures] * times])
    return Digits(pictures, np.concatenate([original.labels[order], *[reviewed.labels] * times]))


def _learn(network: keras.Model, digits: Digits, card: dict[str, Any], course: Course, progress: Progress) -> None:
    """Fit the network to varied digits; its normalisations stay, since their statistics are folded away."""
    for layer in network.layers:
        layer.trainable = not isinstance(layer, keras.layers.BatchNormalization)
    classes = len(card["labels"])
    steps = max(1, (lessons.size(digits) if card["reject"] else len(digits)) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(RATE, decay_steps=course.epochs * steps)
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY),
        keras.losses.CategoricalCrossentropy(from_logits=card["output"] == "logits", label_smoothing=SMOOTHING),
        metrics=["accuracy"],
    )
    network.fit(
        _batches(digits, classes, course), steps_per_epoch=steps, epochs=course.epochs, verbose=0,
        shuffle=False, callbacks=[Report(course.epochs, progress, steps)],
    )  # fmt: skip


def _batches(digits: Digits, classes: int, course: Course) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yield (BATCH, 28, 28, 1) pictures from 0 to 1 and (BATCH, classes) targets, epoch after epoch."""
    targets = np.eye(classes, dtype=np.float32)
    varied = classes > lessons.CLASSES  # the network without `other` is small, and learns from plain digits alone
    epochs = lessons.epochs(digits, count=course.epochs, seed=course.seed) if varied else _plainly(digits, course)
    for pictures, labels in epochs:
        which = np.resize(np.arange(len(labels)), max(BATCH, len(labels)))  # a tiny lesson fills one batch
        for start in range(0, len(which) - BATCH + 1, BATCH):
            part = which[start : start + BATCH]
            yield floats(pictures[part]), targets[labels[part]]


def _plainly(digits: Digits, course: Course) -> Iterator[lessons.Lesson]:
    """Yield the digits in another order for each epoch, half of them a little bent and moved."""
    rng = np.random.default_rng(course.seed)
    for _ in range(course.epochs):
        order = rng.permutation(len(digits))
        pictures = [digits.pictures[k] if rng.random() < 0.5 else augment.mild(digits.pictures[k], rng) for k in order]
        yield np.stack(pictures), digits.labels[order]
