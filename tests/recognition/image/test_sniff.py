"""The format and completeness of a file by its first and last bytes."""

import pytest

from digitwatch.recognition.image.formats import IMAGES
from digitwatch.recognition.image.sniff import advice, is_complete, sniff

PNG_END = b"\0\0\0\0IEND\xaeB`\x82"


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "PNG"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF", "JPEG"),
        (b"II*\0\x08\0\0\0", "TIFF"),
        (b"MM\0+\0\x08\0\0", "TIFF"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "WebP"),
        (b"\0\0\0\x20ftypavif\0\0\0\0", "AVIF"),
        (b"\0\0\0\x18ftypheic\0\0\0\0heicmif1", "HEIC"),
        (b"\0\0\0\x18ftypisom\0\0\0\0mp42", "video"),
        (b"P5 28 28 255\n", "PNM"),
        (b"%PDF-1.7\n", "PDF"),
        (b"PK\x03\x04" + bytes(26) + b"[Content_Types].xml", "Office"),
        (b"PK\x03\x04" + bytes(26) + b"scan.png", "ZIP"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'>", "SVG"),
        (b"<!DOCTYPE html><html>", "HTML"),
        ("Liebe Kollegen, grüße".encode()[:-2], "text"),
        (b"\x13\x37\xfe\xed\0\1", None),
        (b"", None),
    ],
)
def test_names_the_format(head: bytes, kind: str | None) -> None:
    """The first bytes name the format, whatever the file is called."""
    assert kind == sniff(head)


def test_text_that_begins_with_bm_is_text() -> None:
    """A text that begins with BM is no bitmap."""
    assert sniff(b"BMW drivers wanted for a delivery service in town") == "text"


@pytest.mark.parametrize("kind", ["Office", "SVG", "DjVu", None])
def test_advice_says_what_to_do(kind: str | None) -> None:
    """Whatever cannot be read, the sentence ends with a way out."""
    assert kind not in IMAGES
    assert "PNG, JPEG or TIFF" in advice(kind)


@pytest.mark.parametrize(
    ("head", "tail", "complete"),
    [
        (b"\x89PNG\r\n\x1a\n", PNG_END, True),
        (b"\x89PNG\r\n\x1a\n", PNG_END[:-1], False),
        (b"\xff\xd8\xff\xe0", b"\x12\xff\xd9", True),
        (b"\xff\xd8\xff\xe0", b"\xff\xd9\0\0", False),
        (b"II*\0", b"\xff\xd9", False),
    ],
)
def test_only_an_end_marker_makes_complete(head: bytes, tail: bytes, complete: bool) -> None:
    """PNG and JPEG are complete at their end marker; any other format could still grow."""
    assert complete is is_complete(head, tail)
