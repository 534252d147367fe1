"""Labelled scans of single digits, cut by the reader: what a network sees of them."""

import csv
from pathlib import Path

import numpy as np

from digitwatch.recognition.image.decode import ImageError
from digitwatch.recognition.reader import Reader
from digitwatch.training.data.digits import Digits


def single_digits(labels: Path) -> Digits:
    """Return the digit of each scan that shows one, where the reader finds one.

    Args:
        labels: CSV with the columns file and text; the files lie in the folder of the same name without its ending.
    """
    reader, pictures, texts = Reader(), [], []
    with labels.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if len(row["text"]) == 1]
    for row in rows:
        try:
            digits = reader.read(labels.with_suffix("") / row["file"]).digits
        except ImageError:
            continue
        if len(digits) == 1:
            pictures.append(digits[0].glyph)
            texts.append(int(row["text"]))
    return Digits(np.stack(pictures), np.array(texts, np.uint8))
