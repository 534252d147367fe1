"""Fits how much two readers that agree are to be believed, on crops composed of held-out writers' digits.

A logistic regression of "the digits are right" on the logits of both readers' confidences, fitted by Newton's method
with a small ridge penalty (Hastie, Tibshirani and Friedman 2009, section 4.4.1).
"""

import numpy as np

from digitwatch.recognition.arrays import Flags, Logs
from digitwatch.recognition.foreground.page_ink import PageInk
from digitwatch.recognition.hypotheses import hypotheses
from digitwatch.recognition.image.decode import Page
from digitwatch.recognition.isolated_line import IsolatedLine
from digitwatch.recognition.line_reader import LineReader
from digitwatch.recognition.networks.crop_recognizer import CropRecognizer
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.recognition.networks.foreground_network import ForegroundNetwork
from digitwatch.recognition.networks.line_recognizer import LineRecognizer
from digitwatch.recognition.page_reader import PageReader
from digitwatch.recognition.reader import BUNDLED
from digitwatch.recognition.second_reader import SecondReader, features, logit
from digitwatch.recognition.segmentation.crop_views import views
from digitwatch.training.data.digits import Digits
from digitwatch.training.fitting.trainer import Progress
from digitwatch.training.synthesis import crops

PAGES = 4000  # crops that are read
STEPS, RIDGE = 30, 0.05
# Composed crops are harder than paper: of the readings on which both agree so many are wrong there, but 3 % on paper.
# The constant is moved by the difference of the log odds (prior correction, King and Zeng 2001).
WRONG = 0.03


def fit(model: CropRecognizer, digits: Digits, progress: Progress, *, pages: int | None = None) -> list[float]:
    """Return the weights of the features of two readers that agree, with the bundled models as first reader."""
    classifier = DigitClassifier.load(BUNDLED / "cnn")
    first = PageReader(classifier, LineRecognizer.load(BUNDLED / "line"), classifier.card["review_below"])
    foreground = ForegroundNetwork.load(BUNDLED / "foreground")
    lines = LineReader(model, classifier.labels)
    second = SecondReader(lines, (0.0, 1.0, 1.0), 1.0, IsolatedLine(foreground, first).read)
    rng = np.random.default_rng(1)
    known, right = [], []
    pages = pages or PAGES
    for _ in range(pages):
        composed = crops.compose(digits, rng)
        page = PageInk(Page(1, composed.grey), foreground)
        reading = first.read(page, hypotheses(composed.grey)).reading()
        line = lines.read(views(composed.grey, reading.digits)) if len(reading.rows) <= 1 else None
        same = second.same_digits(reading, line) if line and line.known and line.digits else None
        if line is not None and same is not None:
            known.append(features(same, line))
            right.append(line.symbols == tuple(composed.symbols))
    progress(f"the readers agree on {len(right)} of {pages} crops, and are wrong on {len(right) - sum(right)} of these")
    if not right:  # a network that was hardly trained: whatever it reads is as probable as not
        return [0.0, 0.0, 0.0]
    weights = logistic(np.array(known), np.array(right))
    weights[0] += logit(1 - WRONG) - logit(float(np.mean(right)))
    return [round(float(weight), 3) for weight in weights]


def logistic(known: Logs, right: Flags) -> Logs:
    """Return the (K,) weights of (N, K) features with which they explain the (N,) outcomes best.

    None but the first may be negative: more confidence never makes a reading less probable.
    """
    weights, penalty = np.zeros(known.shape[1]), RIDGE * np.eye(known.shape[1])
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-known @ weights))
        curvature = known.T @ (known * (chance * (1 - chance))[:, None]) + penalty
        weights = weights + np.linalg.solve(curvature, known.T @ (right - chance) - penalty @ weights)
        weights[1:] = np.maximum(weights[1:], 0)
    return np.asarray(weights)
