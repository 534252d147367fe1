"""One digit that may stand in a row: its ink, its picture and what the model thinks of it."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.networks.digit_image import normalise
from digitwatch.recognition.segmentation.text_lines import Piece

Pixels = NDArray[np.uint8]
Probabilities = NDArray[np.float32]
Classify = Callable[[Pixels], Probabilities]  # (N, 28, 28) uint8 to (N, classes) float32


@dataclass(frozen=True)
class Guess:
    """A piece of ink, its (28, 28) picture, and the (classes,) probabilities of what it is."""

    piece: Piece
    glyph: Pixels
    probabilities: Probabilities


def guess(pieces: list[Piece], classify: Classify) -> list[Guess]:
    """Return each piece with its picture and probabilities; the model is called once."""
    if not pieces:
        return []
    glyphs = np.stack([normalise(piece.glyph) for piece in pieces])
    return [Guess(*each) for each in zip(pieces, glyphs, classify(glyphs), strict=True)]
