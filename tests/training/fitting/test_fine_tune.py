"""A model learns on from reviewed pages, and is installed only if that made it better."""

import csv
import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

from digitwatch.cli import main as cli
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.networks.digit_image import normalise
from digitwatch.recognition.reader import Reader
from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import HEADER
from digitwatch.training.fitting import fine_tune
from digitwatch.training.fitting.fine_tune import Marks, _objection
from digitwatch.training.synthesis import strokes

FACES = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


def page(number: int) -> tuple[str, bytes]:
    """Draw a page of two digits; give what stands there and the image."""
    text = f"{number % 10}{number * 7 % 10}"
    paper = np.full((120, 200), 240, np.uint8)
    cv2.putText(paper, text, (20 + number % 9, 90), FACES[number % 4], 2.2, 20, 3 + number % 5, cv2.LINE_AA)
    return text, cv2.imencode(".png", paper)[1].tobytes()


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """Give a configuration with 40 archived and reviewed pages, and few.npz to mix in."""
    (tmp_path / "config.yaml").write_text(
        "".join(f"{name}: {name}\n" for name in ("inbox", "outbox", "archive", "failed", "taught"))
        + "predictions: predictions.csv\ncorrections: corrections.csv\n"
    )
    (tmp_path / "archive").mkdir()
    with (tmp_path / "predictions.csv").open("w") as log:
        log.write(HEADER)
        for number in range(40):
            text, data = page(number)
            (tmp_path / "archive" / f"{number}.png").write_bytes(data)
            sha = hashlib.sha256(data).hexdigest()
            csv.writer(log).writerow(
                ["t", "a", 1, "", 0, "ok", "", "", number, sha, "", f"archive/{number}.png", "m", 1]
            )
            told = Correction("t", str(number), "a", "1", sha, "", text, "me")
            correction_log.append(tmp_path / "corrections.csv", told)
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10), 20)
    pictures = np.stack([normalise(strokes.digit(int(label), rng)) for label in labels])
    np.savez(tmp_path / "few.npz", x_train=pictures, y_train=labels, x_test=pictures[:50], y_test=labels[:50])
    return tmp_path


def train(base: Path, *arguments: str) -> int:
    """Run `digitwatch train`."""
    return cli.main(["-c", str(base / "config.yaml"), "train", *arguments])


def test_teaching_ends_in_a_verdict(
    installation: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One epoch: every step is told; what is installed reads, stands in, and can be gone back from."""
    monkeypatch.setattr(fine_tune, "FEWEST_HELD", 5)
    code = train(installation, "--corrections", "--data", str(installation / "few.npz"), "--epochs", "1")
    said = capsys.readouterr().out

    assert "the verdict is a hint" in said
    assert "reviewed digits on" in said and "\nin use: " in said and "\ntaught: " in said
    assert (code, "not installed: " in said) in ((0, False), (1, True))
    if code == 0:
        assert Reader(installation / "taught" / "cnn-taught-1").model.startswith("cnn-taught-1-")
        assert DigitClassifier.load(installation / "taught" / "cnn-taught-1").card["taught"]["pages"] > 20
        assert train(installation, "--rollback") == 0
        assert "back to cnn" in capsys.readouterr().out
    assert train(installation, "--rollback") == 2


def test_too_little_is_refused(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With forty pages some ten are held back, which tells nothing; it says how many more are wanted."""
    assert train(installation, "--corrections", "--data", str(installation / "few.npz")) == 2
    said = capsys.readouterr().err

    assert "too little has been reviewed to tell better from worse" in said
    assert 20 < int(said.partition("review some ")[2].split()[0]) < 80


@pytest.mark.parametrize(
    ("right", "loss", "test", "words"),
    [
        (11, 0.30, 0.9952, ""),
        (10, 0.19, 0.9952, ""),
        (11, 0.10, 0.9947, ""),
        (11, 0.10, 0.9946, "99.46% of the original test digits instead of 99.52%"),
        (10, 0.21, 0.9990, "not better on the pages held back"),
        (9, 0.10, 0.9990, "9 of 12 right"),
    ],
)
def test_what_counts_as_better(right: int, loss: float, test: float, words: str) -> None:
    """More pages right, or as many and surer; and not more than 0.05 points lost on the original test digits."""
    objection = _objection(Marks(12, 10, 0.20, 0.9952), Marks(12, right, loss, test))

    assert bool(objection) == bool(words)
    assert words in objection
