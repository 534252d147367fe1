"""PDF documents: rasters bit for bit, other pages rendered, and a reason for each document that cannot be read."""

import io
import sys

import numpy as np
import pytest
from documents import DRAWN, FONT, TYPED, WITH_FONT, encrypted, pdf, placed, rasters, written
from PIL import Image

from digitwatch.recognition.image import extras
from digitwatch.recognition.image.decode import ImageError, decode
from digitwatch.recognition.reader import Reader

pytest.importorskip("pypdfium2", reason="needs the extra pdf")

CHECKS = np.kron(np.random.default_rng(1).integers(0, 2, (6, 8)) * 255, np.ones((40, 40))).astype(np.uint8)
CHECKS[:120, :120] = 0  # so that no turn of it looks the same
COLOURS = np.dstack([CHECKS, np.roll(CHECKS, 60, 1), np.roll(CHECKS, 99, 0)])


def images(data: bytes, max_pixels: int = 10**8) -> list[np.ndarray]:
    """Return the pages of a document."""
    return [page.image for page in decode(data, max_pixels)]


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_raster_is_read_bit_for_bit(mode: str) -> None:
    """The pixels of a scanner's raster are those of the same picture as a file."""
    picture = Image.fromarray(COLOURS if mode == "RGB" else CHECKS).convert(mode)
    [found] = images(rasters(picture))
    file = io.BytesIO()
    picture.save(file, "PNG" if mode == "1" else "JPEG")
    [expected] = images(file.getvalue())

    assert np.array_equal(found, expected)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize(
    ("matrix", "turns", "mirrored"),
    [("200 0 0 100 0 0", 0, False), ("0 -100 200 0 0 100", 3, False), ("-200 0 0 100 200 0", 0, True)],
)
def test_a_raster_is_turned_as_its_page(rotate: int, matrix: str, turns: int, mirrored: bool) -> None:
    """The rotation of the page and that of the picture on it both count."""
    [found] = images(placed(Image.fromarray(CHECKS), matrix, b"/Rotate %d" % rotate))
    expected = np.rot90(CHECKS[:, ::-1] if mirrored else CHECKS, turns - rotate // 90)

    assert np.array_equal(found, expected)


def test_inverted_samples_are_rendered() -> None:
    """A raster that does not look like its page is not trusted."""
    data = placed(Image.fromarray(CHECKS), "200 0 0 100 0 0").replace(b"/Width", b"/Decode[1 0]/Width")
    [found] = images(data)

    assert found.mean() == pytest.approx(255 - CHECKS.mean(), abs=12)


def test_other_pages_are_rendered_within_the_limits() -> None:
    """Lines are drawn at 300 dpi, and at a lower resolution where that has too many pixels."""
    [usual], [small] = images(pdf(DRAWN)), images(pdf(DRAWN), 20_000)

    assert usual.shape == (417, 834, 3)
    assert 18_000 < small.shape[0] * small.shape[1] <= 20_000


def test_a_large_raster_is_lowered_and_not_refused() -> None:
    """Its page is rendered with as many pixels as are allowed."""
    [found] = images(rasters(Image.fromarray(CHECKS)), 20_000)

    assert 18_000 < found.shape[0] * found.shape[1] <= 20_000


def test_drawn_digits_are_read() -> None:
    """A tablet's lines on a page count as handwriting."""
    [(_, reading)] = Reader().read_pages(pdf(DRAWN))

    assert reading.text == "7"


def test_typed_text_is_for_review() -> None:
    """A page of typed text alone is no scan, which the codes say."""
    [(_, reading)] = Reader().read_pages(pdf(TYPED, page=WITH_FONT, objects=FONT))

    assert (reading.status, reading.codes[-1]) == ("review", "text_layer")


def test_invisible_text_on_a_scan_does_not_count() -> None:
    """The layer that text recognition adds leaves the raster what it is."""
    hidden = placed(Image.fromarray(CHECKS), "200 0 0 100 0 0").replace(b" Do Q", b" Do Q BT 3 Tr 5 5 Td (x) Tj ET")
    plain = hidden.replace(b"/Length 25", b"/Length 55")
    page = next(iter(decode(plain)))

    assert page.caveats == ()
    assert page.image.shape[:2] == CHECKS.shape


ENDLESS = written({1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[2 0 R]/Count 900000>>"})


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (encrypted(), "protected with a password"),
        (pdf(DRAWN)[:-40], "ends too early"),
        (b"%PDF-1.7\n" + b"no object at all\n" * 99 + b"%%EOF", "is damaged and cannot be opened"),
        (pdf(), "has no pages"),
        (ENDLESS, "the limit is 20,000"),
        (rasters(Image.fromarray(COLOURS)).replace(b"\xff\xda", b"\0\0"), "Page 1 of 1 of the PDF is damaged"),
    ],
)
def test_each_unreadable_document_has_its_reason(data: bytes, reason: str) -> None:
    """Encrypted, cut off, broken, empty and endless documents are told apart."""
    with pytest.raises(ImageError, match=reason):
        images(data)


def test_without_the_extra_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason has the command for the Python that runs."""
    monkeypatch.setitem(sys.modules, "pypdfium2", None)

    with pytest.raises(ImageError) as caught:
        images(pdf(DRAWN))

    assert str(caught.value).endswith(f"{sys.executable} -m pip install 'digitwatch[pdf]'")
    assert extras.install_command("heic").endswith("-m pip install 'digitwatch[heic]'")


def test_a_raster_that_is_cut_short_is_damaged() -> None:
    """PDFium fills missing rows with one colour: the page says that a part is missing."""
    whole = placed(Image.fromarray(CHECKS), "200 0 0 100 0 0")
    pages = [next(iter(decode(data))) for data in (whole, whole.replace(b"/Height 240", b"/Height 999"))]

    assert [bool(page.damage) for page in pages] == [False, True]


def test_a_name_that_is_no_text_is_damage() -> None:
    """Bytes of a filter's name that are no UTF-8 fail the page and not the program."""
    data = placed(Image.fromarray(CHECKS), "200 0 0 100 0 0").replace(b"/Width", b"/Filter/Fl\xae\xff/Width")

    with pytest.raises(ImageError, match="Page 1 of 1 of the PDF is damaged"):
        images(data)
