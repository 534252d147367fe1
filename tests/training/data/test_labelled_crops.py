"""Reviewed pages to labelled digits."""

from collections.abc import Callable
from pathlib import Path

import pytest
from form_example import FOLDER, SCANS, truth
from service import scan

from digitwatch.forms.schema import load
from digitwatch.recognition.reader import Reader
from digitwatch.training.data.labelled_crops import GONE, MISMATCH, NO_FIELD, NO_NUMBER, Page, cut


@pytest.fixture(scope="module")
def reader() -> Reader:
    """Return a reader."""
    return Reader()


def page(text: str, load: Callable[[], bytes], number: int = 1) -> Page:
    """Return a reviewed page."""
    return Page("00" * 32, number, text, load)


def test_digits_get_the_labels_that_people_gave(reader: Reader) -> None:
    """The picture is the one that the reader sees; a page that was read otherwise counts as wrong."""
    glyphs = [digit.glyph.tobytes() for digit in reader.read(scan("172")).digits]

    crops = cut(reader, [page("1 74", lambda: scan("172"))])

    assert crops.digits.labels.tolist() == [1, 7, 4]
    assert [picture.tobytes() for picture in crops.digits.pictures] == glyphs
    assert (crops.pages, crops.right) == (1, 0)


def test_what_cannot_be_learned_from_is_counted(reader: Reader) -> None:
    """Another number of digits, no number at all, an original that is gone, damaged, or has no such page."""

    def gone() -> bytes:
        return Path("/nowhere/gone.png").read_bytes()

    pages = [page("17", lambda: scan("172")), page("x", lambda: scan("7")), page("7", gone)]
    pages += [page("7", lambda: b"no image"), page("7", lambda: scan("7"), 2)]

    crops = [cut(reader, [one]) for one in pages]

    assert [list(each.skipped) for each in crops] == [[MISMATCH], [NO_NUMBER], [GONE], [GONE], [GONE]]
    assert [len(each.digits) for each in crops] == [0] * 5
    assert [each.pages for each in crops] == [1, 0, 0, 0, 0]


def test_the_digits_of_a_field_are_cut_from_the_field(reader: Reader) -> None:
    """By the templates; without one that fits, or of a field that it does not have, they are skipped and counted."""
    card, fields = (SCANS / "card-05.jpg").read_bytes(), truth()["card-05.jpg"]
    pages = [Page("00" * 32, 1, text, lambda: card, name) for name, text in fields.items()]
    pages.append(Page("00" * 32, 1, "7", lambda: card, "of old"))
    crops, without = cut(reader, pages, load(FOLDER)), cut(reader, pages)

    assert crops.skipped[NO_FIELD] == 1 and crops.pages == 4
    assert len(crops.digits) >= 10  # of 16: the others are in a field in which another number of digits is found
    assert (len(without.digits), without.skipped) == (0, {NO_FIELD: 5})


def test_what_is_held_out_depends_on_the_scan_alone() -> None:
    """All pages of a scan are on the same side, each time."""
    scans = [f"{number:08x}" for number in range(100)]

    assert [Page(scan, 1, "", bytes).is_held_out for scan in scans] == [
        Page(scan, 2, "7", bytes).is_held_out for scan in scans
    ]
    assert sum(Page(scan, 1, "", bytes).is_held_out for scan in scans) == 25
