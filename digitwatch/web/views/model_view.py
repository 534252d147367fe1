"""Read one page again and print what the model saw of each digit; a process for one scan.

    python -m digitwatch.web.views.model_view MODEL PIXELS PAGE [FORMS [FIELD]] < SCAN

It prints JSON: for each digit its text, its image and the probability of every class; the page; and, where the
digits are a small part of it, an enlarged part with the doubtful digits framed. Of a page that lies on one of the
templates FORMS it is that for the field FIELD, or without one only the enlarged part around each field. Scans are
untrusted, so they are decoded in a process with limits of time and memory.
"""

import base64
import json
import sys
from pathlib import Path
from typing import Any

from digitwatch.web.child_process import limit

PROCESSOR_SECONDS = 20
WIDEST = 1400  # pixels of the page as it is shown
AMBER = (0, 140, 240)  # blue, green, red


def main(model: str, pixels: int, number: int, forms: str = "", field: str = "") -> dict[str, Any]:
    """Read page `number` of the scan on standard input; return what is to be printed."""
    import cv2  # noqa: PLC0415 (loaded within the limits)

    from digitwatch.recognition.image.decode import ImageError, decode  # noqa: PLC0415
    from digitwatch.recognition.reader import Reader  # noqa: PLC0415

    cv2.setNumThreads(1)
    try:
        page = next(page for page in decode(sys.stdin.buffer.read(), pixels, number) if page.number == number)
    except (ImageError, StopIteration):
        return {"problem": "the scan cannot be decoded"}
    if forms and not field:
        return _form(page, forms, lambda crop: _not_read())
    reader = Reader(model, max_pixels=pixels)
    known = {"model": reader.model, "labels": list(reader.labels)}
    if forms:
        return known | _form(page, forms, lambda crop: reader.read_page(crop)[1], field)
    page, reading = reader.read_page(page)
    return known | {"digits": _digits(reading), "page": jpeg(page.image)} | _zoom(page.image, reading.digits)


def _form(page: Any, folder: str, read: Any, field: str = "") -> dict[str, Any]:
    """Return the page, and as `fields` the enlarged part and the digits of each field, or of one alone."""
    from digitwatch.forms.form_reader import FormReader  # noqa: PLC0415
    from digitwatch.forms.schema import FormError, load  # noqa: PLC0415

    try:
        found = FormReader(load(Path(folder)), read).read(page)
    except FormError:
        return {"problem": "the form templates cannot be used"}
    if found is None:
        return {"problem": "no form template fits the page any more"}
    fields = {
        each.field.name: {"digits": _digits(each.reading)} | _field(found.page.image, each.corners)
        for each in found.fields
        if field in ("", each.field.name)
    }
    if field and field not in fields:
        return {"problem": "the form has no such field any more"}
    return {"page": jpeg(found.page.image)} | (fields[field] if field else {"fields": fields})


def _field(image: Any, corners: Any) -> dict[str, Any]:
    """Return the enlarged part of a page around a field as `zoom` and its place as `frame`."""
    from digitwatch.web.views import zoom  # noqa: PLC0415

    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    box = zoom.Box(round(left), round(top), round(right - left), round(bottom - top))
    return _cut(image, zoom.around_field(box, image.shape[1], image.shape[0]), [box])


def _not_read() -> Any:
    from digitwatch.log_codes import Status  # noqa: PLC0415
    from digitwatch.recognition.result import Reading  # noqa: PLC0415

    return Reading((), 0.0, Status.EMPTY, "", 0)


def _digits(reading: Any) -> list[dict[str, Any]]:
    return [
        {
            "text": digit.text,
            "glyph": _png(255 - digit.glyph if digit.glyph.ndim == 2 else digit.glyph[..., ::-1]),
            "probabilities": [round(float(value), 4) for value in digit.probabilities],
        }
        for digit in reading.digits
    ]


def _zoom(image: Any, digits: Any) -> dict[str, Any]:
    """Return the enlarged part of a page as `zoom` and its place as `frame`, in parts of width and height."""
    from digitwatch.web.views import zoom  # noqa: PLC0415

    height, width = image.shape[:2]
    boxes = [zoom.Box(digit.box.left, digit.box.top, digit.box.width, digit.box.height) for digit in digits]
    probabilities = [float(digit.probability) for digit in digits]
    part = zoom.part(boxes, probabilities, width, height)
    if part is None:
        return {"zoom": None, "frame": None}
    return _cut(image, part, [boxes[k] for k in zoom.doubtful(probabilities)])


def _cut(image: Any, part: Any, framed: Any) -> dict[str, Any]:
    """Return a part of a page enlarged, with frames around boxes, as `zoom` and its place as `frame`."""
    import cv2  # noqa: PLC0415

    from digitwatch.web.views import zoom  # noqa: PLC0415

    height, width = image.shape[:2]
    scale = zoom.scale(part)
    cut = image[part.top : part.top + part.height, part.left : part.left + part.width]
    big = cv2.resize(cut, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC)
    if big.ndim == 2:
        big = cv2.cvtColor(big, cv2.COLOR_GRAY2BGR)
    for box in framed:
        left, top, right, bottom = zoom.outline(box, part, scale)
        cv2.rectangle(big, (left, top), (right, bottom), AMBER, 2)
    frame = [part.left / width, part.top / height, part.width / width, part.height / height]
    return {"zoom": jpeg(big), "frame": [round(value, 4) for value in frame]}


def _png(image: Any) -> str:
    import cv2  # noqa: PLC0415

    return "data:image/png;base64," + base64.b64encode(cv2.imencode(".png", image)[1].tobytes()).decode()


def jpeg(image: Any) -> str:
    """Return a picture as the address of a JPEG, at most WIDEST wide and high."""
    import cv2  # noqa: PLC0415

    scale = min(1.0, WIDEST / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    made = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1]
    return "data:image/jpeg;base64," + base64.b64encode(made.tobytes()).decode()


if __name__ == "__main__":
    limit(PROCESSOR_SECONDS)
    json.dump(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:]), sys.stdout)
