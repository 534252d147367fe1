"""Writing only: what the foreground network calls handwriting stays, dark on white."""

import numpy as np
import pytest

from digitwatch.recognition.foreground.writing_only import writing_only
from digitwatch.recognition.networks.foreground_network import OTHER_INK, PAPER, WRITING


def classes(writing: slice, other: slice) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    """Return certain classes of 24 by 40 places: columns of writing, columns of other ink, and paper."""
    found = np.full((24, 40), PAPER)
    found[:, writing], found[:, other] = WRITING, OTHER_INK
    return np.eye(3, dtype=np.float32)[found]


@pytest.mark.parametrize(("paper", "ink"), [(150, 140), (220, 30), (40, 200)])
def test_faint_dark_and_light_writing_become_dark_on_white(paper: int, ink: int) -> None:
    """The print beside it is gone."""
    grey = np.full((48, 80), paper, np.uint8)
    grey[:, 20:24] = ink  # writing
    grey[:, 60:64] = ink  # print

    alone, margin = writing_only(grey, classes(slice(10, 12), slice(30, 32)))

    inside = alone[margin:-margin, margin:-margin]
    assert inside.shape == grey.shape
    assert inside[:, 21:23].max() < 80
    assert inside[:, 50:].min() == 255


def test_a_crop_without_writing_becomes_white() -> None:
    """There is nothing to read."""
    alone, _ = writing_only(np.full((30, 30), 9, np.uint8), classes(slice(0), slice(40)))

    assert alone.min() == 255
