"""The worked example: every field is found, and no wrong number is accepted."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from form_example import FOLDER, SCANS, truth

from digitwatch.forms import registration
from digitwatch.forms.boxes import find_boxes
from digitwatch.forms.form_reader import FormPage, FormReader, _print
from digitwatch.forms.schema import load
from digitwatch.log_codes import Status
from digitwatch.recognition.image.decode import Page, decode
from digitwatch.recognition.reader import Reader


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Return a reader of pages."""
    return Reader()


@pytest.fixture(scope="module")
def form_reader(reader: Reader) -> FormReader:
    """Return a reader of the example's form."""
    return FormReader(load(FOLDER), lambda page: reader.read_page(page)[1])


def read(form_reader: FormReader, page: Page) -> FormPage:
    """Return the fields of a page, which must be found."""
    found = form_reader.read(page)
    assert found is not None
    return found


def page(name: str) -> Page:
    """Return the page of a scan of the example."""
    return next(iter(decode((SCANS / name).read_bytes())))


def test_no_wrong_field_is_ok(form_reader: FormReader) -> None:
    """On three filled cards most fields are right, and those that are not are for review."""
    right = wrong_ok = 0
    for name in ("card-01.jpg", "card-02.jpg", "card-05.jpg"):
        for each in read(form_reader, page(name)).fields:
            is_right = each.reading.text == truth()[name][each.field.name]
            right += is_right
            wrong_ok += not is_right and each.reading.status != Status.REVIEW

    assert right >= 9
    assert wrong_ok == 0


def test_a_wrong_sum_is_for_review(form_reader: FormReader) -> None:
    """The three fields of a sum that does not hold have its code; the fourth has not."""
    fields = read(form_reader, page("card-10.jpg")).fields

    assert [("sum" in each.reading.codes) for each in fields] == [False, True, True, True]


def test_a_list_forces_no_other_number(reader: Reader) -> None:
    """A number that is clear and not in the list is for review with its code, as it is written or as in the list."""
    [form] = load(FOLDER)
    day = truth()["card-01.jpg"]["day"]
    others = frozenset(str(number) for number in range(1000)) - {day}
    fields = tuple(replace(each, known=others) if each.name == "day" else each for each in form.fields)
    forced = FormReader((replace(form, fields=fields),), lambda page: reader.read_page(page)[1])
    found = read(forced, page("card-01.jpg")).fields[1].reading

    assert found.status == Status.REVIEW and "list" in found.codes


def test_a_card_upside_down_is_turned(form_reader: FormReader) -> None:
    """The page comes back upright, and its fields lie where they are then."""
    scan = page("card-01.jpg")
    found = read(form_reader, Page(1, np.ascontiguousarray(np.rot90(scan.image, 2))))

    assert np.abs(found.page.image.astype(int) - scan.image).mean() < 2
    assert [each.reading.text for each in found.fields][1] == truth()["card-01.jpg"]["day"]


def test_an_empty_field_is_for_review(form_reader: FormReader) -> None:
    """Unless it is optional; a blank card has four."""
    fields = read(form_reader, next(iter(decode((FOLDER / "meter-card.png").read_bytes())))).fields

    assert {(each.reading.text, each.reading.status, each.reading.codes[-1]) for each in fields} == {
        ("", Status.REVIEW, "no_ink")
    }


def test_another_page_has_no_fields(form_reader: FormReader) -> None:
    """A page that is no card is not read as one."""
    example = next(iter(decode((FOLDER.parent / "scans" / "rows-4711-0815.jpg").read_bytes())))

    assert form_reader.read(example) is None


def test_boxes_are_found_by_themselves() -> None:
    """`fields new` proposes the four combs of the card."""
    [form] = load(FOLDER)
    example = next(iter(decode(form.example.read_bytes())))
    boxes = np.array(find_boxes(example.grey, 297))
    missed = [field.name for field in form.fields if np.abs(boxes - field.box).max(axis=1).min() > 0.02]

    assert missed == []


def test_strokes_of_a_filled_example_are_no_print() -> None:
    """A slash above an underline stays; a separator from frame to frame, and what is around a field, are print."""
    px = 6  # a millimetre
    page = np.full((297 * px, 210 * px), 250, np.uint8)
    cv2.rectangle(page, (40 * px, 50 * px), (100 * px, 60 * px), 30, 3)
    cv2.line(page, (60 * px, 50 * px), (60 * px, 60 * px), 30, 3)  # a separator
    cv2.line(page, (40 * px, 80 * px), (100 * px, 80 * px), 30, 3)
    cv2.line(page, (80 * px, 69 * px), (80 * px, 80 * px), 30, 3)  # a slash
    cv2.putText(page, "Number", (40 * px, 47 * px), 0, 1, 30, 2)
    template = registration.prepare_template(page, 297)
    scale = registration.WORK_PX / (297 * px) * px  # template pixels a millimetre
    framed, underlined = (
        _print(template, np.array([40.0, top, 60.0, 10.0]) * scale, blank=False) for top in (50.0, 70.0)
    )

    def share(printed: np.ndarray, left: float, top: float, width: float, height: float) -> float:
        rows, columns = (
            slice(round(top * scale), round((top + height) * scale)),
            slice(round(left * scale), round((left + width) * scale)),
        )
        return float(printed[rows, columns].any(axis=1).mean())

    assert share(framed, 59, 51.5, 2, 7) > 0.9
    assert share(underlined, 79, 71.5, 2, 7) == 0
    assert share(framed, 41, 44, 20, 2) > 0.9
