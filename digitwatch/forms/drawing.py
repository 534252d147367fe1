"""The annotated picture of a form: the page with a box for each field, its name and its reading."""

import cv2
import numpy as np

from digitwatch.forms.form_reader import FormPage
from digitwatch.log_codes import Status
from digitwatch.recognition.annotation.palette import AMBER, BLUE, GREEN, GREY, INK, PALETTE, WHITE, png
from digitwatch.recognition.annotation.text import fitted, lettering, paste, write

LONG_PX = 1400  # longer side of the page in the picture
_COLOURS = {Status.OK: GREEN, Status.REVIEW: AMBER, Status.EMPTY: GREY}
_MARGIN, _LINE = 20, 20  # pixels


def annotate(found: FormPage, title: str) -> bytes:
    """Return a PNG of the page with its fields, and a list of their readings below; `title` is any text."""
    image = found.page.image
    scale = LONG_PX / max(image.shape[:2])
    size = max(1, round(image.shape[1] * scale)), max(1, round(image.shape[0] * scale))
    page = cv2.resize(image, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    page = cv2.cvtColor(page, cv2.COLOR_GRAY2BGR) if page.ndim == 2 else page
    for each in found.fields:
        colour = _COLOURS.get(each.reading.status, BLUE)
        corners = (each.corners * scale).round().astype(np.int32)
        cv2.polylines(page, [corners], True, tuple(map(int, PALETTE[colour])), 2, cv2.LINE_AA)
        mark = "?" if each.reading.status == Status.REVIEW else ""
        text = fitted(f" {each.field.name} {each.reading.text}{mark} ", 12, 260, bold=True)
        tag = lettering(text, 12, bold=True, ink=WHITE, ground=colour)
        left, top = int(corners[:, 0].min()), int(corners[:, 1].min()) - tag.shape[0]
        paste(page, tag, max(0, min(left, page.shape[1] - tag.shape[1])), max(0, top))
    return png(np.vstack([PALETTE[_header(found, title, page.shape[1])], page]))


def _header(found: FormPage, title: str, width: int) -> np.ndarray:
    """Return name, template and the fields to check: (H, width) indices of the palette."""
    review = [each for each in found.fields if each.reading.status == Status.REVIEW]
    sheet = np.full((60 + _LINE * min(len(review), 12), width), WHITE, np.uint8)
    room = width - 2 * _MARGIN
    write(sheet, (_MARGIN, 8), fitted(title, 13, room), 13, GREY)
    count = f"{found.form.name}: {len(found.fields)} fields, {len(review)} to check"
    write(sheet, (_MARGIN, 30), fitted(count, 16, room, bold=True), 16, INK, bold=True)
    for line, each in enumerate(review[:12]):
        text = f"{each.field.name}: {each.reading.text or 'nothing'} – {each.reading.reason}"
        write(sheet, (_MARGIN, 54 + _LINE * line), fitted(text, 13, room), 13, INK)
    return sheet
