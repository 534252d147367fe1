"""What is printed on a page: darkness without the light, and long straight lines."""

from dataclasses import dataclass

import cv2
import numpy as np

from digitwatch.recognition.arrays import Floats, Pixels

WORK_PX = 1170  # longer side of a template as it is registered: A4 at 100 dpi
BACKGROUND_PX = 25  # side of the window in which the paper is looked for, at that resolution
FULL_DARKNESS = 0.4  # of the paper's brightness, by which ink is fully dark
LINE_LEVEL = 60  # darkness, 0 to 255, of a line
LINE_MM = 5.0  # length of a line at least
THICKEST_MM = 2.3  # of a line; wider ones are filled areas
AREA_PX = 13  # side of a filled area, from which on it is no stroke
FAINT_LEVEL, SHORT_MM = 38, 2.5  # and where a line is known to be


def darkness(grey: Pixels) -> Pixels:
    """Return how much darker than its paper each pixel of (H, W) uint8 is: 0 to 255, without shadows and light."""
    smooth = cv2.GaussianBlur(grey, (3, 3), 0)
    paper = cv2.blur(cv2.dilate(smooth, np.ones((BACKGROUND_PX, BACKGROUND_PX), np.uint8)), (BACKGROUND_PX,) * 2)
    share = 1 - smooth.astype(np.float32) / np.maximum(paper, 1)
    share *= np.clip(paper.astype(np.float32) / 40, 0, 1)  # beside the paper, where it is dark, noise is no ink
    return np.asarray(np.clip(share * (255 / FULL_DARKNESS), 0, 255), np.uint8)


def reduced(image: Pixels, longer: int) -> Pixels:
    """Return a picture whose longer side is `longer` pixels."""
    scale = longer / max(image.shape)
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR))


@dataclass(frozen=True)
class Lines:
    """The long straight lines of a page that lies upright: (H, W) uint8 masks, 1 on a line."""

    across: Pixels
    down: Pixels

    @property
    def count(self) -> int:
        """Pixels of lines."""
        return int(cv2.countNonZero(self.across) + cv2.countNonZero(self.down))


def faint_lines(dark: Pixels, px_per_mm: float) -> Lines:
    """Return short and faint lines too, which only count where a line is known to be."""
    ink = (dark > FAINT_LEVEL).astype(np.uint8)
    length = max(7, round(SHORT_MM * px_per_mm))
    across, down = (cv2.morphologyEx(ink, cv2.MORPH_OPEN, np.ones(k, np.uint8)) for k in ((1, length), (length, 1)))
    return Lines(across, down)


def without_areas(dark: Pixels) -> Pixels:
    """Return a darkness map without filled areas: shadows, painted boxes, what lies beside the paper."""
    return np.asarray(cv2.morphologyEx(dark, cv2.MORPH_TOPHAT, np.ones((AREA_PX, AREA_PX), np.uint8)))


def find_lines(dark: Pixels, px_per_mm: float) -> Lines:
    """Return the lines that run across or down a darkness map, up to some degrees askew."""
    ink = (dark > LINE_LEVEL).astype(np.uint8)
    length = max(9, round(LINE_MM * px_per_mm))
    thickest = max(9, round(THICKEST_MM * px_per_mm))
    across = _opened(ink, (length, 1), (1, 3), thickest)
    down = _opened(ink, (1, length), (3, 1), thickest)
    return Lines(across, down)


def _opened(ink: Pixels, kernel: tuple[int, int], slack: tuple[int, int], thickest: int) -> Pixels:
    wide = cv2.dilate(ink, np.ones(slack[::-1], np.uint8))
    long = cv2.morphologyEx(wide, cv2.MORPH_OPEN, np.ones(kernel[::-1], np.uint8))
    thick = cv2.morphologyEx(long, cv2.MORPH_OPEN, np.ones((thickest, thickest), np.uint8))  # filled areas are no lines
    return np.asarray(long & ink & ~cv2.dilate(thick, np.ones((5, 5), np.uint8)), np.uint8)


def normalised(picture: Pixels) -> Floats:
    """Return a picture with mean 0 and length 1, as float32."""
    values = picture.astype(np.float32) - float(picture.mean())
    return np.asarray(values / max(float(np.sqrt((values**2).sum())), 1e-6), np.float32)
