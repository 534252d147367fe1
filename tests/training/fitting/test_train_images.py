"""A model of one's own classes, from a folder of pictures to the rows and pictures of a batch."""

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from shapes import draw

from digitwatch.cli.main import main
from digitwatch.recognition.image.decode import decode
from digitwatch.recognition.reader import Reader

sorting: Any = pytest.importorskip("digitwatch.training.fitting.train_images", reason="needs the extra `train`")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train shortly on circles and squares drawn by program; return the stem of the model."""
    base = tmp_path_factory.mktemp("sorting")
    for name in ("round", "angular"):
        draw(base / "shapes", name, 30)
    asked = ["train", "--dataset", str(base / "shapes"), "--out", str(base / "shapes"), "--epochs", "2"]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"BATCH": 32, "FEWEST_STEPS": 20, "MEMORY": 0.6}.items():
            patch.setattr(sorting, name, value)
        assert main(asked) == 0
    return base / "shapes"


def test_the_card_says_what_it_sorts(model: Path) -> None:
    """Its own labels, its shape, and that the pictures stand on paper."""
    card = json.loads(model.with_suffix(".json").read_text())

    assert (card["reads"], card["labels"], card["reject"]) == ("objects", ["angular", "round"], None)
    assert card["input"] == {"shape": [24, 24], "dtype": "float32", "range": [0, 1], "ground": "light"}
    assert card["scores"]["test_accuracy"] > 0.9


def test_the_inbox_sorts_pictures(model: Path, tmp_path: Path) -> None:
    """A batch with such a model: the prediction is the class, the picture is drawn, a blank page is empty."""
    draw(tmp_path / "in", "round", 2)
    draw(tmp_path / "in", "angular", 2)
    cv2.imwrite(str(tmp_path / "in" / "blank.png"), np.full((50, 50), 255, np.uint8))
    (tmp_path / "config.yaml").write_text(f"model: {model}\nworkers: 1\nreview_below: 0\n")

    assert main(["-c", str(tmp_path / "config.yaml"), "--batch", str(tmp_path / "in")]) == 0

    with (tmp_path / "in-digitwatch" / "predictions.csv").open(newline="") as file:
        rows = {row["file"]: row for row in csv.DictReader(file)}
    assert rows.pop("blank.png")["status"] == "empty"
    assert {name: row["prediction"] for name, row in rows.items()} == {name: name.split("/")[0] for name in rows}
    assert {row["status"] for row in rows.values()} == {"ok"}
    pictures = list((tmp_path / "in-digitwatch" / "annotated").rglob("*.png"))
    assert len(pictures) == 5
    assert all(page.image.shape[1] > 600 for path in pictures for page in decode(path.read_bytes()))


def test_doubt_names_both_classes(model: Path) -> None:
    """A reading below the limit is to be reviewed, and says between what."""
    reader = Reader(model, review_below=1.1)
    [path] = list((model / "round").glob("7.png"))
    reading = reader.read(path)

    assert (reading.status, reading.text) == ("review", "round")
    assert reading.reason == "may be round or angular"
    assert reading.labels == reader.labels == ("angular", "round")


def test_such_a_model_reads_no_digits(model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It is neither measured on digits nor taught by their corrections, and each is said."""
    (tmp_path / "config.yaml").write_text(f"model: {model}\n")
    x, y = np.zeros((20, 28, 28), np.uint8), np.arange(20) % 10
    np.savez(tmp_path / "few.npz", x_train=x, y_train=y, x_test=x, y_test=y)
    common = ["-c", str(tmp_path / "config.yaml")]

    assert main([*common, "evaluate", "--data", str(tmp_path / "few.npz")]) == 2
    assert "classifies whole images and reads no digits" in capsys.readouterr().err
    assert main([*common, "train", "--corrections", "--data", str(tmp_path / "few.npz")]) == 2
    assert "classifies whole images, corrections are digits" in capsys.readouterr().err
