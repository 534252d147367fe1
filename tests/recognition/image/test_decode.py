"""Bytes become pages, or an error that a person understands."""

import csv
import io
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from digitwatch.recognition.image.decode import MAX_PAGES, ImageError, Page, decode


def drawing(mode: str = "RGB") -> Image.Image:
    """A dark bar low on the left of light paper, 60 wide and 40 high."""
    picture = Image.new("L", (60, 40), 250)
    ImageDraw.Draw(picture).rectangle((5, 20, 12, 36), fill=10)
    return picture.convert(mode)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    """The picture in a file of the given kind."""
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


def only_page(data: bytes) -> Page:
    """The page of a file that has just one."""
    (page,) = decode(data)
    return page


def assert_shows_the_drawing(page: Page) -> None:
    """Bar and paper are where they were drawn."""
    assert page.image.dtype == np.uint8
    assert page.grey.shape == (40, 60)
    assert page.grey[22:35, 7:11].mean() < 60
    assert page.grey[2:18, 20:58].mean() > 220


@pytest.mark.parametrize(
    ("mode", "kind", "options"),
    [
        ("L", "PNG", {}),
        ("1", "PNG", {}),
        ("P", "PNG", {}),
        ("I;16", "PNG", {}),
        ("RGB", "JPEG", {"quality": 90, "progressive": True}),
        ("CMYK", "JPEG", {}),
        ("1", "TIFF", {"compression": "group4"}),
        ("P", "TIFF", {}),
        ("CMYK", "TIFF", {}),
        ("RGB", "TIFF", {"compression": "tiff_lzw"}),
        ("RGB", "TIFF", {"big_tiff": True}),
        ("LA", "TIFF", {}),
        ("RGB", "BMP", {}),
        ("RGB", "WEBP", {}),
        ("P", "GIF", {}),
        ("RGB", "AVIF", {}),
        ("RGB", "JPEG2000", {}),
        ("L", "PPM", {}),
        ("1", "PCX", {}),
    ],
)
def test_reads_every_kind(mode: str, kind: str, options: dict[str, object]) -> None:
    """Whatever the format and the kind of pixels, the same drawing comes out."""
    picture = drawing("L").point(lambda v: v * 257, "I").convert(mode) if mode == "I;16" else drawing(mode)

    assert_shows_the_drawing(only_page(encoded(picture, kind, **options)))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF", "TIFF"])
@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_turned_photographs_come_upright(kind: str, orientation: int) -> None:
    """A picture stored turned, with a note on how to hold it, comes out upright in every format."""
    turn = {3: Image.Transpose.ROTATE_180, 6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation

    assert_shows_the_drawing(only_page(encoded(drawing().transpose(turn), kind, exif=exif)))


def test_pages_of_a_tiff_come_in_order_without_thumbnails() -> None:
    """Every page is given once, numbered from 1; a thumbnail of a page is not a page."""
    thumbnail = drawing().resize((6, 4))
    thumbnail.encoderinfo = {"tiffinfo": {254: 1}}
    pages = [drawing("L").resize((60, height)) for height in (50, 60)]

    data = encoded(drawing(), "TIFF", save_all=True, append_images=[thumbnail, *pages])

    assert [(page.number, page.grey.shape[0]) for page in decode(data)] == [(1, 40), (2, 50), (3, 60)]


def test_many_pages_need_the_memory_of_one() -> None:
    """Pages are decoded one at a time, so that a thick stack of paper fits."""
    data = encoded(
        Image.new("L", (1000, 1000)),
        "TIFF",
        save_all=True,
        append_images=[Image.new("L", (1000, 1000))] * 19,
        compression="tiff_deflate",
    )
    tracemalloc.start()

    count = sum(1 for _ in decode(data))

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20
    assert peak < 4_000_000


def test_too_many_pages_are_refused() -> None:
    """A chain of pages without end is refused before any is decoded."""
    links = b"".join(struct.pack("<HI", 0, 14 + 6 * number) for number in range(MAX_PAGES + 9))

    with pytest.raises(ImageError, match="more than 1,000 pages"):
        list(decode(b"II*\0\x08\0\0\0" + links))


def test_first_picture_of_an_animation_is_the_page() -> None:
    """Of pictures that move only the first is read."""
    data = encoded(drawing(), "GIF", save_all=True, append_images=[Image.new("RGB", (60, 40))])

    assert_shows_the_drawing(only_page(data))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "BMP", "PPM"])
def test_pixel_limit_holds_before_decoding(kind: str) -> None:
    """The size in the header decides; the picture itself need not even be there."""
    with pytest.raises(ImageError, match=r"60 × 40 pixels; the limit is 2,399"):
        list(decode(encoded(drawing(), kind), max_pixels=2399))


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "TIFF", "GIF", "WEBP", "AVIF", "BMP", "PPM", "JPEG2000"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.9])
def test_half_a_file_is_not_half_a_picture(kind: str, share: float) -> None:
    """A file that ends early is refused as such, so that its writer may be waited for."""
    data = encoded(drawing(), kind)

    with pytest.raises(ImageError) as caught:
        list(decode(data[: max(1, int(share * len(data)))]))

    assert caught.value.truncated


@pytest.mark.parametrize("data", [b"", bytes(100)])
def test_nothing_is_said_to_be_nothing(data: bytes) -> None:
    """An empty file and one of zeros are named so, and may still be filled."""
    with pytest.raises(ImageError, match=r"empty|zeros") as caught:
        list(decode(data))

    assert caught.value.truncated


def test_other_files_are_named_for_what_they_are() -> None:
    """A PDF is called a PDF, with what to do about it."""
    with pytest.raises(ImageError, match=r"PDF document.*Export its pages as PNG, JPEG or TIFF") as caught:
        list(decode(b"%PDF-1.4\n" + bytes(100)))

    assert not caught.value.truncated


def test_random_damage_never_escapes() -> None:
    """Bytes changed at random give pages or an ImageError, nothing else."""
    rng = np.random.default_rng(7)
    sources = [encoded(drawing(), kind) for kind in ("PNG", "TIFF", "GIF", "WEBP", "AVIF", "BMP", "PPM")]
    outcomes = set()
    for turn in range(350):
        data = bytearray(sources[turn % len(sources)])
        for place in rng.integers(0, min(len(data), 300), 3):
            data[place] = rng.integers(0, 256)
        try:
            outcomes |= {type(page) for page in decode(bytes(data), 1_000_000)}
        except ImageError as trouble:
            outcomes.add(type(trouble))

    assert {Page, ImageError} == outcomes


def index(shared: Path) -> list[dict[str, str]]:
    """What the collection of odd files says about each."""
    with (shared / "formats" / "index.csv").open() as file:
        return list(csv.DictReader(file))


def test_odd_files_of_other_projects_are_read(shared: Path) -> None:
    """Every sound file of the collection gives its pages, except PDF and HEIC, which say what to do."""
    for row in index(shared):
        data = (shared / "formats" / row["file"]).read_bytes()
        if row["class"] == "bad" or len(data) > 1_000_000:
            continue
        if row["what"].startswith(("PDF", "HE")):
            with pytest.raises(ImageError, match="Export"):
                list(decode(data))
        else:
            assert [page.number for page in decode(data)] in ([1], [1, 2, 3]), row["file"]


def test_broken_files_of_other_projects_do_no_harm(shared: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Bombs, loops and fuzzers' finds give pages or one sentence, without a word from the decoders."""
    for row in index(shared):
        if row["class"] != "bad" or "EXIF" in row["what"] or "APP14" in row["what"]:
            continue  # the two that libjpeg itself writes a line about
        try:
            list(decode((shared / "formats" / row["file"]).read_bytes()))
        except ImageError as trouble:
            assert str(trouble).endswith("."), row["file"]

    assert capfd.readouterr().err == ""
