"""HTML report on a model, with charts: accuracy, calibration, robustness and the worst errors."""

import base64
import html
import io
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.networks.digit_image import normalise
from digitwatch.training.data.digits import DataError, Digits, load
from digitwatch.training.evaluation import charts, corruptions
from digitwatch.training.evaluation.evaluate import Evaluation, measure
from digitwatch.training.synthesis import negatives, strokes

NON_DIGITS = 1000  # generated to count those read as a digit
WORST = 40  # mistakes shown
CORRUPTED = 2000  # digits per corruption


@dataclass(frozen=True)
class Findings:
    """Everything that the report shows.

    others: share of made non-digits that got a digit above the review limit.
    corruption, source: name to accuracy. milliseconds: for one digit on one thread.
    """

    evaluation: Evaluation
    digits: Digits
    corruption: dict[str, float]
    source: dict[str, float]
    others: float
    megabytes: float
    milliseconds: float
    review_below: float


def report(model: Path, folder: Path, *, data: Path | None = None, sources: Sequence[Path] = ()) -> Path:
    """Measure `model`.tflite and write `folder`/index.html, a self-contained page; return its path.

    Args:
        model: path of the model, with or without .tflite.
        folder: made if it is not there.
        data: as for evaluate; None: MNIST.
        sources: further .npz files with x_test and y_test, or images and labels of any size, 255 = ink.

    Raises:
        ModelError: the model cannot be used.
        DataError: a data file cannot be used.
    """
    findings = find(model, data=data, sources=sources)
    folder.mkdir(parents=True, exist_ok=True)
    page = folder / "index.html"
    page.write_text(_page(findings), encoding="utf-8")
    return page


def find(model: Path, *, data: Path | None = None, sources: Sequence[Path] = ()) -> Findings:
    """Return all measurements of the report."""
    classifier = DigitClassifier.load(model)
    digits = load(data)[1]
    evaluation = measure(classifier, digits)
    some = digits[:: max(1, len(digits) // CORRUPTED)]
    limit = float(classifier.card["review_below"])
    return Findings(
        evaluation=evaluation,
        digits=digits,
        corruption={name: _spoiled(classifier, some, name) for name in corruptions.CORRUPTIONS},
        source=_by_source(classifier, evaluation, sources),
        others=_taken_for_digits(classifier, digits, limit),
        megabytes=_file(model).stat().st_size / 1e6,
        milliseconds=_speed(classifier, digits),
        review_below=limit,
    )


def _file(model: Path) -> Path:
    """Return the .tflite of a model named with or without its ending."""
    return model if model.suffix == ".tflite" else model.with_name(f"{model.name}.tflite")


def _spoiled(classifier: DigitClassifier, digits: Digits, name: str) -> float:
    """Return the accuracy on the digits after one corruption."""
    pictures = corruptions.corrupt(digits.pictures, name)
    return measure(classifier, Digits(pictures, digits.labels)).accuracy


def _by_source(classifier: DigitClassifier, evaluation: Evaluation, sources: Sequence[Path]) -> dict[str, float]:
    """Return the accuracy by origin of the digits."""
    rng = np.random.default_rng(0)
    labels = np.tile(np.arange(10, dtype=np.uint8), 100)
    drawn = np.stack([normalise(strokes.digit(int(label), rng)) for label in labels])
    half = len(evaluation.truth) // 2  # the halves of MNIST are by different groups of writers
    found = {
        "test digits, first half": float(evaluation.right[:half].mean()),
        "test digits, second half": float(evaluation.right[half:].mean()),
        "generated, European and square forms": measure(classifier, Digits(drawn, labels)).accuracy,
    }
    return found | {path.stem: measure(classifier, foreign(path)).accuracy for path in sources}


def foreign(path: Path) -> Digits:
    """Return the digits of another source, normalised to 28x28 as by the reader."""
    with np.load(path, allow_pickle=False) as file:
        arrays = dict(file)
    pictures, labels = (arrays.get(new, arrays.get(old)) for new, old in (("x_test", "images"), ("y_test", "labels")))
    if pictures is None or labels is None or pictures.ndim != 3:
        raise DataError(f"{path}: expected x_test and y_test, or images and labels, found {', '.join(arrays)}")
    return Digits(np.stack([normalise(_enlarged(picture)) for picture in pictures]), labels.astype(np.uint8))


def _enlarged(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a small image at four times its size, interpolated."""
    large = cv2.resize(picture, None, fx=4, fy=4, interpolation=cv2.INTER_NEAREST)
    smooth: NDArray[np.uint8] = cv2.GaussianBlur(large, (5, 5), 1.5)
    return smooth


def _taken_for_digits(classifier: DigitClassifier, digits: Digits, limit: float) -> float:
    """Return the share of generated non-digits that would be accepted as a digit without review."""
    rng = np.random.default_rng(0)
    chances = classifier(np.stack([negatives.negative(digits, rng) for _ in range(NON_DIGITS)]))
    return float((chances[:, :10].max(axis=1) >= limit).mean())


def _speed(classifier: DigitClassifier, digits: Digits) -> float:
    """Return the median milliseconds for one digit."""
    times = []
    for index in range(min(200, len(digits))):
        began = time.perf_counter()
        classifier(digits.pictures[index : index + 1])
        times.append(time.perf_counter() - began)
    return float(np.median(times)) * 1e3


def _page(findings: Findings) -> str:
    """Return the report as HTML with embedded charts."""
    evaluation = findings.evaluation
    worst_name, worst = min(findings.corruption.items(), key=lambda item: item[1])
    facts = [
        ("accuracy on the test digits", f"{evaluation.accuracy:.2%} of {len(evaluation.truth)}"),
        ("most probable digit right, whatever the probability of “other”", f"{evaluation.named:.2%}"),
        ("loss", f"{evaluation.loss:.4f}"),
        ("expected calibration error", f"{evaluation.calibration_error:.2%}"),
        ("accuracy on corrupted digits", f"{np.mean(list(findings.corruption.values())):.2%} on average, "
                                    f"{worst:.2%} at worst ({worst_name})"),
        ("non-digits accepted as ok", f"{findings.others:.1%} of {NON_DIGITS}"),
        ("size and speed", f"{findings.megabytes:.2f} MB, {findings.milliseconds:.2f} ms for one digit on one thread"),
    ]  # fmt: skip
    rows = "".join(f"<tr><th>{name}</th><td>{html.escape(value)}</td></tr>" for name, value in facts)
    pictures = "".join(
        f"<h2>{title}</h2><p>{text}</p>{_embedded(figure, title)}" for title, text, figure in _pictures(findings)
    )
    name = html.escape(evaluation.model)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{name}</title>'
        "<style>body{font:16px/1.5 sans-serif;max-width:52em;margin:2em auto;padding:0 1em;color:#1f2933}"
        "th{text-align:left;padding-right:2em;font-weight:normal}img{max-width:100%}</style>"
        f"<h1>Evaluation of {name}</h1><table>{rows}</table>{pictures}</html>\n"
    )


def _pictures(findings: Findings) -> list[tuple[str, str, Figure]]:
    """Return title, explanation and chart of each section."""
    evaluation = findings.evaluation
    return [
        ("Confusion matrix", "Rows are the true digits, columns the predicted classes.",
         charts.confusion(evaluation)),
        ("Calibration", "On the line, predictions with a confidence of 90 % are right in 90 of 100 cases.",
         charts.reliability(evaluation)),
        ("Effect of review", "Errors left if the least certain share of digits is reviewed by a person.",
         charts.review(evaluation, findings.review_below)),
        ("Worst errors", "Sorted by confidence: true digit, then predicted class.",
         charts.mistakes(evaluation, findings.digits, WORST)),
        ("Corrupted digits", "Accuracy after each corruption; none of them is used in training.",
         charts.bars(findings.corruption)),
        ("Other sources", "Accuracy by origin of the digits.", charts.bars(findings.source)),
    ]  # fmt: skip


def _embedded(figure: Figure, title: str) -> str:
    """Return the figure as an embedded HTML image."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=110, bbox_inches="tight")
    return f'<img alt="{title}" src="data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}">'
