"""A model is fine-tuned on reviewed pages and installed only if it got better."""

import csv
import hashlib
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("tensorflow")

from digitwatch.cli.main import main
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.networks.digit_image import normalise
from digitwatch.recognition.reader import Reader
from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.csv_rows import HEADER
from digitwatch.training.fitting import fine_tune
from digitwatch.training.fitting.fine_tune import Scores, _objection
from digitwatch.training.synthesis import strokes

FACES = (cv2.FONT_HERSHEY_SIMPLEX, cv2.FONT_HERSHEY_DUPLEX, cv2.FONT_HERSHEY_COMPLEX, cv2.FONT_HERSHEY_TRIPLEX)


def page(number: int) -> tuple[str, bytes]:
    """Return two digits and the image of a page with them."""
    text = f"{number % 10}{number * 7 % 10}"
    paper = np.full((120, 200), 240, np.uint8)
    cv2.putText(paper, text, (20 + number % 9, 90), FACES[number % 4], 2.2, 20, 3 + number % 5, cv2.LINE_AA)
    return text, cv2.imencode(".png", paper)[1].tobytes()


@pytest.fixture
def installation(tmp_path: Path) -> Path:
    """Return a configuration with 40 archived and reviewed pages, and few.npz to mix in."""
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
    return main(["-c", str(base / "config.yaml"), "train", *arguments])


def test_fine_tuning_ends_in_a_comparison(
    installation: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every step is reported; an installed model reads, replaces the configured one, and can be rolled back."""
    monkeypatch.setattr(fine_tune, "FEWEST_HELD", 5)
    code = train(installation, "--corrections", "--data", str(installation / "few.npz"), "--epochs", "1")
    said = capsys.readouterr().out

    assert "the comparison is a hint" in said
    assert "reviewed digits on" in said and "\nin use: " in said and "\nfine-tuned: " in said
    assert (code, "not installed: " in said) in ((0, False), (1, True))
    if code == 0:
        assert Reader(installation / "taught" / "cnn-taught-1").model.startswith("cnn-taught-1-")
        assert DigitClassifier.load(installation / "taught" / "cnn-taught-1").card["taught"]["pages"] > 20
        assert train(installation, "--rollback") == 0
        assert "back to cnn" in capsys.readouterr().out
    assert train(installation, "--rollback") == 2


def test_too_little_is_refused(installation: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With forty pages about ten are held out, which is too few; the message says how many more are needed."""
    assert train(installation, "--corrections", "--data", str(installation / "few.npz")) == 2
    said = capsys.readouterr().err

    assert "too few pages are reviewed to measure an improvement" in said
    assert 20 < int(said.partition("review about ")[2].split()[0]) < 80


@pytest.mark.parametrize(
    ("right", "loss", "test", "words"),
    [
        (11, 0.30, 0.9952, ""),
        (10, 0.19, 0.9952, ""),
        (11, 0.10, 0.9947, ""),
        (11, 0.10, 0.9946, "99.46% of the original test digits instead of 99.52%"),
        (10, 0.21, 0.9990, "not better on the held-out pages"),
        (9, 0.10, 0.9990, "9 of 12 right"),
    ],
)
def test_what_counts_as_better(right: int, loss: float, test: float, words: str) -> None:
    """More pages right, or as many with a lower loss; at most 0.05 points lost on the original test digits."""
    objection = _objection(Scores(12, 10, 0.20, 0.9952), Scores(12, right, loss, test))

    assert bool(objection) == bool(words)
    assert words in objection
