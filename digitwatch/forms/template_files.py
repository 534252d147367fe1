"""Makes, draws and tests form templates for people: `digitwatch fields`."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitwatch.forms.boxes import find_boxes
from digitwatch.forms.form_reader import FormPage, FormReader
from digitwatch.forms.schema import A4_MM, Form
from digitwatch.recognition.arrays import Pixels
from digitwatch.recognition.image.decode import ImageError, Page, decode

SHEET_PX = 900  # longer side of a page on a contact sheet


@dataclass(frozen=True)
class Tested:
    """What became of one page: its file, its number, and its fields or the reason why there are none."""

    name: str
    page: int
    found: FormPage | None
    reason: str = ""


def template_text(example: Path) -> str:
    """Return a template with the boxes that are found on an example.

    Raises:
        ImageError: the example cannot be decoded.
        OSError: it cannot be read.
    """
    page = next(iter(decode(example.read_bytes())))
    boxes = find_boxes(page.grey, A4_MM)
    lines = [
        f"example: {example.name}",
        "# page_mm: [210, 297]   # boxes may then be given in millimetres",
        "# blank: true           # if nothing is written on the example: all its print is then ignored",
        "fields:",
    ]
    for number, box in enumerate(boxes, 1):
        numbers = ", ".join(f"{share:.4f}" for share in box)
        lines += [f"  - name: field{number}", f"    box: [{numbers}]"]
    return "\n".join([*lines, ""])


def drawn(form: Form) -> Pixels:
    """Return the example of a template with the names and boxes of its fields, (H, W, 3) uint8.

    Raises:
        ImageError: the example cannot be decoded.
        OSError: it cannot be read.
    """
    page = next(iter(decode(form.example.read_bytes())))
    image: Pixels = cv2.cvtColor(page.grey, cv2.COLOR_GRAY2BGR)
    height, width = page.grey.shape
    thick = max(1, round(max(image.shape) / 900))
    for field in form.fields:
        left, top, wide, high = np.array(field.box) * (width, height, width, height)
        corner = round(left), round(top)
        cv2.rectangle(image, corner, (round(left + wide), round(top + high)), (160, 80, 0), 2 * thick)
        cv2.putText(image, field.name, corner, cv2.FONT_HERSHEY_SIMPLEX, 0.5 * thick, (0, 0, 200), thick, cv2.LINE_AA)
    return image


def read_folder(reader: FormReader, folder: Path) -> Iterator[Tested]:
    """Yield what becomes of every page of the scans in a folder, in the order of their names."""
    for path in sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith(".")):
        try:
            for page in decode(path.read_bytes()):
                yield Tested(path.name, page.number, reader.read(page), "no form template fits the page")
        except (ImageError, OSError) as error:
            yield Tested(path.name, 1, None, str(error))


def contact_sheet(tested: Tested) -> Pixels | None:
    """Return a page with the boxes of its fields as they were found, (H, W, 3) uint8; None where none were."""
    if tested.found is None:
        return None
    image: Pixels = _coloured(tested.found.page)
    scale = SHEET_PX / max(image.shape[:2])
    image = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    for each in tested.found.fields:
        corners = (each.corners * scale).round().astype(np.int32)
        cv2.polylines(image, [corners], True, (160, 80, 0), 2, cv2.LINE_AA)
        text = each.reading.text or "-"
        at = int(corners[:, 0].min()), int(corners[:, 1].min()) - 2
        cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, 0.45, (0, 0, 200), 1, cv2.LINE_AA)
    return image


def _coloured(page: Page) -> Pixels:
    return page.image if page.image.ndim == 3 else cv2.cvtColor(page.image, cv2.COLOR_GRAY2BGR)
