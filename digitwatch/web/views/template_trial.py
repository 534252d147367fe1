"""Find the boxes of an example, or read scans by a template that is being made; a process for one request.

    python -m digitwatch.web.views.template_trial boxes PIXELS < EXAMPLE
    python -m digitwatch.web.views.template_trial read PIXELS MODEL TEMPLATE SCAN:PAGE... < /dev/null

SCAN is the number of an open file. It prints JSON: the page and the boxes found on it, or for each scan the page with
its fields drawn and what was read in them.
"""

import json
import sys
from pathlib import Path
from typing import Any

from digitwatch.web.child_process import limit
from digitwatch.web.views.model_view import jpeg

PROCESSOR_SECONDS = 60


def boxes(pixels: int) -> dict[str, Any]:
    """Return the first page of the example on standard input, its size, and the boxes found on it."""
    from digitwatch.forms.boxes import find_boxes  # noqa: PLC0415 (loaded within the limits)
    from digitwatch.forms.schema import A4_MM  # noqa: PLC0415
    from digitwatch.recognition.image.decode import ImageError, decode  # noqa: PLC0415

    try:
        page = next(decode(sys.stdin.buffer.read(), pixels))
    except (ImageError, StopIteration) as error:
        return {"problem": f"the example cannot be decoded: {error}"}
    height, width = page.grey.shape
    return {"page": jpeg(page.image), "size": [width, height], "boxes": find_boxes(page.grey, A4_MM)}


def read(pixels: int, model: str, template: str, *scans: str) -> dict[str, Any]:
    """Return what becomes of pages, each given as the number of an open file and of the page."""
    from digitwatch.forms.form_reader import FormReader  # noqa: PLC0415
    from digitwatch.forms.schema import FormError, load_one  # noqa: PLC0415
    from digitwatch.recognition.reader import Reader  # noqa: PLC0415

    reader = Reader(model, max_pixels=pixels)
    try:
        form_reader = FormReader([load_one(Path(template))], lambda page: reader.read_page(page)[1])
    except FormError as error:
        return {"problem": "; ".join(problem.partition(": ")[2] for problem in error.problems)}
    return {"pages": [_page(form_reader, pixels, *map(int, scan.split(":"))) for scan in scans]}


def _page(form_reader: Any, pixels: int, handle: int, number: int) -> dict[str, Any]:
    from digitwatch.forms.template_files import Tested, contact_sheet  # noqa: PLC0415
    from digitwatch.recognition.image.decode import ImageError, decode  # noqa: PLC0415

    with open(handle, "rb") as file:
        data = file.read()
    try:
        page = next(page for page in decode(data, pixels, number) if page.number == number)
    except (ImageError, StopIteration):
        return {"problem": "the scan cannot be decoded"}
    found = form_reader.read(page)
    if found is None:
        return {"problem": "the template does not fit this page", "sheet": jpeg(page.image)}
    readings = [(each.field.name, each.reading) for each in found.fields]
    fields = [{"name": name, "text": r.written, "status": r.status, "reason": r.reason} for name, r in readings]
    return {"sheet": jpeg(contact_sheet(Tested("", number, found))), "fields": fields}


if __name__ == "__main__":
    limit(PROCESSOR_SECONDS)
    what, most, *rest = sys.argv[1:]
    json.dump(boxes(int(most)) if what == "boxes" else read(int(most), *rest), sys.stdout)
