"""Facts about training: it ends in an installed model, and bad requests are refused at once."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("tensorflow")

from digitwatch.recognition.networks.digit_classifier import DigitClassifier, ModelError
from digitwatch.recognition.networks.digit_image import normalise
from digitwatch.recognition.reader import locate
from digitwatch.training.data.digits import DataError
from digitwatch.training.fitting.train_digits import Run, continue_crop, train
from digitwatch.training.synthesis import strokes


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an .npz of 300 digits drawn by program."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10), 30)
    pictures = np.stack([normalise(strokes.digit(int(label), rng)) for label in labels])
    path = tmp_path_factory.mktemp("data") / "drawn.npz"
    np.savez(path, x_train=pictures, y_train=labels, x_test=pictures[:50], y_test=labels[:50])
    return path


@pytest.mark.parametrize(("architecture", "classes"), [("dense", 10), ("cnn", 11)])
def test_training_installs_a_model(tmp_path: Path, data: Path, architecture: str, classes: int) -> None:
    """One epoch gives a model that the classifier loads, a card with scores, and lines of progress."""
    lines: list[str] = []

    card = train(architecture, tmp_path / "mine", Run(data, 1, 3, lines.append))
    model = DigitClassifier.load(tmp_path / "mine")

    assert card.items() <= json.loads((tmp_path / "mine.json").read_text()).items()
    assert classes == len(model.labels)
    assert any(line.startswith("epoch 1 of 1 done: accuracy") for line in lines)
    assert any(line.startswith("test accuracy") for line in lines)
    assert {"test_accuracy", "test_loss"} <= card["scores"].keys()
    assert "digitwatch train --model" in card["command"] and "--seed 3" in card["command"]


def test_same_seed_gives_the_same_dense_network(tmp_path: Path, data: Path) -> None:
    """Training is repeatable: two runs answer alike."""
    for name in ("first", "second"):
        train("dense", tmp_path / name, Run(data, 1, 5, lambda _: None))
    batch = np.load(data)["x_test"]

    assert np.allclose(*(DigitClassifier.load(tmp_path / name)(batch) for name in ("first", "second")), atol=1e-3)


def test_bad_requests_are_refused_before_any_work(tmp_path: Path) -> None:
    """Unknown architectures, no epochs and absent data are named, and nothing is written."""
    with pytest.raises(ValueError, match="expected one of cnn, dense, line, crop, foreground, found 'rnn'"):
        train("rnn", tmp_path / "x", Run())
    with pytest.raises(ValueError, match="expected 1 epoch or more, found 0"):
        train("cnn", tmp_path / "x", Run(epochs=0))
    with pytest.raises(DataError, match="no such file"):
        train("cnn", tmp_path / "x", Run(tmp_path / "absent.npz"))

    assert not list(tmp_path.iterdir())


def test_only_the_training_of_a_crop_model_is_continued(tmp_path: Path) -> None:
    """The model of single digits is named, and nothing is written."""
    with pytest.raises(ModelError, match="expected a crop model, found cnn, which reads digits"):
        continue_crop(locate("cnn").with_suffix(""), tmp_path / "x", Run())

    assert not list(tmp_path.iterdir())
