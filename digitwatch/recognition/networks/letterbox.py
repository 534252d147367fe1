"""Letterboxes a whole page to the input of models that classify pictures instead of finding digits."""

import cv2
import numpy as np

from digitwatch.recognition.arrays import Pixels

Shape = tuple[int, ...]  # (height, width) for grey, (height, width, 3) for colours

DARK_BORDER = 85  # grey level below which a border is dark
LIGHT_BORDER = 170  # grey level above which a border is light


def letterbox(image: Pixels, shape: Shape, background: str | None = None) -> Pixels | None:
    """Return the whole image at its own proportions, on a background of the colour of its border.

    Args:
        image: (H, W) or (H, W, 3) uint8 in blue, green, red.
        shape: the model's input; colours are red, green, blue there.
        background: "dark" or "light" where the model was trained only on such backgrounds; pictures on the other one
            are inverted. None: unchanged.

    Returns:
        `shape` uint8, or None for an image of one colour.
    """
    if len(shape) == 2:
        picture = image if image.ndim == 2 else cv2.cvtColor(image, cv2.COLOR_BGR2GRAY)
    else:
        picture = cv2.cvtColor(image, cv2.COLOR_GRAY2RGB if image.ndim == 2 else cv2.COLOR_BGR2RGB)
    if picture.min() == picture.max():
        return None
    height, width = shape[:2]
    scale = min(width / picture.shape[1], height / picture.shape[0])
    across, down = (max(1, round(side * scale)) for side in (picture.shape[1], picture.shape[0]))
    small = cv2.resize(picture, (across, down), interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    boxed: Pixels = np.empty(shape, np.uint8)
    boxed[...] = np.median(border(picture), axis=0)
    left, top = (width - across) // 2, (height - down) // 2
    boxed[top : top + down, left : left + across] = small
    other = {"dark": "light", "light": "dark"}.get(background or "")
    return 255 - boxed if other and background_of(picture) == other else boxed


def border(picture: Pixels) -> Pixels:
    """Return the outermost pixels of a picture, (N,) or (N, 3)."""
    return np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])


def background_of(picture: Pixels) -> str | None:
    """Return "dark" or "light", the background of a picture by its border; None where that is in between."""
    level = float(np.median(border(picture)))
    return "dark" if level < DARK_BORDER else "light" if level > LIGHT_BORDER else None
