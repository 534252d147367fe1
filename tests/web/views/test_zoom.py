"""Which part of a page is enlarged."""

from digitwatch.web.views.zoom import SHOWN, Box, outline, part, scale


def test_a_small_number_on_a_large_page_is_enlarged() -> None:
    """All its digits are in the part, with space around them."""
    found = part([Box(300, 400, 30, 40), Box(350, 400, 30, 40)], [0.9, 0.99], 1000, 1400)

    assert found == Box(268, 368, 144, 104)
    assert scale(found) == SHOWN[1] / 104


def test_of_many_digits_the_doubtful_ones_are_enlarged() -> None:
    """Where all together would be too small to be read."""
    boxes = [Box(20 * column, 20 * row, 10, 12) for row in range(40) for column in range(40)]
    found = part(boxes, [0.99] * 1599 + [0.5], 3000, 3000)

    assert found is not None and found.width < 100
    assert (found.left, found.top) == (20 * 39 - 24, 20 * 39 - 24)


def test_a_page_full_of_digits_is_shown_whole() -> None:
    """And one without any."""
    assert part([Box(10, 10, 20, 28)], [0.5], 40, 48) is None
    assert part([], [], 1000, 1000) is None


def test_the_frame_lies_around_the_digit() -> None:
    """In pixels of the enlarged part."""
    assert outline(Box(20, 30, 10, 20), Box(10, 10, 100, 100), 2.0) == (17, 37, 43, 83)
