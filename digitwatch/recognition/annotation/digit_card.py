"""The card of a digit: the 28x28 input of the model, and the probability of each answer as bars."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np

from digitwatch.recognition.annotation.palette import AMBER, BLUE, GREY, INK, Colour, toned
from digitwatch.recognition.annotation.text import fill, paste, write
from digitwatch.recognition.result import Digit

CARD = (150, 118)  # width and height of a small card
_LARGE = (250, 290)
_PLOT = (9, 66, 132, 36)  # left, top, width, height of the bars on a small card
_LARGE_PLOT = (4, 172, 242, 96)
TEMPLATES = [(size, plot, classes) for size, plot in ((CARD, _PLOT), (_LARGE, _LARGE_PLOT)) for classes in (10, 11)]
"""The bundled templates: for models of ten digits, and of ten digits and "no digit"."""


def percent(probability: float) -> str:
    """Return a probability as text; only 1 reads as 100 %."""
    if probability < 0.001:
        return "<0.1 %"
    return ">99.9 %" if probability > 0.999 else f"{100 * probability:.1f} %"


def label(index: int) -> str:
    """Return the name of a class: a digit, or a cross for "no digit"."""
    return str(index) if index < 10 else "✗"


def small_card(digit: Digit, caption: str, colour: Colour) -> np.ndarray:
    """Return the card of one digit among others: (118, 150) uint8, in the colours of the palette.

    `colour` is blue for a certain digit, amber for one to be checked, grey for one that is probably none.
    """
    sheet = _template(CARD, _PLOT, len(digit.probabilities)).copy()
    _bars(sheet, _PLOT, digit, colour)
    paste(sheet, _glyph(digit, 2), 4, 4)
    write(sheet, (68, 2), _named(digit, colour), 24, colour, bold=colour != GREY)
    write(sheet, (68, 32), percent(digit.probability), 13, INK)
    write(sheet, (68, 49), caption, 10, GREY)
    if colour == AMBER:
        _frame(sheet)
    return sheet


def large_card(digit: Digit, colour: Colour) -> np.ndarray:
    """Return the card of the only digit on a page: (290, 250) uint8, in the colours of the palette."""
    sheet = _large_template(len(digit.probabilities)).copy()
    paste(sheet, _glyph(digit, 4), 4, 4)
    _bars(sheet, _LARGE_PLOT, digit, colour)
    size = 24 if colour == GREY else 40
    write(sheet, (128, 88 - size), _named(digit, colour), size, colour, bold=colour != GREY)
    left, top, width, height = _LARGE_PLOT
    step = width / len(digit.probabilities)
    best, second = (int(k) for k in np.argsort(digit.probabilities)[::-1][:2])
    apart = abs(best - second) > 1 and digit.probabilities[second] >= 0.01
    for k in (best, second) if apart else (best,):
        x = round(left + step * (k + 0.5)) - 20
        y = top + height - round(height * float(digit.probabilities[k])) - 16
        write(sheet, (min(max(0, x), _LARGE[0] - 46), y), percent(float(digit.probabilities[k])), 11, INK)
    return sheet


def _named(digit: Digit, colour: Colour) -> str:
    return digit.text if colour == BLUE else f"{digit.text}?"


def _glyph(digit: Digit, factor: int) -> np.ndarray:
    """Return the model's input enlarged, black on white like the page, with a frame."""
    large = toned(255 - digit.glyph).repeat(factor, axis=0).repeat(factor, axis=1)
    framed = np.full((large.shape[0] + 2, large.shape[1] + 2), GREY, np.uint8)
    framed[1:-1, 1:-1] = large
    return framed


def _bars(sheet: np.ndarray, plot: tuple[int, int, int, int], digit: Digit, colour: Colour) -> None:
    left, top, width, height = plot
    step = width / len(digit.probabilities)
    for k, probability in enumerate(digit.probabilities):
        tall = round(height * float(probability))
        fill(sheet, (round(left + step * (k + 0.15)), top + height - tall, round(step * 0.7), tall), colour)


def _frame(sheet: np.ndarray) -> None:
    for edge in (sheet[:2], sheet[-2:], sheet[:, :2], sheet[:, -2:]):
        edge[...] = AMBER


@cache
def _template(size: tuple[int, int], plot: tuple[int, int, int, int], classes: int) -> np.ndarray:
    """Return what all cards share: frame, axis, grid and names of the answers, (H, W) in the palette."""
    kept = cv2.imread(str(kept_template(size, classes)), cv2.IMREAD_GRAYSCALE)
    return toned(drawn_template(size, plot, classes) if kept is None else kept)


def kept_template(size: tuple[int, int], classes: int) -> Path:
    """Return the path of a bundled template; loading matplotlib's figures takes longer than everything else."""
    return Path(__file__).with_name("templates") / f"{size[0]}x{size[1]}-{classes}.png"


def drawn_template(size: tuple[int, int], plot: tuple[int, int, int, int], classes: int) -> np.ndarray:
    """Return a template drawn by matplotlib, (H, W) uint8 grey."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415 (seldom needed; see above)
    from matplotlib.figure import Figure  # noqa: PLC0415

    (width, height), (left, top, across, down) = size, plot
    figure = Figure(figsize=(width / 72, height / 72), dpi=72, edgecolor="#e1e1e1", linewidth=2 if size == CARD else 0)
    axes = figure.add_axes((left / width, 1 - (top + down) / height, across / width, down / height))
    axes.set(xlim=(-0.5, classes - 0.5), ylim=(0, 1), yticks=(0.5, 1))
    axes.set_xticks(range(classes), [label(k) for k in range(classes)])
    axes.tick_params(length=0, pad=2, labelsize=9 if size == CARD else 12, labelleft=False)
    axes.grid(axis="y", color="#e6e6e6")
    axes.spines[["left", "right", "top"]].set_visible(False)
    axes.spines["bottom"].set_color("#6e6e6e")
    canvas = FigureCanvasAgg(figure)
    canvas.draw()
    grey: np.ndarray = cv2.cvtColor(np.asarray(canvas.buffer_rgba()), cv2.COLOR_RGBA2GRAY)
    return grey


@cache
def _large_template(classes: int) -> np.ndarray:
    sheet = _template(_LARGE, _LARGE_PLOT, classes).copy()
    write(sheet, (128, 4), "What the model saw", 11, GREY)
    write(sheet, (128, 20), "(28 × 28 pixels)", 11, GREY)
    cross = " (✗ not a digit)" if classes > 10 else ""
    write(sheet, (4, 132), f"How probable each answer is{cross}", 11, GREY)
    return sheet
