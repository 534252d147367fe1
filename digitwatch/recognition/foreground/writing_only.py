"""A crop with nothing but its handwriting, dark on white, without print, boxes, rules and neighbours."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Flags, Floats, Pixels
from digitwatch.recognition.networks.foreground_network import PAPER, WRITING

KEPT, PLAIN = 0.4, 0.7  # probability of writing from which a pixel is kept; of paper from which it shows the paper
BESIDE = 0.04  # paper around the writing that is kept, in heights of the crop: strokes keep their edges
PAPER_WINDOW = 0.5  # side of the window in which the paper is estimated, in heights of the crop
FULL_INK, INK_LEVELS = 90, 200  # the percentile of the depth of writing that becomes so many grey levels
FAINTEST = 6.0  # grey levels of that percentile below which faint writing is not made darker still
AROUND = 0.25  # paper added on all sides, in heights of the crop


def writing_only(grey: Pixels, classes: Floats) -> tuple[Pixels, int]:
    """Return an (H, W) uint8 crop with the handwriting alone, dark on white, and the width of the margin around it.

    Args:
        grey: the crop, (h, w) uint8, of either polarity.
        classes: (., ., 3) float32 probabilities of the classes of foreground_network, over the whole crop.
    """
    height, width = grey.shape
    writing = cv2.resize(classes[..., WRITING], (width, height), interpolation=cv2.INTER_LINEAR)
    side = 2 * max(1, round(BESIDE * height)) + 1
    kept = cv2.dilate((writing > KEPT).astype(np.uint8), cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    plain = cv2.resize(classes[..., PAPER], (width, height), interpolation=cv2.INTER_LINEAR) > PLAIN
    depth = _paper(grey, plain & (kept == 0)) - grey.astype(np.float32)  # light ink on dark paper: below zero
    inside = depth[writing > KEPT]
    full = float(np.percentile(np.abs(inside), FULL_INK)) if inside.size else 0.0
    if float(np.median(inside) if inside.size else 0.0) < 0:
        depth = -depth
    ink = np.clip(depth * (INK_LEVELS / max(full, FAINTEST)), 0, 255) * (kept > 0)
    margin = max(4, round(AROUND * height))
    return np.asarray(np.pad(255 - ink.astype(np.uint8), margin, constant_values=255), np.uint8), margin


def _paper(grey: Pixels, plain: Flags) -> Floats:
    """Return (h, w) float32 grey levels of the paper, from the pixels that are plain (normalised convolution)."""
    if not plain.any():
        return np.full(grey.shape, np.median(grey), np.float32)
    window = max(3, round(PAPER_WINDOW * grey.shape[0])) | 1
    known = plain.astype(np.float32)
    mean = float(grey[plain].mean())
    weights = cv2.blur(cv2.blur(known, (window, window)), (window, window)) + np.float32(1e-3)
    sums = cv2.blur(cv2.blur(known * grey, (window, window)), (window, window)) + np.float32(1e-3 * mean)
    return np.asarray(sums / weights, np.float32)
