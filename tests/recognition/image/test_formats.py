"""The registry of image formats."""

from importlib.util import find_spec

import pytest

from digitwatch.recognition.image.formats import ENDINGS, FORMATS, accepted_uploads, find, media_type


def test_each_format_is_known_by_its_own_beginning() -> None:
    """No signature of one format is taken for another."""
    found = {(each.name, found.name) for each in FORMATS for start in each.signatures if (found := find(start))}

    assert {first for first, second in found if first != second} == set()


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"RIFF\0\0\0\0WEBP", "WebP"),
        (b"\0\0\0\x1cftypavif\0\0\0\0mif1", "AVIF"),
        (b"\0\0\0\x1cftypmif1\0\0\0\0heic", "HEIC"),
        (b"P5\n3 2\n255\n", "PNM"),
        (b"%PDF-1.7", "PDF"),
        (b"<?xml version='1.0'?>\n<svg width='9'>", "SVG"),
    ],
)
def test_formats_without_a_fixed_beginning_are_known(head: bytes, name: str) -> None:
    """By the brands or words that follow."""
    found = find(head)

    assert found is not None
    assert found.name == name


def test_a_page_of_html_with_a_drawing_is_no_svg() -> None:
    """An HTML page may hold an SVG element and is still a page."""
    assert find(b"<!DOCTYPE html><svg width='9'>") is None
    assert ".svg" in ENDINGS


def test_displayable_formats_have_a_media_type() -> None:
    """A TIFF is a download, and so is everything that is no image."""
    assert media_type(b"\x89PNG\r\n\x1a\n") == "image/png"
    assert [media_type(head) for head in (b"II*\0", b"<svg", b"")] == ["", "", ""]


def test_the_upload_form_offers_what_can_be_read() -> None:
    """Every ending of a format that can be read with the libraries that are installed, and no other."""
    offered = set(accepted_uploads().split(","))

    assert offered >= {"image/*", ".tif", ".jp2"}
    for module, names in (("pypdfium2", {".pdf", "application/pdf"}), ("pillow_heif", {".heic", ".heif"})):
        assert (offered >= names) is (find_spec(module) is not None)
    assert all(ending == ending.lower() and ending.startswith(".") for ending in ENDINGS)
