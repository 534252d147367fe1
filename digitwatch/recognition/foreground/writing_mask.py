"""Where the handwriting of a page is, by the foreground network: printed lines, boxes, grids and rings are left out."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.foreground.binarise import Ink
from digitwatch.recognition.foreground.geometry import stroke_width
from digitwatch.recognition.networks.foreground_network import WRITING, ForegroundNetwork

STROKE_PX = 2.5  # width of the strokes as the network sees them; from 2 to 3.2 the figures stay within 2 pages of 1,059
MOST_PIXELS = 1_000_000  # of the page as the network sees it: about 0.2 s
ENLARGED = 2.0  # factor at most
KEPT = 0.4  # probability of writing from which a pixel is kept, with its neighbours


def writing_mask(grey: Pixels, ink: Ink, network: ForegroundNetwork) -> Pixels:
    """Return (h, w) uint8, 1 where ink is handwriting, at the size of `ink`, of an (H, W) uint8 page."""
    width = stroke_width(ink.mask) * ink.factor
    if not width:
        return ink.mask
    factor = min(ENLARGED, STROKE_PX / width, float(np.sqrt(MOST_PIXELS / grey.size)))
    method = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    size = tuple(max(1, round(side * factor)) for side in grey.shape[::-1])
    chances = network.page(np.asarray(cv2.resize(grey, size, interpolation=method), np.uint8))[..., WRITING]
    full = cv2.resize(np.ascontiguousarray(chances), ink.mask.shape[::-1], interpolation=cv2.INTER_LINEAR)
    kept = cv2.dilate((full > KEPT).astype(np.uint8), np.ones((3, 3), np.uint8))
    return np.asarray(ink.mask & kept)
