"""What the edge of the page has left of the writing beside it: no part of the number that stands free of all edges."""

from digitwatch.recognition.segmentation.text_lines import Component

CUT_OFF = "what reaches the edge of the page may be a digit, or a rest"
FREE = 0.08  # of its height is the least paper between writing and any edge of the page, on a page that is not tight
LIKELY = 0.85  # that what the edge of such a page cuts is a rest: a number may also run off its paper
# What the edge cuts may well be a digit where it stands like the next one: shares of that one's height
LEVEL = 0.25  # that its middle is at most above or below
ALIKE = 0.65  # that its height, or the other way round, is at least
CLOSE = 1.0  # that lie between them at most
NARROW = 0.4  # that it is wide; beside one digit alone a narrower one is a rest
DOUBT = 0.93  # how sure that makes it
# Where all marks reach from edge to edge they may be lines: narrower than NARROW of the page
THIN = 0.2  # and no broader than this share of their length
SPANNING = 0.5  # that they are digits

Paper = tuple[int, int, int, int]  # left, top, right, bottom, in pixels


def without_rests(rows: list[list[Component]], paper: Paper) -> tuple[list[list[Component]], float]:
    """Return the rows without what the page's edge cuts, and the probability that this is right.

    Only where all other pieces stand free of the edges: in a crop as tight as can be, digits touch them as well.

    Args:
        rows: pieces in reading order.
        paper: where the page is, or the sheet on it.
    """
    pieces = [piece for row in rows for piece in row]
    whole = [piece for piece in pieces if _room(piece, paper) > 0]
    if not whole or any(_room(piece, paper) < FREE * piece.height for piece in whole):
        return rows, 1.0
    kept = [[piece for piece in row if _room(piece, paper) > 0 or _continues(piece, row, whole, paper)] for row in rows]
    left = sum(map(len, kept))
    certainty: float = LIKELY ** (len(pieces) - left) * (DOUBT if left > len(whole) else 1.0)
    return [row for row in kept if row], certainty


def _continues(cut: Component, row: list[Component], whole: list[Component], paper: Paper) -> bool:
    """Tell whether a piece that the edge cuts stands in its row as the next digit of a number would."""
    others = [piece for piece in row if _room(piece, paper) > 0]
    if not others or (len(whole) == 1 and cut.width < NARROW * whole[0].height):
        return False
    gap, near = min(((_gap(cut, piece), piece) for piece in others), key=lambda pair: pair[0])
    middle = (cut.top + cut.bottom - near.top - near.bottom) / 2
    alike = min(cut.height, near.height) / max(cut.height, near.height)
    return abs(middle) <= LEVEL * near.height and alike >= ALIKE and gap <= CLOSE * near.height


def _gap(one: Component, other: Component) -> int:
    """Return how many pixels of paper are between two pieces of a row."""
    return max(one.left, other.left) - min(one.right, other.right)


def _room(piece: Component, paper: Paper) -> int:
    """Return how many pixels of paper lie between the piece and the nearest edge of the paper."""
    left, top, right, bottom = paper
    return min(piece.left - left, piece.top - top, right - piece.right, bottom - piece.bottom)


def spanning(rows: list[list[Component]], paper: Paper) -> float:
    """Return the probability that what reaches from edge to edge are digits: lines and bars alone are hardly any."""
    pieces = [piece for row in rows for piece in row]
    return SPANNING if pieces and all(_spans(piece, paper) for piece in pieces) else 1.0


def _spans(piece: Component, paper: Paper) -> bool:
    """Tell whether a piece reaches from one edge of the paper to the other, and takes little of the other side."""
    left, top, right, bottom = paper
    upright = piece.top <= top and piece.bottom >= bottom and piece.width < NARROW * (right - left)
    level = piece.left <= left and piece.right >= right and piece.height < NARROW * (bottom - top)
    thin = min(piece.width, piece.height) < THIN * max(piece.width, piece.height)
    return (upright or level) and thin
