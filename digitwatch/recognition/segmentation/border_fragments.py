"""What the edge of the page has left of the writing beside it: no part of the number that stands free of all edges."""

from digitwatch.recognition.segmentation.text_lines import Component

MIN_MARGIN = (
    0.08  # of its height is the least paper between writing and any edge of the page, on a page that is not tight
)
FRAGMENT_PROBABILITY = 0.85  # that what the edge of such a page cuts is a rest: a number may also run off its paper
# What the edge cuts may well be a digit where it stands like the next one: shares of that one's height
MAX_OFFSET = 0.25  # that its middle is at most above or below
MIN_HEIGHT_RATIO = 0.65  # that its height, or the other way round, is at least
MAX_GAP = 1.0  # that lie between them at most
MIN_CUT_WIDTH = 0.4  # that it is wide; beside one digit alone a narrower one is a rest
CUT_DIGIT_PROBABILITY = 0.93  # how sure that makes it
# Where all components reach from edge to edge they may be lines: narrower than MIN_CUT_WIDTH of the page
MAX_SPANNING_WIDTH = 0.2  # and no broader than this share of their length
SPANNING_PROBABILITY = 0.5  # that they are digits

Paper = tuple[int, int, int, int]  # left, top, right, bottom, in pixels


def without_fragments(rows: list[list[Component]], paper: Paper) -> tuple[list[list[Component]], float]:
    """Return the rows without what the page's edge cuts, and the probability that this is right.

    Only where all other components stand free of the edges: in a crop as tight as can be, digits touch them as well.

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
    """Return whether a component that the edge cuts stands in its row as the next digit of a number would."""
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
    """Return how many pixels of paper lie between the component and the nearest edge of the paper."""
    left, top, right, bottom = paper
    return min(component.left - left, component.top - top, right - component.right, bottom - component.bottom)


def p_spanning_digits(rows: list[list[Component]], paper: Paper) -> float:
    """Return the probability that what reaches from edge to edge are digits: lines and bars alone are hardly any."""
    components = [component for row in rows for component in row]
    return SPANNING_PROBABILITY if components and all(_spans(component, paper) for component in components) else 1.0


def _spans(component: Component, paper: Paper) -> bool:
    """Return whether a component reaches from one edge of the paper to the other, and takes little of the other side."""
    left, top, right, bottom = paper
    upright = component.top <= top and component.bottom >= bottom and component.width < MIN_CUT_WIDTH * (right - left)
    level = component.left <= left and component.right >= right and component.height < MIN_CUT_WIDTH * (bottom - top)
    thin = min(component.width, component.height) < MAX_SPANNING_WIDTH * max(component.width, component.height)
    return (upright or level) and thin
