"""Touching digits: a cut where they touch."""

import cv2
import numpy as np

from digitwatch.recognition.segmentation.oversegment import split
from digitwatch.recognition.segmentation.text_lines import Component


def rings(*centres: int) -> Component:
    """Touching rings of 40 pixels across."""
    glyph = np.zeros((44, max(centres) + 24), np.uint8)
    for centre in centres:
        cv2.circle(glyph, (centre, 22), 18, 255, 4)
    return Component(100, 50, glyph)


def test_touching_rings_are_parted_where_they_touch() -> None:
    """One of the cuts lies between the two rings."""
    edges = [part.right for part in split(rings(22, 59), 44)]

    assert any(abs(edge - 140.5) <= 3 for edge in edges)


def test_the_parts_are_the_whole() -> None:
    """No ink is lost or doubled by cutting."""
    component = rings(22, 59, 96)
    parts = split(component, 44)

    assert len(parts) >= 3
    assert sum(int(part.glyph.sum()) for part in parts) == int(component.glyph.sum())


def test_a_narrow_stroke_is_left_alone() -> None:
    """A 1 is too narrow for two digits."""
    assert len(split(Component(0, 0, np.full((50, 6), 255, np.uint8)), 50)) == 1
