"""Samples of any kind to a picture that lies upright on paper: uint8, 255 white, no alpha."""

import cv2
import numpy as np


def key_to_alpha(image: np.ndarray, key: tuple[int, ...]) -> np.ndarray:
    """Make the colour `key` (grey, or red, green, blue) transparent: (H, W) or (H, W, 3) to BGRA."""
    if image.ndim != (2 if len(key) == 1 else 3) or image.shape[2:] == (4,):
        return image  # the decoder has done so, or the colour is of another kind of picture
    full = np.iinfo(image.dtype).max
    colours = image if image.ndim == 3 else np.dstack([image] * 3)
    transparent = (colours == np.array(key[::-1])).all(axis=2)
    return np.dstack([colours, np.where(transparent, 0, full).astype(image.dtype)])


def to_eight_bits(image: np.ndarray, maximum: int = 255) -> np.ndarray:
    """Scale samples of any type to uint8 by the bits really used: scanners store 10 or 12 bits in 16.

    `maximum` is the value of white in samples that are uint8 already.
    """
    if image.dtype == np.uint8:
        return image if maximum == 255 else np.asarray(cv2.convertScaleAbs(image, alpha=255 / maximum), np.uint8)
    if image.dtype == np.uint16:
        bits = max(8, int(image.max()).bit_length())
        return (image >> (bits - 8)).astype(np.uint8)
    values = np.nan_to_num(image.astype(np.float32), posinf=0, neginf=0)
    low, high = min(0.0, float(values.min())), max(float(values.max()), 1e-12)
    high = 1.0 if image.dtype.kind == "f" and high <= 1 else high
    return ((values - low) * (255 / (high - low))).astype(np.uint8)


def on_paper(image: np.ndarray) -> np.ndarray:
    """Lay a picture on white paper: (H, W), (H, W, 3) or with alpha (H, W, 4) uint8 to (H, W) or (H, W, 3).

    If all that is visible on it is a little light ink, which white paper would swallow, it is laid on black. A picture
    that is transparent everywhere is taken as opaque: its writer left the bytes of alpha unused.
    """
    if image.ndim == 2 or image.shape[2] == 3:
        return image
    if image.shape[2] != 4:  # grey with alpha
        image = np.dstack([image[..., 0]] * 3 + [image[..., -1]])
    alpha = np.ascontiguousarray(image[..., 3])
    colours: np.ndarray = cv2.cvtColor(image, cv2.COLOR_BGRA2BGR)
    if alpha.min() == 255 or alpha.max() == 0:
        return colours
    paper = 0 if _is_light_ink(colours, alpha) else 255
    opacity = cv2.merge([alpha] * 3)
    ink: np.ndarray = cv2.multiply(colours, opacity, scale=1 / 255)
    return ink if paper == 0 else ink + cv2.bitwise_not(opacity)


def _is_light_ink(colours: np.ndarray, alpha: np.ndarray) -> bool:
    """Tell white ink without paper from a page of white paper: ink covers little, and nothing is dark."""
    visible = alpha > 127
    covered = np.count_nonzero(visible)
    if not 0 < covered < 0.5 * visible.size:
        return False
    dark = np.count_nonzero(visible & (cv2.cvtColor(colours, cv2.COLOR_BGR2GRAY) < 160))
    return bool(dark < 0.02 * covered)


def upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Undo an EXIF orientation (1 to 8) of an (H, W) or (H, W, C) picture."""
    if orientation >= 5:
        image = cv2.transpose(image)
    flip = {2: 1, 3: -1, 4: 0, 6: 1, 7: -1, 8: 0}.get(orientation)
    return image if flip is None else cv2.flip(image, flip)


def square(image: np.ndarray, aspect: float) -> np.ndarray:
    """Stretch the coarser axis of an (H, W) or (H, W, C) picture whose pixels are `aspect` times as high as wide."""
    if aspect == 1:
        return image
    height, width = image.shape[:2]
    size = round(width * max(1.0, 1 / aspect)), round(height * max(1.0, aspect))
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_LINEAR), np.uint8)
