"""A candidate for one digit: its component, its input picture and the classifier's probabilities."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.networks.digit_image import normalise
from digitwatch.recognition.segmentation.text_lines import Component

Probabilities = NDArray[np.float32]
Classify = Callable[[Pixels], Probabilities]  # (N, 28, 28) uint8 to (N, classes) float32


@dataclass(frozen=True)
class Candidate:
    """A component of ink, its (28, 28) picture, and the (classes,) probabilities of what it is."""

    component: Component
    glyph: Pixels
    probabilities: Probabilities


def classify_components(components: list[Component], classify: Classify) -> list[Candidate]:
    """Return each component with its picture and probabilities; the model is called once."""
    if not components:
        return []
    glyphs = np.stack([normalise(component.glyph) for component in components])
    return [Candidate(*each) for each in zip(components, glyphs, classify(glyphs), strict=True)]
