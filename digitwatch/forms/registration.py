"""Registration of a page on a template: coarse candidates, local refinement, and a test that each must pass.

The test looks for the template's printed lines on the page as it was mapped: a registration that is wrong is far
off, for instance by one box of a row of equal boxes, and misses lines in a quarter of the page.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.forms import candidates
from digitwatch.forms.candidates import Features, Homography
from digitwatch.forms.mapping import Mapping, Points, fitted
from digitwatch.forms.printed import WORK_PX, Lines, darkness, faint_lines, find_lines, reduced, without_areas
from digitwatch.recognition.arrays import Floats, Pixels

Steps = Sequence[tuple[int, int, int]]

PAGE_PX = 1600  # longer side of a page as it is registered
MIN_PAGE_PX = 400  # longer side of a page that may be a form: A4 with 1.3 pixels a millimetre
PATCH_PX, STRIDE_PX = 72, 56  # of the patches that are looked for near their places
MIN_PATCH_INK = 0.02  # share of a patch's pixels that are dark
STEPS = ((2, 12, 1), (2, 8, 1), (1, 8, 2), (1, 5, 3))  # reduction, search radius in its pixels, order
STEPS_AFTER_TURN = ((2, 8, 2), (1, 5, 3))  # for the same page upside down, whose curl is known
# Mean likeness of the patches, below which a candidate is dropped: right ones have 0.6 and more, wrong ones 0.3.
MIN_MEAN_LIKENESS = 0.42
MANY_PATCHES = 100  # from which on half of them do: a polynomial has 20 coefficients
MAX_SCORE = 1.01  # likeness of anything; rounding adds a little
MIN_LIKENESS = 0.3  # of a patch and its place on the page, from which on the place counts
TRIED = 3  # candidates of a kind that are refined at most
MIN_COARSE = 0.1  # likeness of template and page, below which a candidate is not refined
TOLERANCE_MM = 1.0  # within which a line is found again
TEST_REDUCTION, TEST_MM = 2, 2.5  # of the pictures in which patches are looked for then, and how far
MIN_LINES = 0.8  # share of the template's lines in each quarter of the page that must be found again
MIN_QUARTER_MM = 40.0  # of lines in a quarter, below which its patches are counted instead
MIN_PATCHES = 0.5  # share of the patches found again, in a quarter without lines
MIN_ALL_PATCHES = 0.4  # and on the whole page
MAYBE_SYMMETRIC = 0.5  # likeness of a page upside down, by that of the page, from which on both are tested
DIFFERENT = 0.04  # likeness by which one of two registrations is surely the better one
MAX_SHIFT_MM = 2.0  # of the page against the template, at which they are most alike after registration


@dataclass(frozen=True)
class Template:
    """A page of a form as it is registered on: reduced to WORK_PX.

    Attributes:
        dark: its darkness map.
        px_per_mm: pixels per millimetre of it.
        lines: its printed lines.
        features: its features.
        coarse: its darkness map reduced to COARSE_PX.
        patches: (N, 2) upper left corners of the patches that are looked for.
    """

    dark: Pixels
    px_per_mm: float
    lines: Lines
    features: Features
    coarse: Floats
    patches: NDArray[np.intp]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height."""
        return int(self.dark.shape[1]), int(self.dark.shape[0])


@dataclass(frozen=True)
class Registered:
    """A page that lies on a template.

    Attributes:
        mapping: template pixels to pixels of the page as it was given.
        found: share of the lines found again in the quarter where it is least.
        likeness: mean likeness of the patches.
        warped: darkness map of the page in the frame of the template.
    """

    mapping: Mapping
    found: float
    likeness: float
    warped: Pixels


@dataclass(frozen=True)
class RegisteredPage:
    """A page prepared for registration on any template: its darkness map, its features, and page pixels per pixel."""

    grey: Pixels
    dark: Pixels
    features: Features
    scale: float


def prepare_template(grey: Pixels, long_mm: float) -> Template:
    """Return a template from its example, (H, W) uint8, whose longer side has `long_mm` millimetres."""
    dark = darkness(reduced(grey, WORK_PX))
    px_per_mm = WORK_PX / long_mm
    tops = range(0, max(1, dark.shape[0] - PATCH_PX), STRIDE_PX)
    lefts = range(0, max(1, dark.shape[1] - PATCH_PX), STRIDE_PX)
    inked = [(x, y) for y in tops for x in lefts if _ink(dark[y : y + PATCH_PX, x : x + PATCH_PX]) >= MIN_PATCH_INK]
    coarse = candidates.coarse(reduced(without_areas(dark), candidates.COARSE_PX))
    lines = find_lines(dark, px_per_mm)
    return Template(dark, px_per_mm, lines, candidates.features(dark), coarse, np.array(inked, np.intp).reshape(-1, 2))


def _ink(patch: Pixels) -> float:
    return float((patch > 80).mean())


def prepare_page(grey: Pixels) -> RegisteredPage:
    """Return a page, (H, W) uint8, prepared for registration."""
    small = reduced(grey, PAGE_PX)
    dark = darkness(small)
    return RegisteredPage(small, dark, candidates.features(dark), max(grey.shape) / max(small.shape))


def register(template: Template, page: RegisteredPage, *, thorough: bool = True) -> Registered | None:
    """Return how the page lies on the template; None where no candidate passes the test.

    If not `thorough`, only the candidate of the features is tried.
    """
    for homography in _ranked(template, page, thorough):
        found = _tested(template, page, _refined(template, page.dark, Mapping.of(homography, template.size)))
        if found is not None:
            found = _right_way_up(template, page, found)
            to_page = np.diag([page.scale, page.scale, 1.0])
            mapping = found.mapping
            full = Mapping(to_page @ mapping.homography, mapping.size, mapping.coefficients)
            return replace(found, mapping=full)
    return None


def _right_way_up(template: Template, page: RegisteredPage, found: Registered) -> Registered:
    """Return the registration, or its rival upside down where that passes too and is likelier.

    Where both are alike, the form looks the same upside down, and a page is taken to lie upright.
    """
    own, _ = _best_shift(template, found.warped)
    likeness, shift = _best_shift(template, np.ascontiguousarray(np.rot90(found.warped, 2)))
    if likeness < MAYBE_SYMMETRIC * own:
        return found
    turned = found.mapping.upside_down().shifted(shift)
    rival = _tested(template, page, _refined(template, page.dark, turned, STEPS_AFTER_TURN))
    if rival is None or abs(rival.likeness - found.likeness) >= DIFFERENT:
        return found if rival is None or found.likeness > rival.likeness else rival
    return min(found, rival, key=lambda each: abs(each.mapping.angle))


def _ranked(template: Template, page: RegisteredPage, thorough: bool) -> Iterator[Homography]:
    """Yield the candidates to be refined: that of the features, then the others by their likeness."""
    first = candidates.by_features(template.features, page.features)
    if first is not None and candidates.is_sane(first, template.size, page.dark.shape[::-1]):
        yield _aligned(template, page.dark, first)[1]
    if not thorough:
        return
    for group in (
        candidates.by_paper(page.grey, page.dark, template.size),
        candidates.by_frame(page.dark, template.dark, template.px_per_mm),
        candidates.by_search(page.dark, template.dark, template.size),
    ):
        scored = []
        for homography in group:
            if candidates.is_sane(homography, template.size, page.dark.shape[::-1]):
                scored.append(_aligned(template, page.dark, homography))
        scored.sort(key=lambda each: -each[0])
        yield from (homography for likeness, homography in scored[:TRIED] if likeness > MIN_COARSE)


def _aligned(template: Template, dark: Pixels, homography: Homography) -> tuple[float, Homography]:
    """Return the likeness of template and page under a homography that is shifted to where it is highest."""
    height, width = template.coarse.shape
    scale = width / template.size[0]
    warped = cv2.warpPerspective(
        dark,
        homography @ np.diag([1 / scale, 1 / scale, 1]),
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
    )
    likeness, x, y = candidates.best_shift(template.coarse, candidates.coarse(warped))
    shift = np.array([[1, 0, x / scale], [0, 1, y / scale], [0, 0, 1.0]])
    return likeness, homography @ shift


def _refined(template: Template, dark: Pixels, mapping: Mapping, steps: Steps = STEPS) -> Mapping | None:
    """Return the mapping after its patches were looked for near their places, in smaller and smaller circles.

    None where they are so unlike what is there that the page cannot lie so.
    """
    few = replace(template, patches=template.patches[:: 1 if len(template.patches) < MANY_PATCHES else 2])
    for reduction, radius, order in steps:
        warped = mapping.warp(dark, scale=1 / reduction)
        at, moved, weights, likeness = _matches(few, warped, reduction, radius)
        if not len(likeness) or likeness.mean() < MIN_MEAN_LIKENESS:
            return None
        if len(at) < 12:
            return mapping
        total = moved + mapping.displacement(at + moved)
        mapping = fitted(mapping, at, total, weights, order)
    return mapping


def _matches(
    template: Template, warped: Pixels, reduction: int, radius: int
) -> tuple[Points, Points, Points, NDArray[np.float64]]:
    """Return middles of patches, how far from them they are found, how well that is known, and their likeness."""
    own = (
        template.dark if reduction == 1 else cv2.resize(template.dark, warped.shape[::-1], interpolation=cv2.INTER_AREA)
    )
    own, page = (cv2.GaussianBlur(each, (0, 0), 1.0) for each in (own, warped))
    page = cv2.copyMakeBorder(page, radius, radius, radius, radius, cv2.BORDER_CONSTANT, value=0)
    side = PATCH_PX // reduction
    at, moved, weights, likeness = [], [], [], []
    for x, y in template.patches // reduction:
        patch = own[y : y + side, x : x + side]
        window = page[y : y + side + 2 * radius, x : x + side + 2 * radius]
        if (
            min(patch.shape) < 8
            or (window.shape[0] - patch.shape[0], window.shape[1] - patch.shape[1]) != (2 * radius,) * 2
        ):
            continue
        scores = cv2.matchTemplate(window, patch, cv2.TM_CCOEFF_NORMED)
        shift, alike, sharp = peak(scores, radius)
        likeness.append(alike)
        if alike >= MIN_LIKENESS:
            at.append((x + side / 2, y + side / 2))
            moved.append(shift)
            weights.append(sharp * alike)
    points = [np.array(each, float).reshape(-1, 2) for each in (at, moved, weights)]
    return points[0] * reduction, points[1] * reduction, points[2], np.array(likeness)


def peak(scores: Floats, radius: int) -> tuple[NDArray[np.float64], float, NDArray[np.float64]]:
    """Return the place of the highest score, from the middle; the score; and how much it falls along each axis."""
    y, x = divmod(int(scores.argmax()), scores.shape[1])
    highest = float(scores[y, x])
    if not highest <= MAX_SCORE:  # a window of one colour: infinite, or not a number
        return peak(np.nan_to_num(np.where(scores <= MAX_SCORE, scores, 0)), radius)
    place, sharp = np.empty(2), np.empty(2)
    for axis, (profile, k) in enumerate(((scores[y, :], int(x)), (scores[:, x], int(y)))):
        place[axis], sharp[axis] = k - radius, 0.0
        if 0 < k < len(profile) - 1:
            before, behind = float(profile[k - 1]), float(profile[k + 1])
            bend = before - 2 * highest + behind
            place[axis] += min(max(0.5 * (before - behind) / bend, -0.5), 0.5) if bend else 0.0
            near = [float(profile[j]) for j in (k - 4, k + 4) if 0 <= j < len(profile)]
            sharp[axis] = max(0.0, highest - max(near))
    return place, highest, sharp + 1e-3


def _tested(template: Template, page: RegisteredPage, mapping: Mapping | None) -> Registered | None:
    """Return the registration if the template's print is found again in every quarter of the page."""
    if mapping is None or not candidates.is_sane(mapping.homography, template.size, page.dark.shape[::-1]):
        return None
    warped = mapping.warp(page.dark)
    if not _lies_best(template, warped):
        return None
    small = cv2.resize(warped, None, fx=1 / TEST_REDUCTION, fy=1 / TEST_REDUCTION, interpolation=cv2.INTER_AREA)
    radius = round(TEST_MM * template.px_per_mm / TEST_REDUCTION)
    _, moved, weights, likeness = _matches(template, small, TEST_REDUCTION, radius)
    near = np.zeros(len(likeness), bool)
    tolerance = TOLERANCE_MM * template.px_per_mm
    known = weights > 0.05
    near[likeness >= MIN_LIKENESS] = (np.abs(np.where(known, moved, 0)) <= tolerance).all(axis=1)
    if not len(likeness) or near.mean() < MIN_ALL_PATCHES:
        return None
    shares = quarters(template, faint_lines(warped, template.px_per_mm), near)
    if not shares or min(shares) < 1:
        return None
    return Registered(mapping, min(shares) * MIN_LINES, float(likeness.mean()), warped)


def _lies_best(template: Template, warped: Pixels) -> bool:
    """Return whether no other shift of the page, such as by one of many equal boxes, is more like the template."""
    scale = template.coarse.shape[1] / template.size[0]
    _, shift = _best_shift(template, warped)
    return bool(np.abs(shift).max() <= max(1 / scale, MAX_SHIFT_MM * template.px_per_mm))


def _best_shift(template: Template, warped: Pixels) -> tuple[float, Points]:
    """Return the likeness of the template and a warped page at the shift where it is highest, and that (2,) shift."""
    scale = template.coarse.shape[1] / template.size[0]
    small = cv2.resize(without_areas(warped), template.coarse.shape[::-1], interpolation=cv2.INTER_AREA)
    likeness, x, y = candidates.best_shift(template.coarse, candidates.coarse(small))
    return likeness, np.array([x, y]) / scale


def quarters(template: Template, lines: Lines, near: NDArray[np.bool_]) -> list[float]:
    """Return for each quarter of the template the share of its print found again, by the share that is needed."""
    shares = []
    side = 2 * round(TOLERANCE_MM * template.px_per_mm) + 1
    kernel = np.ones((side, side), np.uint8)
    width, height = template.size
    middles = template.patches[: len(near)] + PATCH_PX / 2
    pairs = [
        (own, cv2.dilate(other, kernel))
        for own, other in ((template.lines.across, lines.across), (template.lines.down, lines.down))
    ]
    for top, bottom in ((0, height // 2), (height // 2, height)):
        for left, right in ((0, width // 2), (width // 2, width)):
            own = sum(int(cv2.countNonZero(mask[top:bottom, left:right])) for mask, _ in pairs)
            found = sum(int(cv2.countNonZero((mask & other)[top:bottom, left:right])) for mask, other in pairs)
            inside = (middles >= (left, top)).all(axis=1) & (middles < (right, bottom)).all(axis=1)
            if own >= MIN_QUARTER_MM * template.px_per_mm * 2:
                shares.append(found / own / MIN_LINES)
            elif inside.sum() >= 3:
                shares.append(float(near[inside].mean()) / MIN_PATCHES)
    return shares
