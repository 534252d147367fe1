"""Models and their cards: what is promised is checked, and answers are probabilities."""

import json
import shutil
from importlib import resources
from pathlib import Path

import numpy as np
import pytest

from digitwatch.recognition.networks.digit_classifier import DigitClassifier, ModelError

BUNDLED = Path(str(resources.files("digitwatch.models")))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A copy of the bundled model, to be spoilt."""
    for ending in ("tflite", "json"):
        shutil.copy(BUNDLED / f"cnn.{ending}", tmp_path)
    return tmp_path / "cnn"


def rewrite(model: Path, **changes: object) -> None:
    """Change entries of a model's card; None takes one away."""
    card = json.loads(model.with_suffix(".json").read_text())
    card.update(changes)
    card = {key: value for key, value in card.items() if key not in changes or value is not None}
    model.with_suffix(".json").write_text(json.dumps(card))


@pytest.mark.parametrize("count", [0, 1, 3, 5, 17, 65, 130])
def test_batches_of_any_size_give_one_answer_each(count: int) -> None:
    """Answers are probabilities, and do not depend on what else is in the batch."""
    classifier = DigitClassifier.load(BUNDLED / "cnn")
    batch = np.random.default_rng(1).integers(0, 256, (count, 28, 28)).astype(np.uint8)
    answers = classifier(batch)

    assert answers.shape == (count, len(classifier.labels))
    assert answers.dtype == np.float32
    assert np.allclose(answers.sum(axis=1), 1, atol=1e-4)
    assert all(np.allclose(classifier(batch[k : k + 1])[0], answers[k], atol=1e-4) for k in range(0, count, 16))


def test_the_name_identifies_the_model_file(model: Path) -> None:
    """It ends in eight hexadecimal digits that change with the file."""
    name, _, digest = DigitClassifier.load(model.with_suffix(".tflite")).name.rpartition("-")

    assert name == "cnn"
    assert len(digest) == 8
    assert int(digest, 16) >= 0


def test_the_class_that_is_no_digit_is_known() -> None:
    """The card names it, and its place among the labels is found."""
    classifier = DigitClassifier.load(BUNDLED / "cnn")

    assert classifier.reject is not None
    assert classifier.labels[classifier.reject] == "other"


def test_a_higher_temperature_makes_answers_less_sure(model: Path) -> None:
    """The temperature of the card is applied."""
    picture = np.zeros((1, 28, 28), np.uint8)
    picture[0, 4:24, 13:16] = 255
    sure = DigitClassifier.load(model)(picture).max()
    rewrite(model, temperature=50.0)

    assert DigitClassifier.load(model)(picture).max() < sure


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"labels": ["0", "1"], "reject": "1"}, "expected .* found .* train it again"),
        ({"temperature": None}, "lacks temperature"),
        ({"input": {"shape": [32, 32], "dtype": "float32", "range": [0, 1]}}, "does not match its card"),
    ],
)
def test_a_card_that_contradicts_the_model_is_refused(model: Path, changes: dict[str, object], words: str) -> None:
    """The message says what was expected, what was found, and what to do."""
    rewrite(model, **changes)

    with pytest.raises(ModelError, match=words):
        DigitClassifier.load(model)


def test_a_missing_card_is_named(model: Path) -> None:
    """The message names the file that is not there."""
    model.with_suffix(".json").unlink()

    with pytest.raises(ModelError, match=r"cnn\.json.*train it"):
        DigitClassifier.load(model)


@pytest.mark.parametrize("content", [b"", b"not a model", b"\x1c\x00\x00\x00TFL3" + b"\x00" * 100])
def test_a_file_that_is_no_model_is_refused(model: Path, content: bytes) -> None:
    """It does not end the process."""
    model.with_suffix(".tflite").write_bytes(content)

    with pytest.raises(ModelError, match="cnn"):
        DigitClassifier.load(model)


@pytest.mark.parametrize("label", ["", "=cmd()", "two\nlines", "+1", "@x"])
def test_labels_that_would_spoil_the_log_are_refused(model: Path, label: str) -> None:
    """A name with a line end breaks a row, one that begins like a formula is run by a spreadsheet."""
    rewrite(model, labels=[*"012345678", label, "other"])

    with pytest.raises(ModelError, match="a log or table cannot hold"):
        DigitClassifier.load(model)


def test_a_network_with_the_card_of_another_is_refused(tmp_path: Path) -> None:
    """The card holds the SHA-256 of its network."""
    for ending in ("tflite", "json"):
        shutil.copy(BUNDLED / f"dense.{ending}", tmp_path)
    with (tmp_path / "dense.tflite").open("ab") as network:
        network.write(bytes(1))

    with pytest.raises(ModelError, match="not the network of its card"):
        DigitClassifier.load(tmp_path / "dense")
