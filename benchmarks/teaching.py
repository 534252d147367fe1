"""Whether teaching helps: half of some labelled scans as corrections, and how the other half is read then."""

import argparse
import csv
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.reader import Reader, locate
from digitwatch.training.data import digits as datasets
from digitwatch.training.data import labelled_crops
from digitwatch.training.data.digits import Digits
from digitwatch.training.data.labelled_crops import LabelledCrops, Page
from digitwatch.training.evaluation.evaluate import measure
from digitwatch.training.export import tflite
from digitwatch.training.fitting.fine_tune import Course, learn_on


@dataclass(frozen=True)
class Marks:
    """What tells how the other half is read: share of pages, share of digits, mean surprise; and the test digits."""

    pages: float
    digits: float
    surprise: float
    test: float

    def __sub__(self, other: "Marks") -> "Marks":
        """How much better or worse this is than the other."""
        pairs = zip(vars(self).values(), vars(other).values(), strict=True)
        return Marks(*(mine - theirs for mine, theirs in pairs))

    def __str__(self) -> str:
        """Cells of a table."""
        return f"{self.pages:+.2%} | {self.digits:+.2%} | {self.surprise:+.4f} | {self.test:+.2%}"


def labelled(labels: Path, groups: set[str]) -> list[Page]:
    """The scans of some groups, with what a person saw on them."""
    with labels.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["group"] in groups]
    folder = labels.with_suffix("")
    return [Page(row["file"], 1, row["text"], (folder / row["file"]).read_bytes) for row in rows]


def marks(model: Path, pages: list[Page], digits: Digits, test: Digits) -> Marks:
    """How a model reads the pages, and digits that were cut from them."""
    read, found = labelled_crops.cut(Reader(model), pages), measure(DigitClassifier.load(model), digits)
    return Marks(read.right / read.pages, found.named, found.loss, measure(DigitClassifier.load(model), test).named)


def taught(model: Path, corrections: LabelledCrops, learn: Digits, seed: int, folder: Path) -> Path:
    """The model after it has learned on, as a file."""
    content, card = learn_on(model, corrections.digits, learn, Course(seed=seed), lambda line: None)
    tflite.save(content, card, folder / "taught")
    return folder / "taught.tflite"


def main() -> None:
    """Teach with one half, read the other, several times with other halves, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="MNIST as .npz")
    parser.add_argument("--scans", type=Path, required=True, help="CSV of file, text and group")
    parser.add_argument("--groups", default="cheque-digits", help="groups of scans, parted by commas")
    parser.add_argument("--model", default="cnn")
    parser.add_argument("--halves", type=int, default=5)
    args = parser.parse_args()
    learn, test = datasets.load(args.data)
    pages = labelled(args.scans, set(args.groups.split(",")))
    model = locate(args.model)
    print("| half | learned from | pages right | digits right | surprise | test digits | took |")
    print("|---|---|---|---|---|---|---|")
    before, after = [], []
    for half in range(args.halves):
        order = np.random.default_rng(half).permutation(len(pages))
        given, kept = ([pages[k] for k in part] for part in np.array_split(order, 2))
        corrections, asked = (labelled_crops.cut(Reader(model), part) for part in (given, kept))
        before.append(marks(model, kept, asked.digits, test))
        began = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            after.append(marks(taught(model, corrections, learn, half, Path(folder)), kept, asked.digits, test))
        took = time.monotonic() - began
        print(f"| {half} | {len(corrections.digits)} digits | {after[-1] - before[-1]} | {took:.0f} s |", flush=True)
    for name, found in (("before", before), ("after", after)):
        means = np.array([list(vars(each).values()) for each in found]).mean(axis=0)
        print(f"| {name}, mean | | {means[0]:.2%} | {means[1]:.2%} | {means[2]:.4f} | {means[3]:.2%} | |")


if __name__ == "__main__":
    main()
