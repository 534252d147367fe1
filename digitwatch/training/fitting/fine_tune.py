"""Fine-tuning of a model on reviewed digits; the result is rejected unless it is better on held-out pages."""

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import keras
import numpy as np
from numpy.typing import NDArray

from digitwatch.forms.schema import Form
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.reader import Reader, locate
from digitwatch.training.data import labelled_crops
from digitwatch.training.data.digits import DataError, Digits, hold_out, load
from digitwatch.training.data.labelled_crops import LabelledCrops, Page
from digitwatch.training.evaluation.evaluate import measure
from digitwatch.training.export import quantise, tflite
from digitwatch.training.export.calibrate import temperature
from digitwatch.training.export.tflite_to_keras import recover
from digitwatch.training.fitting.train_digits import floats
from digitwatch.training.fitting.trainer import Progress, Report
from digitwatch.training.synthesis import augment, epochs

EPOCHS = 3
BATCH = 128
RATE = 2e-4  # a twentieth of the initial training rate, so that the weights stay close to those of the base model
WEIGHT_DECAY = 2e-2
SMOOTHING = 0.05
ORIGINAL = 6_000  # digits of the original data in an epoch, against catastrophic forgetting
SHARE = 0.25  # largest share of reviewed digits in an epoch
MAX_REPEATS = 20  # of one reviewed digit in an epoch, each time with another variation

FEWEST = 10  # reviewed digits to learn from
# Smallest number of held-out pages. Where one page in ten is read wrong, four pages hold no wrong one in two cases of
# three, so that no improvement could show; twenty pages hold a wrong one in seven cases of eight.
FEWEST_HELD = 20
RELIABLE = 100  # held-out pages from which on a difference of one page is not chance
TOLERANCE = 0.0005  # accepted loss of accuracy on the original test digits


@dataclass(frozen=True)
class FineTuneRecipe:
    """How a model is fine-tuned.

    data: as for train_digits.train; mixed with the reviewed digits, and its test digits must not be read worse.
    seed: of the order and of all variations. forms: the templates of the fields among what was reviewed.
    """

    data: Path | None = None
    epochs: int = EPOCHS
    seed: int = 1
    forms: tuple[Form, ...] = ()


@dataclass(frozen=True)
class FineTuned:
    """The fine-tuned model with its card; `objection` says why not to install it, "" if it should be installed."""

    content: bytes
    card: dict[str, Any]
    objection: str


@dataclass(frozen=True)
class Scores:
    """The criteria: held-out pages read right, the loss on their digits, the accuracy on the original test digits."""

    pages: int
    right: int
    loss: float
    test: float

    def __str__(self) -> str:
        """Return the scores as one line of text."""
        return f"{self.right} of {self.pages} held-out pages right, loss {self.loss:.4f}; test digits {self.test:.2%}"


def fine_tune(
    base: Path | str,
    active: Path | str,
    pages: Sequence[Page],
    recipe: FineTuneRecipe,
    progress: Progress = print,
) -> FineTuned:
    """Fine-tune the model `base` on reviewed pages and compare it with the one in use.

    It always starts from `base`, with everything that was ever reviewed, so that repeated fine-tuning does not drift.

    Args:
        base: a bundled name, or the path of a model made by `digitwatch train`.
        active: the model in use: `base` itself, or one that was fine-tuned before.
        pages: the reviewed pages.
        recipe: epochs, seed and the original data.
        progress: called with a line of text from time to time.

    Raises:
        DataError: there is too little to learn from, or the data cannot be used.
        ModelError: a model cannot be used.
        RecoverError: the network of `base` cannot be fine-tuned.
    """
    learn, test = load(recipe.data)
    classifier, reader = DigitClassifier.load(locate(base)), Reader(active)
    if classifier.sorts_pictures:
        raise DataError(f"{classifier.name} classifies whole images, corrections are digits: train it with --dataset")
    held_out = [page for page in pages if page.is_held_out]
    reviewed = labelled_crops.cut(reader, [page for page in pages if not page.is_held_out], recipe.forms)
    held = labelled_crops.cut(reader, held_out, recipe.forms)
    _announce(reviewed, held, progress)
    before = _scores(DigitClassifier.load(locate(active)), held, held.digits, test)
    progress(f"in use: {before}")

    content, card = continue_training(base, reviewed.digits, learn, recipe, progress)
    after = _scores(DigitClassifier(content, card), _cut_with(content, card, held_out, recipe.forms), held.digits, test)
    progress(f"fine-tuned: {after}")
    card |= _card_entries(recipe, classifier.name, reviewed, after) | {"name": Path(base).stem}
    card["scores"] = {"test_accuracy": round(after.test, 4), "test_digits": len(test)}
    return FineTuned(content, card, _objection(before, after))


def continue_training(
    base: Path | str, reviewed: Digits, original: Digits, recipe: FineTuneRecipe, progress: Progress
) -> tuple[bytes, dict[str, Any]]:
    """Return the model `base` after training on the reviewed digits mixed with the original ones.

    Returns:
        the .tflite, and the card with a new temperature; the scores in it are still those of `base`.

    Raises:
        RecoverError: its network cannot be trained.
    """
    before = DigitClassifier.load(locate(base))
    keras.utils.set_random_seed(recipe.seed)
    network = recover(locate(base).with_suffix(".tflite").read_bytes(), before.name)
    learn, calibration = hold_out(original)
    _fit(network, _mixed(learn, reviewed, recipe.seed), before.card, recipe, progress)
    content = quantise.to_tflite(network, quantise.EXACT)
    card = before.card | {"created": datetime.now(UTC).isoformat(timespec="seconds"), "temperature": 1.0}
    if card["output"] == "logits":
        card["temperature"] = temperature(DigitClassifier(content, card), calibration)
    return content, card


def _card_entries(recipe: FineTuneRecipe, source: str, reviewed: LabelledCrops, after: Scores) -> dict[str, Any]:
    """Return how the model was fine-tuned from the model named `source`, for its card."""
    return {
        "command": f"digitwatch train --corrections --epochs {recipe.epochs} --seed {recipe.seed}",
        "taught": {"from": source, **reviewed.counts, "result": str(after)},
    }


def _announce(reviewed: LabelledCrops, held: LabelledCrops, progress: Progress) -> None:
    """Log what there is to learn from.

    Raises:
        DataError: it is too little.
    """
    progress(_summary(reviewed, held))
    _require_enough(reviewed, held)
    if held.pages < RELIABLE:
        progress(
            f"only {held.pages} pages are held out: the comparison is a hint, no proof; {RELIABLE} would be reliable"
        )


def _summary(reviewed: LabelledCrops, held: LabelledCrops) -> str:
    skipped = reviewed.skipped + held.skipped
    reasons = "; ".join(f"{count} because {why}" for why, count in sorted(skipped.items()))
    line = (
        f"{len(reviewed.digits)} reviewed digits on {reviewed.pages} pages to learn from, {held.pages} pages held out"
    )
    return line + (f"; skipped: {reasons}" if reasons else "")


def _require_enough(reviewed: LabelledCrops, held: LabelledCrops) -> None:
    """Refuse too few pages to measure whether fine-tuning helped.

    Raises:
        DataError: there are too few.
    """
    more = max(FEWEST, labelled_crops.HELD_OUT * (FEWEST_HELD - held.pages))
    if len(reviewed.digits) < FEWEST or held.pages < FEWEST_HELD or not len(held.digits):
        raise DataError(
            f"too few pages are reviewed to measure an improvement: expected at least {FEWEST} digits to learn from "
            f"and {FEWEST_HELD} held-out pages, found {len(reviewed.digits)} and {held.pages}; one scan in "
            f"{labelled_crops.HELD_OUT} is held out: review about {more} more pages"
        )


def _scores(classifier: DigitClassifier, read: LabelledCrops, digits: Digits, test: Digits) -> Scores:
    loss = measure(classifier, digits).loss
    return Scores(read.pages, read.right, loss, measure(classifier, test).accuracy)


def _cut_with(content: bytes, card: dict[str, Any], pages: list[Page], forms: Sequence[Form]) -> LabelledCrops:
    """Read pages with a model that is not installed."""
    with tempfile.TemporaryDirectory() as folder:
        tflite.save(content, card, Path(folder) / "candidate")
        return labelled_crops.cut(Reader(Path(folder) / "candidate"), pages, forms)


def _objection(before: Scores, after: Scores) -> str:
    """Return why the model should not be installed, "" if it should.

    It must read more held-out pages right, or as many with a lower loss, and the original test digits as well.
    """
    if after.test < before.test - TOLERANCE - 1e-9:  # for rounding in floating point
        return f"it reads {after.test:.2%} of the original test digits instead of {before.test:.2%}"
    if (after.right, -after.loss) <= (before.right, -before.loss):
        return (
            f"it is not better on the held-out pages: {after.right} of {after.pages} right (loss {after.loss:.4f}), "
            f"before {before.right} (loss {before.loss:.4f})"
        )
    return ""


def _mixed(original: Digits, reviewed: Digits, seed: int) -> Digits:
    """Return a part of the original digits and the reviewed ones, these repeated up to SHARE of the whole."""
    order = np.random.default_rng(seed).permutation(len(original))[:ORIGINAL]
    times = round(len(order) * SHARE / (1 - SHARE) / len(reviewed))
    times = min(MAX_REPEATS, max(1, times))
    pictures = np.concatenate([original.pictures[order], *[reviewed.pictures] * times])
    return Digits(pictures, np.concatenate([original.labels[order], *[reviewed.labels] * times]))


def _fit(
    network: keras.Model, digits: Digits, card: dict[str, Any], recipe: FineTuneRecipe, progress: Progress
) -> None:
    """Fit the network to varied digits."""
    classes = len(card["labels"])
    steps = max(1, (epochs.size(digits) if card["reject"] else len(digits)) // BATCH)
    rate = keras.optimizers.schedules.CosineDecay(RATE, decay_steps=recipe.epochs * steps)
    network.compile(
        keras.optimizers.AdamW(rate, weight_decay=WEIGHT_DECAY),
        keras.losses.CategoricalCrossentropy(from_logits=card["output"] == "logits", label_smoothing=SMOOTHING),
        metrics=["accuracy"],
    )
    network.fit(
        _batches(digits, classes, recipe), steps_per_epoch=steps, epochs=recipe.epochs, verbose=0,
        shuffle=False, callbacks=[Report(recipe.epochs, progress, steps)],
    )  # fmt: skip


def _batches(
    digits: Digits, classes: int, recipe: FineTuneRecipe
) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    """Yield (BATCH, 28, 28, 1) pictures from 0 to 1 and (BATCH, classes) targets, epoch after epoch."""
    targets = np.eye(classes, dtype=np.float32)
    varied = (
        classes > epochs.CLASSES
    )  # the network without the class `other` is small and is trained on plain digits only
    source = epochs.generate(digits, count=recipe.epochs, seed=recipe.seed) if varied else _plain(digits, recipe)
    for pictures, labels in source:
        which = np.resize(np.arange(len(labels)), max(BATCH, len(labels)))  # a tiny epoch is repeated to fill one batch
        for start in range(0, len(which) - BATCH + 1, BATCH):
            part = which[start : start + BATCH]
            yield floats(pictures[part]), targets[labels[part]]


def _plain(digits: Digits, recipe: FineTuneRecipe) -> Iterator[epochs.Epoch]:
    """Yield the digits in a new order for each epoch, half of them slightly deformed and shifted."""
    rng = np.random.default_rng(recipe.seed)
    for _ in range(recipe.epochs):
        order = rng.permutation(len(digits))
        pictures = [digits.pictures[k] if rng.random() < 0.5 else augment.mild(digits.pictures[k], rng) for k in order]
        yield np.stack(pictures), digits.labels[order]
