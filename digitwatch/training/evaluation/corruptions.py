"""Sixteen corruptions of digits that the training does not use, to measure robustness.

They are the ideas of MNIST-C (Mu and Gilmer, 2019) implemented in plain NumPy, and share no code with the
augmentation. Each takes (N, 28, 28) uint8, 0 = paper to 255 = ink, and returns the same.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]  # as in recognition.arrays, which this module does without
Random = np.random.Generator
SIDE = 28
ROWS, COLUMNS = np.mgrid[:SIDE, :SIDE].astype(np.float64)


def corrupt(pictures: Pixels, name: str, seed: int = 0) -> Pixels:
    """Return (N, 28, 28) uint8 images after the corruption `name`, one of CORRUPTIONS."""
    corrupted = CORRUPTIONS[name](pictures.astype(np.float64) / 255, np.random.default_rng(seed))
    return np.clip(np.rint(corrupted * 255), 0, 255).astype(np.uint8)


Values = NDArray[np.float64]  # (N, 28, 28) from 0 to 1


def _shot_noise(pictures: Values, rng: Random) -> Values:
    """Few photons: Poisson noise."""
    return rng.poisson(pictures * 12 + 0.6) / 12


def _impulse_noise(pictures: Values, rng: Random) -> Values:
    """One pixel in twelve stuck at black or white."""
    stuck = rng.choice([0.0, 1.0, np.nan], size=pictures.shape, p=[0.04, 0.04, 0.92])
    return np.where(np.isnan(stuck), pictures, stuck)


def _speckle(pictures: Values, rng: Random) -> Values:
    """Ink that took unevenly: multiplicative noise."""
    return pictures * (1 + 0.6 * rng.standard_normal(pictures.shape))


def _glass(pictures: Values, rng: Random) -> Values:
    """Frosted glass: each pixel comes from somewhere near."""
    y = np.clip(ROWS + rng.integers(-1, 2, pictures.shape), 0, SIDE - 1).astype(int)
    x = np.clip(COLUMNS + rng.integers(-1, 2, pictures.shape), 0, SIDE - 1).astype(int)
    corrupted: Values = pictures[np.arange(len(pictures))[:, None, None], y, x]
    return corrupted


def _motion(pictures: Values, rng: Random) -> Values:
    """Motion blur: an average along a slanted path of five pixels."""
    corrupted: Values = np.mean([np.roll(pictures, (step // 2, step), axis=(1, 2)) for step in range(-2, 3)], axis=0)
    return corrupted


def _defocus(pictures: Values, rng: Random) -> Values:
    """Out of focus: a 3x3 average, twice."""
    for _ in range(2):
        pictures = np.mean([np.roll(pictures, (y, x), (1, 2)) for y in (-1, 0, 1) for x in (-1, 0, 1)], axis=0)
    return pictures


def _fog(pictures: Values, rng: Random) -> Values:
    """Light on the glass: slow random waves above everything."""
    fog = np.zeros_like(pictures)
    for period in (7.0, 13.0, 23.0):
        phase = rng.uniform(0, 2 * np.pi, (2, len(pictures), 1, 1))
        fog += np.cos(2 * np.pi * ROWS / period + phase[0]) * np.cos(2 * np.pi * COLUMNS / period + phase[1])
    return pictures * 0.65 + 0.35 * (0.5 + fog / 6)


def _brightness(pictures: Values, rng: Random) -> Values:
    """Grey paper: everything lifted by a third."""
    return pictures * 0.67 + 0.33


def _contrast(pictures: Values, rng: Random) -> Values:
    """Pencil: a quarter of the contrast is left."""
    return 0.25 * pictures + 0.1


def _gradient(pictures: Values, rng: Random) -> Values:
    """A shadow from one corner to the other."""
    sign = rng.choice([-1, 1], (2, len(pictures), 1, 1))
    slope = (sign[0] * (ROWS - 13.5) + sign[1] * (COLUMNS - 13.5)) / 54 + 0.5
    corrupted: Values = np.maximum(pictures * 0.9, pictures * 0.6 + 0.4 * slope)
    return corrupted


def _stripes(pictures: Values, rng: Random) -> Values:
    """Three rows of scan lines lost to ink."""
    pictures = pictures.copy()
    for start in rng.permuted(np.tile(np.arange(2, 26), (len(pictures), 1)), axis=1)[:, :3].T:
        pictures[np.arange(len(pictures)), start] = 0.75
    return pictures


def _grid(pictures: Values, rng: Random) -> Values:
    """Squared paper shining through."""
    offset = rng.integers(0, 7, (2, len(pictures), 1, 1))
    lines = ((ROWS + offset[0]) % 7 == 0) | ((COLUMNS + offset[1]) % 7 == 0)
    corrupted: Values = np.maximum(pictures, 0.4 * lines)
    return corrupted


def _zigzag(pictures: Values, rng: Random) -> Values:
    """A thin zigzag line drawn across."""
    height = rng.uniform(6, 22, (len(pictures), 1, 1))
    line = height + 3 * (2 * np.abs((COLUMNS / 7) % 1 - 0.5) * 2 - 1)
    corrupted: Values = np.maximum(pictures, np.clip(1 - np.abs(ROWS - line), 0, 1))
    return corrupted


def _occlusion(pictures: Values, rng: Random) -> Values:
    """A 5x5 square rubbed out near the middle."""
    y, x = rng.integers(7, 17, (2, len(pictures), 1, 1))
    inside = (y <= ROWS) & (y + 5 > ROWS) & (x <= COLUMNS) & (x + 5 > COLUMNS)
    return np.where(inside, 0, pictures)


def _pixels(pictures: Values, rng: Random) -> Values:
    """Half the resolution."""
    halves = pictures.reshape(-1, SIDE // 2, 2, SIDE // 2, 2).mean(axis=(2, 4))
    corrupted: Values = halves.repeat(2, axis=1).repeat(2, axis=2)
    return corrupted


def _frame(pictures: Values, rng: Random) -> Values:
    """The sides of a printed box left in the picture."""
    pictures = pictures.copy()
    left = rng.random(len(pictures)) < 0.5
    pictures[left, :, 1:3] = 0.9
    pictures[~left, :, -3:-1] = 0.9
    pictures[:, -2:, :] = 0.9
    return pictures


CORRUPTIONS: dict[str, Callable[[Values, Random], Values]] = {
    "shot noise": _shot_noise,
    "impulse noise": _impulse_noise,
    "speckle": _speckle,
    "frosted glass": _glass,
    "motion": _motion,
    "out of focus": _defocus,
    "fog": _fog,
    "grey paper": _brightness,
    "low contrast": _contrast,
    "shadow": _gradient,
    "scan lines": _stripes,
    "squared paper": _grid,
    "zigzag": _zigzag,
    "rubbed out": _occlusion,
    "half resolution": _pixels,
    "box sides": _frame,
}
