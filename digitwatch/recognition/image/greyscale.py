"""A colour picture in grey: by brightness, or where ink and paper are equally bright, by their colours."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels

SAMPLE_PX = 128  # longer side of the sample that is judged
MAX_CONTRAST = 60  # grey levels: ink that differs more from its paper is seen in grey, whatever the colours
STRIP_PX = 512  # rows that are converted at a time: CIELAB takes four times the memory of the picture
RARE = 99  # percentile of deviations from the paper's colour that ink exceeds
# In CIELAB units (L 0 to 100). On 40 drawn pages of equally bright colours the deviations were at most 6 in brightness
# and at least 88 in colour; none of 1,104 real pictures is below 18 in brightness and above 20 in colour.
MAX_BRIGHTNESS, MIN_COLOUR = 12.0, 50.0
PAPER, INK = 235, 25  # grey levels that the two colours are given


def grey(image: Pixels) -> Pixels:
    """Return an (H, W) or (H, W, 3) picture, blue before red, as (H, W) uint8."""
    if image.ndim == 2:
        return image
    made = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2GRAY), np.uint8)
    step = max(1, max(made.shape) // SAMPLE_PX)
    sample = made[::step, ::step].astype(np.int16)
    if _rare(np.abs(sample - _middle(sample))) > MAX_CONTRAST:
        return made
    ink = _ink_of_equal_brightness(image[::step, ::step])
    if ink is None:
        return made
    paper, direction = ink
    axis = direction / (direction @ direction)
    for top in range(0, len(image), STRIP_PX):
        share = (_lab(image[top : top + STRIP_PX]) - paper) @ axis  # 0 at the paper's colour, 1 at the ink's
        made[top : top + STRIP_PX] = np.clip(PAPER - (PAPER - INK) * share, 0, 255)
    return made


def _ink_of_equal_brightness(image: Pixels) -> tuple[np.ndarray, np.ndarray] | None:
    """Return the colour of the paper in CIELAB and the ink's difference from it; None where brightness tells them."""
    sample = _lab(image).reshape(-1, 3)
    paper = np.median(sample, axis=0)
    difference = sample - paper
    if _rare(np.abs(difference[:, 0])) > MAX_BRIGHTNESS:
        return None
    colour = np.hypot(difference[:, 1], difference[:, 2])
    limit = _rare(colour)
    return (paper, difference[colour >= limit].mean(axis=0)) if limit >= MIN_COLOUR else None


def _middle(values: np.ndarray) -> float:
    return float(np.partition(values.ravel(), values.size // 2)[values.size // 2])


def _rare(values: np.ndarray) -> float:
    """Return what RARE percent of the values are below."""
    place = min(values.size - 1, values.size * RARE // 100)
    return float(np.partition(values.ravel(), place)[place])


def _lab(image: Pixels) -> np.ndarray:
    return np.asarray(cv2.cvtColor(image.astype(np.float32) / 255, cv2.COLOR_BGR2LAB), np.float32)
