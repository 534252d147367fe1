"""The line recogniser: a strip of ink to log probabilities of symbols in its frames, by a model on LiteRT."""

from pathlib import Path

import numpy as np

from digitwatch.recognition.arrays import Logs, Pixels
from digitwatch.recognition.networks import model_files
from digitwatch.recognition.networks.line_image import MAX_STRIP_WIDTH, STRIP_HEIGHT

FRAME_PX = 4  # pixels of a strip in one frame of the network
TWO_THREADS_PX = 1024  # width of a strip from which on two threads are used: few are so long
# LiteRT plans its memory for one width, so there is an interpreter for each of these, made on first use.
INTERPRETER_WIDTHS = (64, 128, 192, 256, 384, 512, 768, 1024, 1536, 2048, MAX_STRIP_WIDTH)


class LineRecognizer:
    """A line recogniser in memory. Not to be shared between threads or forks."""

    def __init__(self, content: bytes, temperature: float) -> None:
        """Take the bytes of a .tflite file of (1, 32, W, 1) float32 to (1, W / 4, 12), and the card's temperature.

        Raises:
            ModelError: the bytes are not such a model.
        """
        self._temperature = temperature
        self._network = model_files.by_width("line", content, STRIP_HEIGHT, INTERPRETER_WIDTHS[0])

    @classmethod
    def load(cls, stem: Path) -> "LineRecognizer":
        """Read `stem`.tflite and `stem`.json.

        Raises:
            ModelError: a file is missing or unusable.
        """
        content, card = model_files.read(stem)
        return cls(content, float(card["temperature"]))

    def __call__(self, strip: Pixels) -> Logs:
        """Return (T, 12) log probabilities of the ten digits, `other` and the blank in each frame.

        Args:
            strip: (32, W) uint8 as line_image.strip returns it, W at most MAX_STRIP_WIDTH. T is a quarter of W.
        """
        wide = next(width for width in INTERPRETER_WIDTHS if width >= strip.shape[1])
        padded = np.pad(strip, ((0, 0), (0, wide - strip.shape[1])))
        threads = 2 if wide >= TWO_THREADS_PX else 1
        logits = self._network(padded, threads).astype(np.float64) / self._temperature
        logs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        return np.asarray(logs[: -(-strip.shape[1] // FRAME_PX)])
