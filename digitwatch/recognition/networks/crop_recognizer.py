"""A second reader: a grey crop of one line to its digits and signs, by a network that needs no binarisation.

A small convolutional network with connectionist temporal classification (Graves et al. 2006), as in CRNN (Shi, Bai and
Yao 2015), but without recurrence. It sees raw grey values, so its errors are unlike those of the chain of threshold,
components and digit classifier.
"""

from pathlib import Path

import cv2
import numpy as np

from digitwatch.recognition.arrays import Logs, Pixels
from digitwatch.recognition.networks import model_files

HEIGHT = 40  # pixels of a crop as the network sees it
FRAME = 4  # columns of a crop for each of the network's answers
WIDTHS = (64, 96, 128, 192, 256, 320, 448, 640)  # columns; a crop is padded to the next one
SIGNS = (".", ",", "-", "/", ":", "(", ")", "%", "½")
OTHER = "other"  # letters, scribbles, struck-out and overwritten digits; several in a row are one
LABELS = (*"0123456789", *SIGNS, OTHER, "")  # the last is CTC's blank
LEAST_RANGE = 16  # grey levels between dark and light below which a crop is not stretched further


def level(grey: Pixels) -> Pixels:
    """Return the (H, W) uint8 crop with its darkest and lightest per cent of pixels moved to 0 and 255."""
    low, high = np.percentile(grey, (1, 99))
    middle, half = (low + high) / 2, max(high - low, LEAST_RANGE) / 2
    return np.asarray(np.clip((grey.astype(np.float32) - middle) * (127.5 / half) + 127.5, 0, 255), np.uint8)


def framed(grey: Pixels) -> Pixels:
    """Return the (40, W) uint8 crop padded on the right with its median to the next of WIDTHS, squeezed if wider."""
    if grey.shape[1] > WIDTHS[-1]:
        grey = np.asarray(cv2.resize(grey, (WIDTHS[-1], HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)
    width = next(width for width in WIDTHS if width >= grey.shape[1])
    return np.pad(grey, ((0, 0), (0, width - grey.shape[1])), constant_values=int(np.median(grey)))


def to_height(grey: Pixels) -> Pixels:
    """Return the (H, W) uint8 crop 40 pixels high, its proportions kept."""
    height, width = grey.shape
    size = (max(8, round(width * HEIGHT / height)), HEIGHT)
    method = cv2.INTER_AREA if height > HEIGHT else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(grey, size, interpolation=method), np.uint8)


class CropRecognizer:
    """The network in memory. Not to be shared between threads or forks."""

    def __init__(self, content: bytes, temperature: float) -> None:
        """Take the bytes of a .tflite file of (1, 40, W, 1) float32 to (1, W / 4, 21), and the card's temperature.

        Raises:
            ModelError: the bytes are no such model.
        """
        self._temperature = temperature
        self._network = model_files.by_width("crop", content, HEIGHT, WIDTHS[0])

    @classmethod
    def load(cls, stem: Path) -> "CropRecognizer":
        """Return the model of `stem`.tflite and `stem`.json.

        Raises:
            ModelError: a file is missing, or is not what a crop model needs.
        """
        content, card = model_files.read(stem)
        return cls(content, float(card["temperature"]))

    def __call__(self, grey: Pixels) -> Logs:
        """Return (T, 21) log probabilities of LABELS in each frame of an (H, W) uint8 crop of one line."""
        return self.frames(framed(level(to_height(grey))))

    def frames(self, picture: Pixels) -> Logs:
        """Return (W / 4, 21) log probabilities of a (40, W) uint8 picture as `framed` makes it."""
        logits = self._network(picture).astype(np.float64) / self._temperature
        return np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))
