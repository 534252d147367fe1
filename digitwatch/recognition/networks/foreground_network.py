"""Which pixels of a grey crop of a line are handwriting, and which are other ink, by a small convolutional network.

The network is fully convolutional (Long, Shelhamer and Darrell 2015), with dilated convolutions. It sees raw grey
values, so it finds writing that an adaptive threshold joins with print or loses beside it.
"""

from pathlib import Path

import cv2
import numpy as np

from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.networks import model_files
from digitwatch.recognition.networks.crop_recognizer import level
from digitwatch.recognition.networks.litert import interpreter

HEIGHT = 48  # pixels of a crop as the network sees it
STEP = 2  # pixels of that crop, along each side, for each of the network's answers
PAPER, WRITING, OTHER_INK = range(3)  # classes; other ink: rules, boxes, print, slivers of neighbours
BLOCK = 48  # columns and rows of a page are padded to a multiple of it: what strides, dilation and output need
WIDTHS = (48, 64, 96, 128, 192, 256, 320, 448, 640, 960)  # columns; a crop is padded to the next one


def width(shape: tuple[int, int]) -> int:
    """Return the even number of columns of an (H, W) crop at the height of the network."""
    return int(min(WIDTHS[-1], max(8, round(shape[1] * HEIGHT / shape[0] / STEP) * STEP)))


def framed(grey: Pixels) -> Pixels:
    """Return the (H, W) uint8 crop at the height of the network, levelled, padded with its median to one of WIDTHS."""
    wide = width((grey.shape[0], grey.shape[1]))
    method = cv2.INTER_AREA if grey.shape[0] > HEIGHT else cv2.INTER_CUBIC
    small = level(np.asarray(cv2.resize(grey, (wide, HEIGHT), interpolation=method), np.uint8))
    padded = next(each for each in WIDTHS if each >= wide)
    return np.pad(small, ((0, 0), (0, padded - wide)), constant_values=int(np.median(small)))


class ForegroundNetwork:
    """The network in memory. Not to be shared between threads or forks."""

    def __init__(self, content: bytes) -> None:
        """Take the bytes of a .tflite file of (1, 48, W, 1) float32 to (1, 12, W / 4, 4, 3).

        Raises:
            ModelError: the bytes are no such model.
        """
        self._content = content
        self._network = model_files.by_width("foreground", content, HEIGHT, WIDTHS[0])

    @classmethod
    def load(cls, stem: Path) -> "ForegroundNetwork":
        """Return the model of `stem`.tflite and `stem`.json.

        Raises:
            ModelError: a file is missing, or is not what a foreground model needs.
        """
        return cls(model_files.read(stem)[0])

    def __call__(self, grey: Pixels) -> Floats:
        """Return (24, w) float32 x 3 probabilities of the classes in an (H, W) uint8 crop, w for half its columns."""
        picture = framed(grey)
        logits = self._network(picture)
        return _probabilities(logits, picture.shape)[:, : width((grey.shape[0], grey.shape[1])) // STEP]

    def page(self, grey: Pixels) -> Floats:
        """Return (ceil(H / 2), ceil(W / 2), 3) float32 probabilities of the classes on an (H, W) uint8 page.

        Its writing is as high as that of crops, 10 to 48 pixels.
        """
        high, wide = grey.shape
        padded = np.pad(level(grey), ((0, -high % BLOCK), (0, -wide % BLOCK)), constant_values=int(np.median(grey)))
        model = interpreter(self._content, (1, *padded.shape, 1))  # pages differ in size: none is kept
        model.set_tensor(model.get_input_details()[0]["index"], padded[None, :, :, None] / np.float32(255))
        model.invoke()
        logits = model.get_tensor(model.get_output_details()[0]["index"])
        return _probabilities(logits, padded.shape)[: -(-high // STEP), : -(-wide // STEP)]


def _probabilities(logits: Floats, shape: tuple[int, ...]) -> Floats:
    """Return (H / 2, W / 2, 3) float32 from the network's answer to an (H, W) picture: 4 pixels of each 4 by 4."""
    high, wide, classes = shape[0] // 4, shape[1] // 4, 3
    parts = logits.reshape(high, wide, 2, 2, classes).transpose(0, 2, 1, 3, 4)
    joined = parts.reshape(2 * high, 2 * wide, classes)
    chances = np.exp(joined - joined.max(axis=2, keepdims=True))
    return np.asarray(chances / chances.sum(axis=2, keepdims=True), np.float32)
