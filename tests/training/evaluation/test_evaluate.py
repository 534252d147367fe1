"""Facts about measuring a model, and the floors of the bundled ones."""

from pathlib import Path

import numpy as np
import pytest

import digitwatch.models
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.training.data.digits import load
from digitwatch.training.evaluation.evaluate import Evaluation, evaluate, measure

BUNDLED = Path(digitwatch.models.__file__).parent
FLOORS = {"cnn": 0.993, "dense": 0.96}  # on every fifth MNIST test digit


def made_up() -> Evaluation:
    """Return four answers, of which three are right: 0.9, 0.9, 0.9 and 0.6 sure."""
    chances = np.full((4, 11), 0.01, np.float32)
    chances[[0, 1, 2], [3, 3, 5]] = 0.9
    chances[3, 10] = 0.6
    return Evaluation("toy", chances, np.array([3, 3, 5, 8], np.uint8), (*"0123456789", "other"))


def test_accuracy_counts_other_as_wrong() -> None:
    """A digit that was refused is not read."""
    assert made_up().accuracy == 0.75


def test_a_refused_digit_may_be_named_right() -> None:
    """What counts then is the best of the digits; here the 8 that was refused has no chance above the others."""
    toy = made_up()
    toy.chances[3, 8] = 0.3

    assert (toy.accuracy, toy.named) == (0.75, 1.0)


def test_confusion_counts_every_answer() -> None:
    """Row is the truth and column the answer."""
    table = made_up().confusion

    assert table.shape == (10, 11)
    assert (table[3, 3], table[5, 5], table[8, 10]) == (2, 1, 1)
    assert table.sum() == 4


def test_calibration_error_is_the_mean_gap() -> None:
    """Three answers 0.1 too modest and one 0.6 too bold: a mean gap of 0.225."""
    assert made_up().calibration_error == pytest.approx(0.225, abs=1e-4)


def test_printed_evaluation_says_accuracy_loss_and_confusions() -> None:
    """What the command prints holds the figures and a row for each digit."""
    text = str(made_up())

    assert "accuracy  75.00%  (1 of 4 wrong)" in text
    assert "loss" in text
    assert text.splitlines()[-7].split()[:5] == ["3", "0", "0", "0", "2"]


@pytest.mark.parametrize("name", FLOORS)
def test_bundled_model_keeps_its_floor(shared: Path, name: str) -> None:
    """The bundled models read MNIST's test digits as well as their cards say, within what 2,000 digits can tell."""
    digits = load(shared / "mnist.npz")[1][::5]

    assert measure(DigitClassifier.load(BUNDLED / name), digits).accuracy >= FLOORS[name]


def test_evaluate_reads_model_and_data(tmp_path: Path) -> None:
    """A model on an .npz file: the evaluation is about its test digits."""
    blank = np.zeros((3, 28, 28), np.uint8)
    np.savez(tmp_path / "d.npz", x_train=blank, y_train=[0, 1, 2], x_test=blank, y_test=[0, 1, 2])

    evaluation = evaluate(BUNDLED / "dense", data=tmp_path / "d.npz")

    assert len(evaluation.truth) == 3
    assert evaluation.model.startswith("dense-")
