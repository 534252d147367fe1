"""Facts about the corruptions that measure a model."""

import ast
from pathlib import Path

import numpy as np
import pytest

from digitwatch.training.evaluation import corruptions

PICTURES = np.zeros((5, 28, 28), np.uint8)
PICTURES[:, 6:22, 11:16] = [120, 255, 255, 255, 90]


@pytest.mark.parametrize("name", corruptions.CORRUPTIONS)
def test_every_corruption_spoils_but_keeps_the_digit(name: str) -> None:
    """Each changes pixels, keeps shape and type, leaves its input alone, and the stroke stays darker."""
    before = PICTURES.copy()
    spoiled = corruptions.corrupt(PICTURES, name)

    assert (PICTURES.shape, PICTURES.dtype) == (spoiled.shape, spoiled.dtype)
    assert not np.array_equal(PICTURES, spoiled)
    assert np.array_equal(before, PICTURES)
    assert spoiled[:, 6:22, 12:15].mean() > spoiled[:, 6:22, 3:9].mean() + 20


def test_corruptions_are_repeatable() -> None:
    """The same seed spoils the same way."""
    assert all(
        np.array_equal(corruptions.corrupt(PICTURES, name), corruptions.corrupt(PICTURES, name))
        for name in corruptions.CORRUPTIONS
    )


def test_there_are_twelve_and_they_share_no_code_with_the_training() -> None:
    """Twelve corruptions or more, and the module imports nothing of the package, nor OpenCV."""
    tree = ast.parse(Path(corruptions.__file__).read_text(encoding="utf-8"))
    roots = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }

    assert len(corruptions.CORRUPTIONS) >= 12
    assert {"collections", "numpy"} == roots
