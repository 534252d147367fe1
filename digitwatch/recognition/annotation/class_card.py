"""The card of a whole picture: the input of the model, and its most probable answers as bars."""

import cv2
import numpy as np

from digitwatch.recognition.annotation.digit_card import percent
from digitwatch.recognition.annotation.palette import GREY, INK, WHITE, Colour, toned
from digitwatch.recognition.annotation.text import fill, fitted, paste, write
from digitwatch.recognition.result import Digit

_SIZE = (250, 290)  # width and height
_INPUT_PX = 112  # pixels, longer side of the model's input on the card
_MAX_ANSWERS = 5  # on the card


def ranking(answer: Digit, labels: tuple[str, ...], colour: Colour) -> np.ndarray:
    """Return the card of a whole picture: (290, 250) uint8, in the colours of the palette.

    `labels` are the names of `answer.probabilities`.
    """
    sheet = np.full(_SIZE[::-1], WHITE, np.uint8)
    height, width = answer.glyph.shape[:2]
    paste(sheet, _seen(answer.glyph), 4, 4)
    write(sheet, (128, 4), "What the model saw", 11, GREY)
    write(sheet, (128, 20), f"({width} × {height} pixels)", 11, GREY)
    write(sheet, (4, 126), fitted(answer.text, 22, 242, bold=True), 22, colour, bold=True)
    for place, k in enumerate(np.argsort(answer.probabilities)[::-1][:_MAX_ANSWERS]):
        top = 162 + 25 * place
        sure = float(answer.probabilities[k])
        write(sheet, (4, top), fitted(labels[k], 11, 180), 11, INK)
        write(sheet, (196, top), percent(sure), 11, GREY)
        fill(sheet, (4, top + 15, max(1, round(242 * sure)), 5), colour)
    return sheet


def _seen(glyph: np.ndarray) -> np.ndarray:
    """Return the model's input enlarged, in grey, with a frame."""
    grey = glyph if glyph.ndim == 2 else cv2.cvtColor(glyph, cv2.COLOR_RGB2GRAY)
    scale = _INPUT_PX / max(grey.shape)
    size = tuple(max(1, round(side * scale)) for side in grey.shape[::-1])
    large = toned(cv2.resize(grey, size, interpolation=cv2.INTER_NEAREST))
    framed = np.full((large.shape[0] + 2, large.shape[1] + 2), GREY, np.uint8)
    framed[1:-1, 1:-1] = large
    return framed
