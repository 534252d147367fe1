"""Marks on a page: strokes of a pen are kept, stains, dust and page edges are not."""

import cv2
import numpy as np

from digitwatch.recognition.foreground.geometry import writing_height
from digitwatch.recognition.segmentation.components import find_components


def found(strength: np.ndarray) -> list[tuple[int, ...]]:
    """Left, top, width and height of the components that can be writing."""
    _, stats, writing = find_components(strength, (strength >= 1).astype(np.uint8))
    return [tuple(int(side) for side in stats[number][:4]) for number in writing]


def stroke() -> np.ndarray:
    """A page with one upright stroke of 6 x 60 pixels."""
    strength = np.zeros((200, 200), np.float32)
    strength[70:130, 97:103] = 2
    return strength


def test_a_stroke_is_writing() -> None:
    """It is dark and has sharp edges."""
    assert found(stroke()) == [(97, 70, 6, 60)]


def test_a_stain_is_not() -> None:
    """What fades out slowly was not drawn with a pen."""
    stain = np.zeros((200, 200), np.float32)
    cv2.circle(stain, (100, 100), 30, (1.6,), -1)

    assert found(cv2.GaussianBlur(stain, (0, 0), 15)) == []


def test_a_paler_stroke_beside_the_writing_is_writing() -> None:
    """Where one digit of a pencil is just dark enough, the next one is not lost for being a little paler."""
    strength = stroke()
    strength[70:130, 137:143] = 1.15
    alone, far = np.where(strength == 2, 0, strength), np.roll(strength, 80, axis=0)
    far[:, :120] = strength[:, :120]

    assert found(alone) == []
    assert (len(found(strength)), len(found(far))) == (2, 1)


def test_dust_is_not() -> None:
    """Specks beside the writing are left out, and alone on a page they are nothing."""
    strength = stroke()
    strength[20:24, 20:24] = 2

    assert found(strength) == [(97, 70, 6, 60)]
    assert found(np.where(stroke() > 0, 0, strength)) == []


def test_the_edge_of_the_page_is_not() -> None:
    """A dark band along the edge is the scanner's lid or the table."""
    strength = stroke()
    strength[-12:] = 2

    assert found(strength) == [(97, 70, 6, 60)]


def test_the_rest_of_a_neighbour_is_not() -> None:
    """A small component that the edge of the crop cuts off belongs to the next digit."""
    strength = stroke()
    strength[100:125, :4] = 2

    assert found(strength) == [(97, 70, 6, 60)]


def test_the_height_of_the_writing_is_that_of_most_ink() -> None:
    """Many specks do not make the writing small."""
    stats = np.array([[0, 0, 20, 40, 300]] * 3 + [[0, 0, 2, 2, 4]] * 50, np.int32)

    assert writing_height(stats) == 40
