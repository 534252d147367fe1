"""Normalises a glyph to the 28x28 input of the digit classifier, by the convention of MNIST."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.foreground.geometry import stroke_width

SIZE = 28  # pixels, side of the picture
GLYPH_PX = 20  # longer side of the glyph in it
CENTRE_PX = SIZE // 2  # where the centre of mass goes; MNIST's own lie within half a pixel

# Stroke widths, in pixels of the 28x28 picture. 98 % of the MNIST training digits lie between MIN_STROKE_PX and
# MAX_STROKE_PX; a pen that does not is brought to the width behind them, everything else is left as it is.
MIN_STROKE_PX = 1.5  # a thinner stroke
THIN_STROKE_PX = 2.0  # is widened to this
MAX_STROKE_PX = 4.7  # a broader stroke
BROAD_STROKE_PX = 4.2  # is thinned to this
RESTROKE_PX = 4 * GLYPH_PX  # size at which strokes are widened, where a pixel is a small step
MAX_GLYPH_PX = 2 * RESTROKE_PX  # longer side to which a glyph is reduced first, to bound the time


def normalise(ink: Pixels) -> Pixels:
    """Return the glyph in MNIST's convention: longest side 20, centre of mass in the middle of 28x28.

    The convention (crop, fit into 20x20 keeping the aspect, centre by mass) is that of LeCun et al.,
    "Gradient-based learning applied to document recognition", 1998. Added to it: strokes outside the range
    of MNIST's pens are thickened or thinned, so that a thin line on a large drawing does not vanish and
    a marker does not fill its loops. A picture that already follows the convention is returned unchanged.

    Args:
        ink: (H, W) uint8, 0 = paper to 255 = full ink, cropped or not. Every pixel above 0 counts as glyph.

    Returns:
        (28, 28) uint8, 0 = paper to 255 = ink. All zeros when there is no ink.
    """
    glyph = _crop(ink)
    if glyph.size == 0:
        return np.zeros((SIZE, SIZE), np.uint8)
    if max(glyph.shape) > MAX_GLYPH_PX:
        glyph = _stretch(fit(glyph, MAX_GLYPH_PX))
    width = stroke_width(glyph) * GLYPH_PX / max(glyph.shape)
    if width < MIN_STROKE_PX:
        glyph = _widen(glyph, THIN_STROKE_PX - width)
    elif width > MAX_STROKE_PX:
        glyph = _widen(glyph, BROAD_STROKE_PX - width)
    return _centre(_stretch(fit(glyph, GLYPH_PX)))


def _crop(ink: Pixels) -> Pixels:
    """Return the smallest rectangle that holds every pixel above 0; it has no pixels when there is none."""
    left, top, width, height = cv2.boundingRect(ink)
    return ink[top : top + height, left : left + width]


def fit(glyph: Pixels, longest: int) -> Pixels:
    """Return the glyph with its longest side `longest` pixels, edges grey."""
    height, width = glyph.shape
    scale = longest / max(height, width)
    if scale == 1:
        return glyph
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # Area averaging makes the grey edges of MNIST when shrinking; it would make stairs when enlarging.
    fitted: Pixels = cv2.resize(glyph, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    return fitted


def _stretch(glyph: Pixels) -> Pixels:
    """Return the glyph with its darkest pixel at full ink: thin strokes fade when averaged."""
    darkest = int(glyph.max())
    if darkest >= 250:  # MNIST's own digits reach 254 or 255
        return glyph
    stretched: Pixels = cv2.convertScaleAbs(glyph, alpha=255 / max(darkest, 1))
    return stretched


def _widen(glyph: Pixels, pixels: float) -> Pixels:
    """Return the glyph with strokes wider by `pixels` of the final picture (negative: narrower).

    Works on the distance to the outline, so that the cost does not depend on the amount.
    """
    fine = fit(glyph, RESTROKE_PX)
    margin = max(0, int(np.ceil(2 * pixels)) + 1)
    ink = (np.pad(fine, margin) > fine.max() // 2).astype(np.uint8)
    if pixels > 0:
        signed = cv2.distanceTransform(1 - ink, cv2.DIST_L2, 3) - 1
    else:
        signed = -cv2.distanceTransform(np.pad(ink, 1), cv2.DIST_L2, 3)[1:-1, 1:-1]
    by = pixels / 2 * RESTROKE_PX / GLYPH_PX  # half of the change on each side of the stroke
    changed = _crop((np.clip(by - signed + 0.5, 0, 1) * 255).astype(np.uint8))
    return changed if changed.size else glyph  # a dark spot on a grey patch is no stroke and would vanish


def _centre(glyph: Pixels) -> Pixels:
    """Return 28x28 with the glyph's centre of mass at its centre, as far as the edges allow."""
    height, width = glyph.shape
    mass = cv2.moments(glyph)
    top = _place(mass["m01"] / mass["m00"], height)
    left = _place(mass["m10"] / mass["m00"], width)
    picture = np.zeros((SIZE, SIZE), np.uint8)
    picture[top : top + height, left : left + width] = glyph
    return picture


def _place(centre: float, length: int) -> int:
    """Return where a side of `length` starts so that its `centre` of mass comes to the middle."""
    return min(max(round(CENTRE_PX - centre), 0), SIZE - length)
