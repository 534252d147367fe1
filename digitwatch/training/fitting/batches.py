"""Batches of pictures of one width, from examples of many."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

import numpy as np

from digitwatch.recognition.arrays import Floats, Pixels


class Example(Protocol):
    """What a batch is made of."""

    @property
    def picture(self) -> Pixels:
        """Return the (H, W) uint8 picture."""


AnyExample = TypeVar("AnyExample", bound=Example)


def of_one_width(examples: Iterable[AnyExample], area: int) -> Iterator[list[AnyExample]]:
    """Yield examples of one width together, as soon as their columns add up to `area`."""
    waiting: dict[int, list[AnyExample]] = {}
    for example in examples:
        wide = example.picture.shape[1]
        same = waiting.setdefault(wide, [])
        same.append(example)
        if len(same) * wide >= area:
            yield waiting.pop(wide)


def stacked(examples: Sequence[Example]) -> Floats:
    """Return (N, H, W, 1) float32 pictures from 0 to 1."""
    pictures = np.stack([example.picture for example in examples])[..., None]
    return pictures.astype(np.float32) / np.float32(255)
