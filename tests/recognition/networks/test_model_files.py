"""The files of the models that read lines."""

import json
import shutil
from importlib import resources
from pathlib import Path

import pytest

from digitwatch.recognition.networks.digit_classifier import ModelError
from digitwatch.recognition.networks.model_files import read
from digitwatch.recognition.second_reader import SecondReader

BUNDLED = Path(str(resources.files("digitwatch.models")))


@pytest.fixture
def stem(tmp_path: Path) -> Path:
    """Return a copy of the crop model."""
    for ending in (".tflite", ".json"):
        shutil.copy(BUNDLED / f"crop{ending}", tmp_path)
    return tmp_path / "crop"


def test_a_network_of_another_card_is_refused(stem: Path) -> None:
    """The models that read lines are held against their cards as the digit classifier is."""
    with stem.with_suffix(".tflite").open("ab") as network:
        network.write(bytes(1))

    with pytest.raises(ModelError, match="not the network of its card"):
        read(stem)


def test_a_card_without_the_agreement_is_refused(stem: Path) -> None:
    """A retrained crop model without it is refused with a message of what is missing."""
    card = json.loads(stem.with_suffix(".json").read_text())
    stem.with_suffix(".json").write_text(json.dumps({name: card[name] for name in card if name != "agreement"}))

    with pytest.raises(ModelError, match="agreement"):
        SecondReader.load(stem, [*"0123456789"], 0.95)
