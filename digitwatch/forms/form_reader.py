"""Reads the fields of a page that lies on a template."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.forms import checks, registration
from digitwatch.forms.expected_texts import expected
from digitwatch.forms.mapping import Mapping, Points
from digitwatch.forms.printed import Lines, darkness
from digitwatch.forms.registration import Registered, Template
from digitwatch.forms.schema import Field, Form, FormError
from digitwatch.log_codes import Reason, ReasonCode, Status
from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.image.decode import ImageError, Page, decode
from digitwatch.recognition.result import Reading

NOT_FOUND = Reason(ReasonCode.FORM_NOT_FOUND, "no form template fits the page")
EMPTY_FIELD = Reason(ReasonCode.NO_INK, "the field is empty")
UNREAD = Reason(ReasonCode.NOT_A_DIGIT, "there are strokes in the field that are not read as digits")
TURNED = Reason(ReasonCode.ROTATED, "the field reads better when it is turned than as the form lies")
MIN_STROKES_MM2 = 1.0  # area of strokes from which on a field is not empty
MARGIN = 0.35  # around a field that is looked at, by its height: strokes that reach out of it
SNAP_MM, SNAP_MARGIN_MM = 1.0, 4.0  # how far a field is moved to its own lines at most; what around it is compared
SNAP_LIKENESS = 0.4  # of the field's surroundings, from which on it is moved
INK_LEVEL = 60  # darkness, 0 to 255, of a stroke
INSET_MM = 0.8  # of a field, beside its frame, that is read when no stroke reaches there
LINE_SLACK_MM = 0.3  # by which printed lines are widened before they are removed
FRAME_MM = 1.0  # from the border of a field, within which a line is its frame
SPANNING = 0.95  # of a field, that a line runs across at least to be print
WALL_MM = 2.5  # of the frame or a filled area that such a line meets at both ends
WALL_SHARE = 0.2  # of the line's length, in which they meet
OWN_SHARE = 0.5  # of a stroke's pixels that must lie in the field for it to belong there


Box = NDArray[np.float64]  # left, top, width, height in template pixels


@dataclass(frozen=True)
class FieldReading:
    """A field as it was read: its reading, and its corners on the page, clockwise from the upper left, in pixels."""

    field: Field
    reading: Reading
    corners: Points


@dataclass(frozen=True)
class FormPage:
    """A page on which a form was found: the page as it lies upright, and its fields in the order of the template."""

    form: Form
    page: Page
    fields: tuple[FieldReading, ...]


class FormReader:
    """Reads pages by templates. `read` is the reader of one crop: (H, W) or (H, W, 3) uint8 to its reading."""

    def __init__(self, forms: Sequence[Form], read: Callable[[Page], Reading]) -> None:
        """Prepare the templates.

        Raises:
            FormError: an example cannot be decoded.
        """
        self._read = read
        self._templates = [(form, prepared(form)) for form in forms]
        self._expected = {(form.name, field.name): expected(field) for form in forms for field in form.fields}

    def read(self, page: Page) -> FormPage | None:
        """Return the fields of a page; None where no template passes the test of registration."""
        found = self.register(page)
        if found is None:
            return None
        form, template, registered = found
        upright, mapping = _upright(page, registered.mapping)
        registered = replace(registered, mapping=mapping)
        fields = tuple(self._field(each, form, template, registered, upright) for each in form.fields)
        return FormPage(form, upright, _checked(form, fields))

    def register(self, page: Page) -> tuple[Form, Template, Registered] | None:
        """Return the template that the page lies on, and how; those of the features first, which are fast."""
        if max(page.grey.shape) < registration.MIN_PAGE_PX:
            return None
        prepared = registration.prepare_page(page.grey)
        for thorough in (False, True):
            found = [
                (form, template, registered)
                for form, template in self._templates
                if (registered := registration.register(template, prepared, thorough=thorough))
            ]
            if found:
                return max(found, key=lambda each: each[2].likeness)
        return None

    def _field(self, field: Field, form: Form, template: Template, registered: Registered, page: Page) -> FieldReading:
        box = np.array(field.box) * (*template.size, *template.size)
        box[:2] += snap(template, registered, box)
        left, top, width, height = box
        corners = np.array([[left, top], [left + width, top], [left + width, top + height], [left, top + height]])
        crop, has_strokes = field_crop(template, registered.mapping, page, box, form.blank)
        alone = Page(page.number, crop, page.damage, page.caveats, self._expected[form.name, field.name])
        reading = graded(field, self._read(alone), has_strokes)
        return FieldReading(field, reading, registered.mapping.to_page(corners))


def prepared(form: Form) -> Template:
    """Return the template of a form, from its example.

    Raises:
        FormError: the example cannot be decoded.
    """
    try:
        example = next(iter(decode(form.example.read_bytes())))
    except (ImageError, OSError) as error:
        raise FormError([f"{form.example}: {error}"]) from error
    return registration.prepare_template(example.grey, form.long_mm)


def _upright(page: Page, mapping: Mapping) -> tuple[Page, Mapping]:
    """Return the page turned so that the form lies upright, and the mapping to it."""
    turn = round(-mapping.angle / 90) % 4 * 90
    if not turn:
        return page, mapping
    height, width = page.image.shape[:2]
    matrices = {
        90: [[0, -1, height - 1], [1, 0, 0], [0, 0, 1]],
        180: [[-1, 0, width - 1], [0, -1, height - 1], [0, 0, 1]],
        270: [[0, 1, 0], [-1, 0, width - 1], [0, 0, 1]],
    }
    matrix = np.array(matrices[turn], float)
    return page.turned(turn), replace(mapping, homography=matrix @ mapping.homography)


def snap(template: Template, registered: Registered, box: Box) -> Points:
    """Return by how many template pixels (x, y) a box is moved to its own lines on the page."""
    margin, radius = SNAP_MARGIN_MM * template.px_per_mm, round(SNAP_MM * template.px_per_mm)
    left, top = (max(0, int(each)) for each in box[:2] - margin)
    right, bottom = (int(each) for each in box[:2] + box[2:] + margin)
    own = template.dark[top:bottom, left:right]
    warped = cv2.copyMakeBorder(registered.warped, *(radius,) * 4, cv2.BORDER_CONSTANT, value=0)
    window = warped[top : top + own.shape[0] + 2 * radius, left : left + own.shape[1] + 2 * radius]
    own, window = (cv2.GaussianBlur(each, (0, 0), 1.0) for each in (own, window))
    place, likeness, sharp = registration.peak(cv2.matchTemplate(window, own, cv2.TM_CCOEFF_NORMED), radius)
    return np.where((likeness >= SNAP_LIKENESS) & (sharp > 0.05), place, 0.0)


def field_crop(template: Template, mapping: Mapping, page: Page, box: Box, blank: bool) -> tuple[Pixels, bool]:
    """Return a field, upright, with its strokes and without print and its neighbours'; and whether it has strokes.

    Args:
        template: whose print is removed: its long lines, or with `blank` all its ink.
        mapping: template pixels to page pixels.
        page: as it lies upright.
        box: left, top, width, height in template pixels.
        blank: whether nothing is written on the template's example.
    """
    margin = MARGIN * box[3]
    outer = np.array([box[0] - margin, box[1] - margin, box[2] + 2 * margin, box[3] + 2 * margin])
    scale = _resolution(mapping, box)
    crop = mapping.crop(page.grey, outer, scale)
    near, corner = _near(template, outer)
    printed = _cut_out(_print(near, box - corner, blank), outer - corner, scale, crop.shape)
    inside = np.zeros(crop.shape, np.uint8)
    at = round(margin * scale)
    inside[at : crop.shape[0] - at, at : crop.shape[1] - at] = 1
    px_per_mm = template.px_per_mm * scale
    cleaned, own = _cleaned(crop, printed, inside, LINE_SLACK_MM * px_per_mm)
    edge = at + round(min(INSET_MM * px_per_mm, 0.1 * (crop.shape[0] - 2 * at)))
    ys, xs = np.nonzero(own)
    top, bottom = (min(edge, ys.min() - 2), max(crop.shape[0] - edge, ys.max() + 3)) if len(ys) else (edge, -edge)
    left, right = (min(edge, xs.min() - 2), max(crop.shape[1] - edge, xs.max() + 3)) if len(xs) else (edge, -edge)
    has_strokes = len(ys) >= MIN_STROKES_MM2 * px_per_mm**2
    return np.ascontiguousarray(cleaned[max(0, top) : bottom, max(0, left) : right]), has_strokes


def _near(template: Template, outer: Box) -> tuple[Template, Box]:
    """Return the part of a template around a box, with the distance (left, top, 0, 0) of its corner."""
    rows, columns = _inside(outer, -2 * FRAME_MM * template.px_per_mm)
    part = Lines(template.lines.across[rows, columns], template.lines.down[rows, columns])
    return replace(template, dark=template.dark[rows, columns], lines=part), np.array(
        [columns.start, rows.start, 0.0, 0.0]
    )


def _print(template: Template, box: Box, blank: bool) -> Pixels:
    """Return what is print in and around a box: all ink of a blank example.

    Of an example that may be filled: its ink around the box, its lines at the box's border, and within the box only
    lines that run from frame to frame. Others may be strokes: the slash of a date, the dash in an empty field.
    """
    printed = (template.dark > INK_LEVEL).astype(np.uint8)
    if blank:
        return printed
    inset = FRAME_MM * template.px_per_mm
    field, inner = _inside(box, 0.0), _inside(box, inset)
    printed[field] = (template.lines.across | template.lines.down)[field]
    height, width = printed[inner].shape
    if min(height, width) == 0:
        return printed
    around = _inside(box, -inset)
    ink = (template.dark[around] > INK_LEVEL).astype(np.uint8)
    framed = _between(template.lines.across[around], ink, SPANNING * width, template.px_per_mm)
    framed |= _between(template.lines.down[around].T, ink.T, SPANNING * height, template.px_per_mm).T
    top, left = inner[0].start - around[0].start, inner[1].start - around[1].start
    printed[inner] = framed[top : top + height, left : left + width]
    return printed


def _inside(box: Box, inset: float) -> tuple[slice, slice]:
    """Return the rows and columns of a box that is smaller on all sides."""
    left, top = np.maximum(box[:2] + inset, 0).astype(int)
    right, bottom = np.maximum(box[:2] + box[2:] - inset, 0).astype(int)
    return slice(top, bottom), slice(left, right)


def _between(lines: Pixels, ink: Pixels, length: float, px_per_mm: float) -> Pixels:
    """Return those of the lines across, (H, W) uint8, that are so long and meet lines or areas of ink at both ends."""
    tall = np.ones((round(WALL_MM * px_per_mm), 1), np.uint8)
    gap = np.ones((1, 2 * round(FRAME_MM * px_per_mm) + 1), np.uint8)
    walls = cv2.dilate(cv2.morphologyEx(np.ascontiguousarray(ink), cv2.MORPH_OPEN, tall), gap)
    long = cv2.morphologyEx(np.ascontiguousarray(lines), cv2.MORPH_OPEN, np.ones((1, max(1, round(length))), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(long)
    kept = np.zeros(count, bool)
    for number in range(1, count):
        first, width = stats[number, cv2.CC_STAT_LEFT], stats[number, cv2.CC_STAT_WIDTH]
        met = np.flatnonzero((walls & (labels == number)).any(axis=0)) - first
        kept[number] = len(met) > 0 and met[0] < WALL_SHARE * width and met[-1] >= (1 - WALL_SHARE) * width
    return kept[labels].astype(np.uint8)


def _cut_out(mask: Pixels, outer: Box, scale: float, shape: tuple[int, ...]) -> Pixels:
    """Return the part of a template's mask that a crop shows, 1 where it is set."""
    matrix = np.array([[scale, 0, -outer[0] * scale], [0, scale, -outer[1] * scale]])
    part: Pixels = cv2.warpAffine(mask * 255, matrix, shape[::-1], flags=cv2.INTER_LINEAR)
    return np.asarray(part > 100, np.uint8)


def _resolution(mapping: Mapping, box: Box) -> float:
    """Return page pixels per template pixel at a box."""
    middle = box[:2] + box[2:] / 2
    ends = mapping.to_page(middle + np.array([[0, 0], [20, 0], [0, 20]]))
    return float(max(np.linalg.norm(ends[1] - ends[0]), np.linalg.norm(ends[2] - ends[0])) / 20)


def _cleaned(crop: Pixels, printed: Pixels, inside: Pixels, slack: float) -> tuple[Pixels, Pixels]:
    """Return a crop in which print and other fields' strokes have the colour of the paper; 1 on the field's strokes."""
    dark = darkness(crop)
    ink = (dark > INK_LEVEL).astype(np.uint8)
    reach = 2 * round(slack) + 3
    lines = cv2.dilate(printed, np.ones((reach, reach), np.uint8))
    strokes = ink & ~lines & 1
    bridged = cv2.morphologyEx(strokes, cv2.MORPH_CLOSE, np.ones((2 * reach + 1,) * 2, np.uint8)) & ink | strokes
    count, labels, stats, _ = cv2.connectedComponentsWithStats(bridged, connectivity=8)
    shares = np.bincount(labels.ravel(), weights=inside.ravel(), minlength=count) / np.maximum(
        stats[:, cv2.CC_STAT_AREA], 1
    )
    own = shares >= OWN_SHARE
    own[0] = False
    kept = cv2.dilate(own[labels].astype(np.uint8), np.ones((3, 3), np.uint8))
    foreign = cv2.dilate((~own[labels] & (labels > 0)).astype(np.uint8), np.ones((5, 5), np.uint8))
    erased = (lines | foreign | (1 - inside)) & ~kept & 1
    result: Pixels = np.where(erased == 1, _paper(crop, cv2.dilate(ink | lines, np.ones((3, 3), np.uint8)) == 0), crop)
    return result, own[labels].astype(np.uint8)


def _paper(crop: Pixels, bare: NDArray[np.bool_]) -> Pixels:
    """Return the brightness of the paper everywhere, from where it is bare."""
    side = 2 * (min(crop.shape) // 4) + 1
    weight = cv2.blur(bare.astype(np.float32), (side, side))
    sums = cv2.blur(np.where(bare, crop, 0).astype(np.float32), (side, side))
    usual = float(np.median(crop[bare])) if bare.any() else 255.0
    local = np.where(weight > 0.05, sums / np.maximum(weight, 1e-3), usual)
    return np.asarray(np.clip(local, 0, 255), np.uint8)


def graded(field: Field, reading: Reading, has_strokes: bool) -> Reading:
    """Return the reading of a field with the reasons why it cannot be right; no field with strokes is empty."""
    text = reading.text.replace(" ", "")
    if reading.turn:
        reading = reading.for_review((TURNED,))
    if not text:
        if has_strokes and reading.status == Status.EMPTY:
            return replace(reading, reason="", codes=()).for_review((UNREAD,))
        if field.optional or reading.status != Status.EMPTY:
            return reading
        return replace(reading, reason="", codes=()).for_review((EMPTY_FIELD,))
    problems = tuple(checks.field_problems(field, text, reading.written.replace(" ", "")))
    if not problems and reading.status == Status.REVIEW and reading.free:  # the writing says otherwise
        problems = tuple(checks.field_problems(field, "".join(filter(str.isdecimal, reading.free)), reading.free))
    return reading.for_review(problems)


def _checked(form: Form, fields: tuple[FieldReading, ...]) -> tuple[FieldReading, ...]:
    """Return the fields after the conditions of their form; those of one that fails are for review."""
    texts = {each.field.name: each.reading.text.replace(" ", "") for each in fields}
    for check in form.checks:
        reason = checks.failed(check, texts)
        if reason is not None:
            concerned = {*check.fields, check.equals}
            fields = tuple(
                replace(each, reading=each.reading.for_review((reason,))) if each.field.name in concerned else each
                for each in fields
            )
    return fields
