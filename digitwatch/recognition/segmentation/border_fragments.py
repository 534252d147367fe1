"""Fragments at the border of the page: remainders of neighbouring writing, where the number itself is clear of it."""

from digitwatch.recognition.segmentation.text_lines import Component

MIN_MARGIN = 0.08  # of paper between writing and border, by the writing's height, on a page that is not cropped tightly
# That what the border of such a page cuts is a neighbour's; a number may also leave its page.
FRAGMENT_PROBABILITY = 0.85
# What the border cuts may be a digit where it is in line with the next one; shares of that one's height.
MAX_OFFSET = 0.25  # vertical distance from the next digit
MIN_HEIGHT_RATIO = 0.65  # of the lower to the higher of the two
MAX_GAP = 1.0  # of paper between the two
MIN_CUT_WIDTH = 0.4  # where there is one digit alone; a narrower component is a fragment
CUT_DIGIT_PROBABILITY = 0.93  # that a cut component in line with the others is a digit
# Components that all run from border to border may be lines.
MAX_SPANNING_WIDTH = 0.4  # of such a line, by the page's side
MAX_SPANNING_ASPECT = 0.2  # width by length of a line from border to border
SPANNING_PROBABILITY = 0.5  # that components which all run from border to border are digits

Paper = tuple[int, int, int, int]  # left, top, right, bottom, in pixels


def without_fragments(rows: list[list[Component]], paper: Paper) -> tuple[list[list[Component]], float]:
    """Return the rows without fragments at the border, and the probability that this is right.

    Only where all other components are clear of the border: in a tight crop, digits touch it as well.

    Args:
        rows: components in reading order.
        paper: where the page is, or the sheet on it.
    """
    components = [component for row in rows for component in row]
    uncut = [component for component in components if _margin(component, paper) > 0]
    if not uncut or any(_margin(component, paper) < MIN_MARGIN * component.height for component in uncut):
        return rows, 1.0
    kept = [
        [component for component in row if _margin(component, paper) > 0 or _continues(component, row, uncut, paper)]
        for row in rows
    ]
    left = sum(map(len, kept))
    certainty: float = FRAGMENT_PROBABILITY ** (len(components) - left) * (
        CUT_DIGIT_PROBABILITY if left > len(uncut) else 1.0
    )
    return [row for row in kept if row], certainty


def _continues(cut: Component, row: list[Component], uncut: list[Component], paper: Paper) -> bool:
    """Return whether a component cut by the border is in line with its row as the next digit would be."""
    others = [component for component in row if _margin(component, paper) > 0]
    if not others or (len(uncut) == 1 and cut.width < MIN_CUT_WIDTH * uncut[0].height):
        return False
    gap, near = min(((_gap(cut, component), component) for component in others), key=lambda pair: pair[0])
    middle = (cut.top + cut.bottom - near.top - near.bottom) / 2
    alike = min(cut.height, near.height) / max(cut.height, near.height)
    return abs(middle) <= MAX_OFFSET * near.height and alike >= MIN_HEIGHT_RATIO and gap <= MAX_GAP * near.height


def _gap(one: Component, other: Component) -> int:
    """Return how many pixels of paper are between two components of a row."""
    return max(one.left, other.left) - min(one.right, other.right)


def _margin(component: Component, paper: Paper) -> int:
    """Return the pixels of paper between the component and the nearest border."""
    left, top, right, bottom = paper
    return min(component.left - left, component.top - top, right - component.right, bottom - component.bottom)


def p_spanning_digits(rows: list[list[Component]], paper: Paper) -> float:
    """Return the probability that components from border to border are digits, and not lines or bars."""
    components = [component for row in rows for component in row]
    return SPANNING_PROBABILITY if components and all(_spans(component, paper) for component in components) else 1.0


def _spans(component: Component, paper: Paper) -> bool:
    """Return whether a component runs from one border to the opposite one as a thin line."""
    left, top, right, bottom = paper
    upright = (
        component.top <= top and component.bottom >= bottom and component.width < MAX_SPANNING_WIDTH * (right - left)
    )
    level = (
        component.left <= left and component.right >= right and component.height < MAX_SPANNING_WIDTH * (bottom - top)
    )
    thin = min(component.width, component.height) < MAX_SPANNING_ASPECT * max(component.width, component.height)
    return (upright or level) and thin
