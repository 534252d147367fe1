"""Measures of an exported model on labelled digits: accuracy, loss, calibration, confusion matrix."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.training.data.digits import DataError, Digits, load

Chances = NDArray[np.float32]  # (N, classes) calibrated probabilities

BINS = 15  # of the reliability diagram


@dataclass(frozen=True)
class Evaluation:
    """The predictions of a model on labelled digits; `str` formats the measures for the terminal.

    chances: (N, classes) float32. truth: (N,) uint8. answers: names of the classes, ten digits first.
    """

    model: str
    chances: Chances
    truth: NDArray[np.uint8]
    answers: tuple[str, ...]

    @property
    def said(self) -> NDArray[np.int64]:
        """(N,) the class with the highest probability."""
        said: NDArray[np.int64] = self.chances.argmax(axis=1)
        return said

    @property
    def right(self) -> NDArray[np.bool_]:
        """(N,) whether that is true; `other` for a digit is wrong."""
        right: NDArray[np.bool_] = self.said == self.truth
        return right

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float(self.right.mean())

    @property
    def named(self) -> float:
        """Share whose most probable digit is the true one, whatever the probability of `other`."""
        return float((self.chances[:, :10].argmax(axis=1) == self.truth).mean())

    @property
    def loss(self) -> float:
        """Mean cross-entropy of the true digit."""
        true = self.chances[np.arange(len(self.truth)), self.truth]
        return float(-np.log(np.maximum(true, 1e-7)).mean())

    @property
    def confusion(self) -> NDArray[np.int64]:
        """(10, classes) how often each digit got each answer."""
        table = np.zeros((10, len(self.answers)), np.int64)
        np.add.at(table, (self.truth, self.said), 1)
        return table

    @property
    def calibration_error(self) -> float:
        """Expected calibration error: mean gap between confidence and accuracy over BINS equal bins.

        Guo et al., "On calibration of modern neural networks", 2017.
        """
        return float(sum(count * abs(sure - right) for sure, right, count in self.reliability()) / len(self.truth))

    def reliability(self) -> list[tuple[float, float, int]]:
        """Return (mean confidence, accuracy, count) for each bin of confidence that is not empty."""
        sure = self.chances.max(axis=1)
        bins = np.minimum((sure * BINS).astype(int), BINS - 1)
        return [
            (float(sure[bins == b].mean()), float(self.right[bins == b].mean()), int((bins == b).sum()))
            for b in np.unique(bins)
        ]

    def __str__(self) -> str:
        """Return accuracy, loss and the confusion table, as `digitwatch evaluate` prints them."""
        wrong = int((~self.right).sum())
        table = [
            ["", *self.answers],
            *([str(digit), *map(str, row)] for digit, row in enumerate(self.confusion)),
        ]
        lines = ["".join(f"{cell:>6}" for cell in row) for row in table]
        return "\n".join(
            [
                f"model     {self.model}",
                f"accuracy  {self.accuracy:.2%}  ({wrong} of {len(self.truth)} wrong)",
                f"named     {self.named:.2%}  (the most probable digit is right, whatever the probability of `other`)",
                f"loss      {self.loss:.4f}",
                f"calibration error  {self.calibration_error:.2%}",
                "",
                "true digit (rows) and predicted class (columns)",
                *lines,
            ]
        )


def evaluate(model: Path, *, data: Path | None = None) -> Evaluation:
    """Return the measurements of `model`.tflite on the test digits of MNIST or of the .npz file `data`.

    Raises:
        ModelError: the model or its card cannot be used.
        DataError: the data cannot be used.
    """
    classifier = DigitClassifier.load(model)
    if classifier.sorts_pictures:
        raise DataError(f"{classifier.name} classifies whole images and reads no digits; see the scores in its card")
    return measure(classifier, load(data)[1])


def measure(classifier: DigitClassifier, digits: Digits) -> Evaluation:
    """Return the measurements of a loaded classifier on `digits`."""
    return Evaluation(classifier.name, classifier(digits.pictures), digits.labels, classifier.labels)
