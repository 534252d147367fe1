"""Effect of fine-tuning: one half of labelled scans as corrections, measured on the other half."""

import argparse
import csv
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.reader import Reader, locate
from digitwatch.training.data import labelled_crops
from digitwatch.training.data.digits import Digits, load
from digitwatch.training.data.labelled_crops import LabelledCrops, Page
from digitwatch.training.evaluation.evaluate import measure
from digitwatch.training.export import tflite
from digitwatch.training.fitting.fine_tune import FineTuneRecipe, continue_training


@dataclass(frozen=True)
class Scores:
    """Scores of the other half: share of pages, share of digits, mean loss; and the accuracy on the test digits."""

    pages: float
    digits: float
    loss: float
    test: float

    def __sub__(self, other: "Scores") -> "Scores":
        """Return the difference to other scores."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Scores(*(mine - theirs for mine, theirs in pairs))

    def __str__(self) -> str:
        """Return the cells of a table."""
        return f"{self.pages:+.2%} | {self.digits:+.2%} | {self.surprise:+.4f} | {self.test:+.2%}"


def labelled(labels: Path, groups: set[str]) -> list[Page]:
    """Return the scans of some groups with their labels."""
    with labels.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["group"] in groups]
    folder = labels.with_suffix("")
    return [Page(row["file"], 1, row["text"], (folder / row["file"]).read_bytes) for row in rows]


def scores(model: Path, pages: list[Page], digits: Digits, test: Digits) -> Scores:
    """Return the scores of a model on pages and on the digits cut from them."""
    read, found = labelled_crops.cut(Reader(model), pages), measure(DigitClassifier.load(model), digits)
    return Scores(read.right / read.pages, found.named, found.loss, measure(DigitClassifier.load(model), test).named)


def fine_tuned(model: Path, corrections: LabelledCrops, learn: Digits, seed: int, folder: Path) -> Path:
    """Return the path of the fine-tuned model."""
    content, card = continue_training(model, corrections.digits, learn, FineTuneRecipe(seed=seed), lambda line: None)
    tflite.save(content, card, folder / "tuned")
    return folder / "tuned.tflite"


def main() -> None:
    """Fine-tune on one half and measure on the other, for several splits; print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="MNIST as .npz")
    parser.add_argument("--scans", type=Path, required=True, help="CSV of file, text and group")
    parser.add_argument("--groups", default="cheque-digits", help="groups of scans, separated by commas")
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--halves", type=int, default=5)
    args = parser.parse_args()
    learn, test = load(args.data)
    pages = labelled(args.scans, set(args.groups.split(",")))
    model = locate(args.model)
    print("| half | learned from | pages right | digits right | loss | test digits | took |")
    print("|---|---|---|---|---|---|---|")
    before, after = [], []
    for half in range(args.halves):
        order = np.random.default_rng(half).permutation(len(pages))
        given, kept = ([pages[k] for k in part] for part in np.array_split(order, 2))
        corrections, asked = (labelled_crops.cut(Reader(model), part) for part in (given, kept))
        before.append(scores(model, kept, asked.digits, test))
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            after.append(scores(fine_tuned(model, corrections, learn, half, Path(folder)), kept, asked.digits, test))
        took = time.monotonic() - began
        print(f"| {half} | {len(corrections.digits)} digits | {after[-1] - before[-1]} | {took:.0f} s |", flush=True)
    for name, found in (("before", before), ("after", after)):
        means = np.array([list(vars(each).values()) for each in found]).mean(axis=0)
        print(f"| {name}, mean | | {means[0]:.2%} | {means[1]:.2%} | {means[2]:.4f} | {means[3]:.2%} | |")


if __name__ == "__main__":
    main()
