"""Ink on paper: under uneven light, of either polarity, and none on a blank page."""

import numpy as np
import pytest

from digitwatch.recognition.foreground.binarise import find_ink


def page(height: int = 120, width: int = 160, *, paper: int = 220, ink: int = 60) -> np.ndarray:
    """A page with an upright bar of 8 x 60 pixels in its middle."""
    grey = np.full((height, width), paper, np.uint8)
    grey[30:90, 76:84] = ink
    return grey


@pytest.mark.parametrize(("paper", "ink"), [(220, 60), (255, 0), (0, 255), (30, 200), (200, 130)])
def test_the_ink_is_found_whichever_is_darker(paper: int, ink: int) -> None:
    """Dark on light and light on dark give the same mask."""
    mask = find_ink(page(paper=paper, ink=ink)).mask

    assert mask[35:85, 77:83].all()
    assert mask.sum() <= 1.4 * 8 * 60


def test_a_shadow_across_the_page_is_not_ink() -> None:
    """Light that falls from 250 to 100 across the page leaves only the stroke."""
    grey = page().astype(np.float32) * np.linspace(1.1, 0.45, 160, dtype=np.float32)
    mask = find_ink(grey.astype(np.uint8)).mask

    assert mask[35:85, 77:83].all()
    assert mask.sum() <= 1.4 * 8 * 60


def test_blank_paper_has_no_ink() -> None:
    """The grain of the paper does not reach the threshold."""
    grain = np.random.default_rng(0).normal(200, 4, (200, 300))

    assert find_ink(grain.astype(np.uint8)).mask.mean() < 0.001


def test_glare_on_light_paper_is_not_light_ink() -> None:
    """Bright spots on paper that is not dark do not turn the polarity round."""
    grey = np.full((100, 100), 170, np.uint8)
    grey[40:44, 40:60] = 250

    assert not find_ink(grey).light


def test_large_writing_is_looked_at_reduced_and_small_writing_is_not() -> None:
    """A digit that fills 2,000 pixels is worked on at a fraction of them, one of 30 pixels in full."""
    large = np.repeat(np.repeat(page(), 16, axis=0), 16, axis=1)
    small = np.full((1000, 1600), 220, np.uint8)
    small[500:530, 800:804] = 60

    assert find_ink(large).factor >= 4
    assert find_ink(small).factor == 1


@pytest.mark.parametrize("shape", [(1, 1), (1, 50), (50, 1), (3, 3), (28, 28)])
def test_the_smallest_pages_are_taken(shape: tuple[int, int]) -> None:
    """No size is too small to be looked at."""
    assert find_ink(np.full(shape, 128, np.uint8)).mask.shape == shape


def test_a_large_page_may_be_blank() -> None:
    """Nothing is looked for where there is no ink: without it, what is left of the page has no pixel."""
    assert not find_ink(np.full((700, 600), 255, np.uint8)).mask.any()


def test_a_tiny_picture_is_mostly_ink_and_keeps_it() -> None:
    """A fat digit of 16 pixels leaves no paper around it by which its middle could be judged."""
    grey = np.full((16, 16), 255, np.uint8)
    grey[:, 3:13] = 30

    assert find_ink(grey).mask[:, 3:13].all() and not find_ink(grey).mask[:, :3].any()
