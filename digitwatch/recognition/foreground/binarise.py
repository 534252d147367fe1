"""Binarisation: a page to the strength of its ink, under uneven light and of either polarity."""

from dataclasses import dataclass
from typing import TypeVar

import cv2
import numpy as np

from digitwatch.recognition.arrays import Floats, Pixels
from digitwatch.recognition.foreground.geometry import part_with_ink

Values = TypeVar("Values", Pixels, Floats)

THUMBNAIL_PX = 32  # longer side of a picture that shows one digit, in however many components, in even light
OVERVIEW_PX = 256  # longer side of the reduced page on which writing is searched first
DIGIT_HEIGHT_PX = 36  # height of digits on the reduced page; it is reduced less where they are lower
MIN_MEASURED_PX = 10  # height below which writing cannot be measured
MAX_WORK_PIXELS = 4_500_000  # pixels of the page after reduction
ILLUMINATION_PX = 64  # longer side of the copy on which paper and polarity are judged
NOISE_SAMPLES = 20_000  # pixels by which the roughness of the paper is estimated
THRESHOLD_WINDOW_PX = 9  # side of the threshold's window on the reduced copy
ILLUMINATION_WINDOW = 0.4  # of the copy's longer side: wider than a stroke, narrower than most shadows
EVEN_EDGE_LEVELS = 20  # grey levels by which an evenly lit border varies
PLAIN_PAPER_SHARE = 0.55  # of a page that is plain paper
DARK_PAPER_LEVEL = 140  # grey level that paper under light ink stays below
MIN_CONTRAST = 24  # grey levels by which ink differs from paper
NOISE_FACTOR = 4.0  # and that contrast by the standard deviation of the paper


@dataclass(frozen=True)
class Ink:
    """Where the ink is on a page.

    Attributes:
        strength: (h, w) float32, how much darker than its paper a pixel is; from 1 on it is ink.
        factor: page pixels per pixel of `strength`, a whole number.
        light: True when the ink is lighter than the paper.
    """

    strength: Floats
    factor: int
    light: bool

    @property
    def mask(self) -> Pixels:
        """(h, w) uint8, 1 = ink, 0 = paper."""
        return (self.strength >= 1).astype(np.uint8)


def find_ink(grey: Pixels, *, min_contrast: int = MIN_CONTRAST) -> Ink:
    """Return the ink of (H, W) uint8 grey, of either polarity, under uneven light.

    Ink differs from its paper by `faintest` grey levels at least. A page with large writing is worked on at a
    reduced size: a digit needs 40 pixels, not 400.
    """
    if max(grey.shape) <= THUMBNAIL_PX:
        return _two_tones(grey, min_contrast)
    return _thresholded(grey, min_contrast)


def _two_tones(grey: Pixels, min_contrast: int) -> Ink:
    """Return the ink of a thumbnail, which is in even light and whose ink may cover most of it (Otsu 1979)."""
    light = _is_light(grey)
    if light:
        grey = 255 - grey
    level, paper = cv2.threshold(grey, 0, 255, cv2.THRESH_BINARY | cv2.THRESH_OTSU)
    white = _median(grey[paper > 0]) if cv2.countNonZero(paper) else float(grey.max())
    threshold = max(float(min_contrast), white - level)
    return Ink(np.maximum(0, white - grey.astype(np.float32)) / np.float32(threshold), 1, light)


def _thresholded(grey: Pixels, min_contrast: int) -> Ink:
    """Return the ink of (H, W) grey that shows nothing but paper and ink."""
    finest = max(1, int(np.ceil(np.sqrt(grey.size / MAX_WORK_PIXELS))))
    factor = max(finest, int(np.ceil(max(grey.shape) / OVERVIEW_PX)))
    ink = _ink_at(grey, factor, min_contrast)
    while factor > finest:
        height = _small_writing_height(ink.mask)
        if height >= DIGIT_HEIGHT_PX:
            break
        # Writing of only a few pixels cannot be measured: it is only known to be small.
        factor = max(finest, int(factor * height / DIGIT_HEIGHT_PX) if height >= MIN_MEASURED_PX else factor // 2)
        ink = _ink_at(grey, factor, min_contrast)
    return ink


def _ink_at(grey: Pixels, factor: int, min_contrast: int) -> Ink:
    """Return the ink of the page reduced by a whole factor."""
    grey = _reduced(grey, factor)
    coarse = _reduced(grey, -(-max(grey.shape) // ILLUMINATION_PX))
    light = _is_light(coarse)
    if light:
        grey, coarse = 255 - grey, 255 - coarse
    depth = _depth(grey, coarse)
    threshold = _threshold(depth, min_contrast)
    return Ink(np.divide(depth.astype(np.float32), threshold, out=threshold), factor, light)


def _small_writing_height(mask: Pixels) -> float:
    """Return the height in pixels that a fifth of the ink does not exceed; boxes and page edges are higher."""
    if not cv2.countNonZero(mask):
        return 0.0
    part = np.ascontiguousarray(mask[part_with_ink(mask, 0)])
    _, _, stats, _ = cv2.connectedComponentsWithStats(part, connectivity=8)
    order = np.argsort(stats[1:, cv2.CC_STAT_HEIGHT]) + 1
    ink = np.cumsum(stats[order, cv2.CC_STAT_AREA])
    return float(stats[order[np.searchsorted(ink, ink[-1] / 5)], cv2.CC_STAT_HEIGHT])


def _reduced(values: Values, factor: int) -> Values:
    """Return the mean of each `factor` by `factor` values; remainders at the right and below are dropped.

    A fractional factor would take three times as long.
    """
    if factor == 1:
        return values
    height, width = (max(1, side // factor) for side in values.shape)
    whole = values[: height * factor, : width * factor]
    reduced: Values = cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)
    return reduced


def _window(coarse: Pixels) -> int:
    """Return the odd side of the window in which the paper is estimated."""
    return max(3, int(ILLUMINATION_WINDOW * max(coarse.shape))) | 1


def _is_light(coarse: Pixels) -> bool:
    """Return whether the ink is lighter than its paper.

    Ink is the minority, and far from the paper's grey: it skews (third moment) the distribution of the differences
    from the paper. The paper is the border's grey where the border is even and most of the page is alike, otherwise
    the local median. Light spots on light paper are glare.
    """
    edge = np.concatenate([coarse[0], coarse[-1], coarse[:, 0], coarse[:, -1]]).astype(np.float32)
    margin = _median(edge)
    alike = np.mean(
        np.abs(coarse.astype(np.float32) - margin) < EVEN_EDGE_LEVELS
    )  # less where the light falls off to all sides
    if np.mean(np.abs(edge - margin) < EVEN_EDGE_LEVELS) > 0.8 and alike > PLAIN_PAPER_SHARE:
        paper = np.full_like(coarse, margin)
        brightness = float(paper[0, 0])
    else:
        paper = cv2.medianBlur(coarse, _window(coarse))
        brightness = _median(paper.ravel())
    if brightness >= DARK_PAPER_LEVEL:
        return False
    left = coarse.astype(np.float32) - paper
    return float((left * left * left).sum()) > 0


def _median(values: Floats | Pixels) -> float:
    """Return the median of (n,) values; for a few hundred of them np.median takes ten times as long."""
    ordered = np.sort(values)
    return (float(ordered[(len(ordered) - 1) // 2]) + float(ordered[len(ordered) // 2])) / 2


def _depth(grey: Pixels, coarse: Pixels) -> Pixels:
    """Return how much darker than its paper each pixel is, (h, w) uint8, 0 where it is not."""
    window = _window(coarse)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (window, window))
    # Closing removes everything darker and narrower than the window; the median keeps a few bright
    # pixels from becoming the paper.
    paper = cv2.morphologyEx(cv2.medianBlur(coarse, 3), cv2.MORPH_CLOSE, kernel)
    paper = cv2.blur(paper, (window // 2 | 1, window // 2 | 1))
    full = cv2.resize(paper, grey.shape[::-1], interpolation=cv2.INTER_LINEAR)
    depth: Pixels = cv2.subtract(full, grey)
    return depth


def _threshold(depth: Pixels, min_contrast: int) -> Floats:
    """Return the depth from which on a pixel is ink, (h, w) float32.

    It is the mean depth at edges, weighted by their squared steepness (after Kittler's simple image
    statistic): halfway up the strokes, however little of the page they cover. It is taken in a window
    as far as there are edges, and from the whole page elsewhere.
    """
    steep = _steepness(depth)
    noise = _noise(steep)
    steep = cv2.threshold(steep, 9 * noise, 0, cv2.THRESH_TOZERO)[1]
    total = float(steep.sum())
    if total == 0:
        return np.full(depth.shape, 256, np.float32)
    weighted = cv2.multiply(steep, depth, dtype=cv2.CV_32F)
    overall = float(weighted.sum()) / total
    floor = max(min_contrast, min(NOISE_FACTOR * np.sqrt(noise), 0.8 * overall))
    prior = total / steep.size / 2
    # The mean is smooth: where its window is wide, a reduced copy is enough.
    side = max(15, max(depth.shape) // 8) | 1
    factor = max(1, side // THRESHOLD_WINDOW_PX)
    window = (side // factor | 1, side // factor | 1)
    weights = cv2.blur(_reduced(steep, factor), window) + np.float32(prior)
    local = (cv2.blur(_reduced(weighted, factor), window) + np.float32(prior * overall)) / weights
    local = np.maximum(local, np.float32(max(overall * 0.5, floor)))
    full: Floats = cv2.resize(local, depth.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return full


def _steepness(depth: Pixels) -> Floats:
    """Return the squared gradient of (h, w) uint8, in grey levels per pixel: (h, w) float32, exactly."""
    across, down = cv2.spatialGradient(depth)  # Sobel, in whole numbers: eight times the gradient
    steep = cv2.multiply(across, across, scale=1 / 16, dtype=cv2.CV_32F)
    steep += cv2.multiply(down, down, scale=1 / 16, dtype=cv2.CV_32F)
    return np.asarray(steep, np.float32)


def _noise(steep: Floats) -> float:
    """Return the median squared steepness of plain paper, estimated from the flattest fifth of the page.

    For Gaussian noise the square of a gradient is exponentially distributed, with its 20th percentile at
    0.32 of the median. Ink may cover much of a tight crop, but hardly four fifths.
    """
    sample = steep.ravel()[:: max(1, steep.size // NOISE_SAMPLES)]
    # np.percentile, which interpolates between two, takes ten times as long
    place = 0.2 * (len(sample) - 1)
    below = int(place)
    parted = np.partition(sample, below)
    low = float(parted[below])
    height = float(parted[below + 1 :].min()) if below + 1 < len(sample) else low
    return (low + (height - low) * (place - below)) / 0.32
