"""Find what a decoder put in place of missing data, in a picture that was saved again since and is whole as a file."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels

FILLER, TOLERANCE = 128, 1  # grey level of a JPEG block without data; what saving it again as JPEG changes
BLOCK_PX = 8  # side of a block of a JPEG: a row of blocks is the least that is missing
MAX_OTHER = 0.005  # share of a row's pixels that may differ: the compression blurs the edges of the grey part
MIN_SIDE_PX = 64  # smaller pictures are not judged: a row of blocks would be a large part of them

_GREY = "a part of the picture is flat grey, as where data is missing"


def describe(image: Pixels) -> str:
    """Return what shows that a part of an (H, W) or (H, W, 3) picture is missing, for a person; empty if nothing does.

    A JPEG is stored in rows of blocks, and a decoder fills what is missing with exactly one grey. So the signs are
    whole rows of it, or columns if the picture was turned since. Grey all around the content is a background.
    """
    if min(image.shape[:2]) < MIN_SIDE_PX:
        return ""
    channels = image.shape[2] if image.ndim == 3 else 1
    mask = np.asarray(cv2.inRange(image, (FILLER - TOLERANCE,) * channels, (FILLER + TOLERANCE,) * channels), np.uint8)
    if cv2.countNonZero(mask) < BLOCK_PX * min(mask.shape) * (1 - MAX_OTHER):
        return ""
    rows, columns = (_longest_run(_mean(mask, axis) >= 1 - MAX_OTHER) for axis in (1, 0))
    if max(rows, columns) < BLOCK_PX or rows == len(mask):
        return ""
    return "" if min(rows, columns) >= BLOCK_PX else _GREY


def _mean(mask: Pixels, axis: int) -> np.ndarray:
    """Return the share of the pixels of each row (axis 1) or column (axis 0) that are set."""
    total = np.asarray(cv2.reduce(mask, axis, cv2.REDUCE_SUM, dtype=cv2.CV_32S), np.float64)
    return np.asarray(total.ravel() / (255 * mask.shape[axis]))


def _longest_run(values: np.ndarray) -> int:
    """Return the length of the longest run of True."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], values.astype(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))
