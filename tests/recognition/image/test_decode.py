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
from digitwatch.recognition.image.formats import find


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

    with pytest.raises(ImageError, match="more than 20,000 pages"):
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


def noisy(mode: str = "RGB", size: tuple[int, int] = (320, 200)) -> Image.Image:
    """A picture with as much detail as a photograph, so that damage changes it."""
    rng = np.random.default_rng(1)
    return Image.fromarray(rng.integers(150, 250, (size[1], size[0]), np.uint8)).convert(mode)


def damaged(data: bytes, how: str) -> bytes:
    """The data with a part of its middle missing, lost or overwritten, and both ends whole."""
    first, last = int(0.5 * len(data)), int(0.6 * len(data))
    if how == "cut":
        return data[:first] + b"\xff\xd9"
    return data[:first] + (b"" if how == "bytes lost" else bytes(last - first)) + data[last:]


@pytest.mark.parametrize("how", ["cut", "bytes lost", "zeros"])
@pytest.mark.parametrize("progressive", [False, True])
def test_a_jpeg_with_a_hole_is_a_damaged_page(how: str, progressive: bool, capfd: pytest.CaptureFixture[str]) -> None:
    """The decoder fills the hole with grey or noise; its warning becomes the page's damage and goes nowhere else."""
    page = only_page(damaged(encoded(noisy(), "JPEG", quality=90, progressive=progressive), how))

    assert page.damage == "the JPEG data is damaged: a part of the picture is missing or wrong"
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_adobe_deflate", "jpeg", "group3", "group4"])
def test_a_tiff_with_a_hole_is_a_damaged_page(compression: str) -> None:
    """libtiff gives a picture of what it could unpack, and reports the rest."""
    mode = "1" if compression.startswith("group") else "RGB"
    whole = encoded(noisy(mode), "TIFF", compression=compression)

    assert only_page(whole).damage == ""
    assert "TIFF data is damaged" in only_page(damaged(whole, "zeros")).damage


@pytest.mark.parametrize("options", [{"kind": "WEBP"}, {"kind": "WEBP", "lossless": True}, {"kind": "JPEG2000"}])
def test_zeros_in_packed_data_are_damage(options: dict[str, object]) -> None:
    """A decoder of arithmetic codes reads zeros as a picture without a word; no coder writes so many of them."""
    whole = encoded(noisy(), **options)  # type: ignore[arg-type]

    assert only_page(whole).damage == ""
    assert "data is damaged" in only_page(damaged(whole, "zeros")).damage


def test_padding_before_the_end_marker_of_a_jpeg_is_no_damage() -> None:
    """Cameras fill up the last block with zeros; other bytes there are left over from a picture that was longer."""
    data = encoded(noisy(), "JPEG")

    assert only_page(data[:-2] + bytes(100) + data[-2:]).damage == ""
    assert only_page(data[:-2] + b"\x55" * 100 + data[-2:]).damage != ""


def test_stray_bytes_before_the_picture_do_not_hide_its_damage() -> None:
    """libjpeg reports the first problem only, so what is between the segments does not reach it."""
    data = damaged(encoded(noisy(), "JPEG", quality=90), "cut")

    assert only_page(data[:20] + b"stray" + data[20:]).damage != ""


def test_smaller_copies_of_a_page_are_no_pages() -> None:
    """A thumbnail and the levels of a pyramid are left out though nothing marks them, wherever they stand."""
    pages = [drawing().resize((60 * scale, 40 * scale)) for scale in (2, 8, 4, 1)]

    data = encoded(pages[0], "TIFF", save_all=True, append_images=pages[1:])

    assert [(page.number, page.grey.shape) for page in decode(data)] == [(1, (320, 480))]


def test_sheets_of_two_sizes_are_two_pages() -> None:
    """A small sheet with another content, or a blank one, is no copy of a large sheet of the same proportions."""
    large, small = drawing().resize((480, 320)), drawing().rotate(180).resize((240, 160))
    blank = [Image.new("RGB", size, "white") for size in ((480, 320), (240, 160))]

    data = encoded(large, "TIFF", save_all=True, append_images=[small, *blank])

    assert [page.number for page in decode(data)] == [1, 2, 3, 4]


def test_transparent_everywhere_means_opaque() -> None:
    """Programs leave the alpha of a BMP at zero; viewers show it opaque."""
    picture = drawing("RGBA")
    picture.putalpha(0)
    pixels = picture.tobytes("raw", "BGRA", 0, -1)
    header = struct.pack("<IiiHHIIiiII", 56, 60, 40, 1, 32, 3, len(pixels), 0, 0, 0, 0)
    masks = struct.pack("<IIII", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)

    assert_shows_the_drawing(only_page(b"BM" + struct.pack("<III", 70 + len(pixels), 0, 70) + header + masks + pixels))
    assert_shows_the_drawing(only_page(encoded(picture, "PNG")))


def test_cmyk_without_adobes_marker_is_not_inverted() -> None:
    """Only Photoshop and its kin store the inks of a JPEG inverted, and they say so."""
    inverted = encoded(drawing("CMYK").point(lambda value: 255 - value), "JPEG", quality=95)
    at = inverted.index(b"\xff\xee")

    assert_shows_the_drawing(only_page(inverted[:at] + inverted[at + 16 :]))


@pytest.mark.parametrize("maximum", [1, 15, 31, 100])
@pytest.mark.parametrize("plain", [False, True])
def test_the_largest_value_of_a_pnm_is_white(maximum: int, plain: bool) -> None:
    """Samples are scaled by the maximum in the header, in binary and in plain files."""
    samples = (np.asarray(drawing("L")) / 255 * maximum).round().astype(np.uint8)
    body = "".join(f"{sample}\n" for sample in samples.ravel()).encode() if plain else samples.tobytes()

    assert_shows_the_drawing(only_page(b"P%d\n60 40\n%d\n" % (2 if plain else 5, maximum) + body))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("TIFF", {"tiffinfo": {282: 204.0, 283: 102.0, 296: 2}}),
        ("TIFF", {"tiffinfo": {282: 204.0, 283: 102.0, 296: 1}}),
        ("JPEG", {"dpi": (204, 102)}),
        ("PNG", {"dpi": (204, 102)}),
        ("BMP", {"dpi": (204, 102)}),
    ],
)
def test_pixels_become_square(kind: str, options: dict[str, object]) -> None:
    """A fax of standard resolution has pixels twice as high as wide: its height is doubled."""
    page = only_page(encoded(drawing().resize((60, 20)), kind, **options))

    assert_shows_the_drawing(page)


@pytest.mark.parametrize("dpi", [(204, 196), (300, 300), (1, 300), (300, 0)])
def test_resolutions_that_no_scanner_has_are_ignored(dpi: tuple[int, int]) -> None:
    """A pixel that is nearly square stays as it is, and so does one that the file says to be a line."""
    assert_shows_the_drawing(only_page(encoded(drawing(), "TIFF", tiffinfo={282: dpi[0], 283: dpi[1], 296: 2})))


@pytest.mark.parametrize("compression", ["zstd", "lzma"])
def test_compressions_that_only_pillow_reads_are_read(compression: str) -> None:
    """OpenCV is built without them."""
    assert_shows_the_drawing(only_page(encoded(drawing(), "TIFF", compression=compression)))


def test_deep_samples_in_separate_planes_are_read() -> None:
    """A TIFF may store 16 bits of red, then of green, then of blue: OpenCV would mix the planes up."""
    plane = (np.asarray(drawing("L")).astype("<u2") * 257).tobytes()
    at = [8 + len(plane) * number for number in range(3)]
    lists = struct.pack("<6H6I", *(16,) * 3, *(1,) * 3, *at, *(len(plane),) * 3)
    where = 8 + 3 * len(plane)
    tags = [
        (256, 3, 1, 60),
        (257, 3, 1, 40),
        (258, 3, 3, where),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 3, where + 12),
    ]
    tags += [(277, 3, 1, 3), (278, 3, 1, 40), (279, 4, 3, where + 24), (284, 3, 1, 2), (339, 3, 3, where + 6)]
    entries = b"".join(struct.pack("<HHII", *tag) for tag in tags)
    directory = struct.pack("<H", len(tags)) + entries + bytes(4)

    data = b"II*\0" + struct.pack("<I", where + len(lists)) + 3 * plane + lists + directory

    assert_shows_the_drawing(only_page(data))


def tiff(bits: int, kind: int, compression: int) -> bytes:
    """A TIFF of one sample a pixel; its data are zeros."""
    size = 60 * 40 * bits // 8
    tags = [(256, 60), (257, 40), (258, bits), (259, compression), (262, 1), (273, 8), (277, 1), (278, 40)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in (*tags, (279, size), (339, kind)))
    return b"II*\0" + struct.pack("<I", 8 + size) + bytes(size) + struct.pack("<H", 10) + entries + bytes(4)


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (tiff(16, 3, 1), "TIFF with 16-bit floating-point samples.*8 or 16 bits"),
        (tiff(64, 3, 1), "TIFF with 64-bit floating-point samples"),
        (tiff(64, 6, 1), "TIFF with 64-bit complex floating-point samples"),
        (tiff(8, 1, 50001), "TIFF with WebP compression.*LZW, Deflate or no compression"),
        (tiff(8, 1, 50002), "TIFF with JPEG XL compression"),
        (tiff(8, 1, 34712), "TIFF with JPEG 2000 compression"),
        (tiff(8, 1, 34661), "TIFF with JBIG compression"),
        (tiff(8, 1, 4711), r"TIFF with an unknown \(4711\) compression"),
        (b"\xff\xd8\xff\xf7\0\x0b\x08\0\x28\0\x3c\x01\x01\x11\0\xff\xda\0\x08 \xff\xd9", "JPEG-LS image.*PNG"),
        (
            b"\xff\xd8\xff\xc1\0\x0b\x0c\0\x28\0\x3c\x01\x01\x11\0\xff\xda\0\x08 \xff\xd9",
            "JPEG with 12 bits per sample",
        ),
        (
            b"BM" + struct.pack("<III", 1000, 0, 54) + struct.pack("<IiiHHI", 40, 9, 9, 1, 32, 11) + bytes(99),
            "BMP.*CMYK",
        ),
        (
            b"BM" + struct.pack("<III", 1000, 0, 78) + struct.pack("<IiiHHI", 64, 9, 9, 1, 1, 3) + bytes(99),
            "Huffman 1D",
        ),
    ],
)
def test_what_no_library_reads_is_named(data: bytes, sentence: str) -> None:
    """The sentence says what it is and what to do; a copy would be no better, so nobody is asked for one."""
    with pytest.raises(ImageError, match=sentence) as caught:
        list(decode(data))

    assert not caught.value.truncated
    assert "damaged" not in str(caught.value)


@pytest.mark.parametrize(("kind", "number"), [("JPEG", 4), ("PNG", 5)])
def test_a_bmp_may_hold_a_jpeg_or_png(kind: str, number: int) -> None:
    """Printers' files are envelopes of another format."""
    inside = encoded(drawing(), kind)
    header = struct.pack("<IiiHHIIiiII", 40, 60, 40, 1, 0, number, len(inside), 0, 0, 0, 0)

    assert_shows_the_drawing(only_page(b"BM" + struct.pack("<III", 54 + len(inside), 0, 54) + header + inside))


@pytest.mark.parametrize("data", [b"", bytes(100)])
def test_nothing_is_said_to_be_nothing(data: bytes) -> None:
    """An empty file and one of zeros are named so, and may still be filled."""
    with pytest.raises(ImageError, match=r"empty|zeros") as caught:
        list(decode(data))

    assert caught.value.truncated


def test_other_files_are_named_for_what_they_are() -> None:
    """PostScript is called PostScript, with what to do about it."""
    with pytest.raises(ImageError, match=r"PostScript file.*Export it as PNG, JPEG or TIFF") as caught:
        list(decode(b"%!PS-Adobe\n" + bytes(100)))

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
        except ImageError as problem:
            outcomes.add(type(problem))

    assert {Page, ImageError} == outcomes


def index(shared: Path) -> list[dict[str, str]]:
    """What the collection of odd files says about each."""
    with (shared / "formats" / "index.csv").open() as file:
        return list(csv.DictReader(file))


def test_odd_files_of_other_projects_are_read(shared: Path) -> None:
    """Every sound file of the collection gives its pages; PDF and HEIC where their libraries are installed."""
    for row in index(shared):
        data = (shared / "formats" / row["file"]).read_bytes()
        if row["class"] == "bad" or len(data) > 1_000_000:
            continue
        found = find(data[:64])
        if found is None or found.is_installed:
            assert [page.number for page in decode(data)] in ([1], [1, 2, 3]), row["file"]


def test_broken_files_of_other_projects_do_no_harm(shared: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Bombs, loops and fuzzers' finds give pages or one sentence, without a word from the decoders."""
    for row in index(shared):
        if row["class"] != "bad":
            continue
        try:
            list(decode((shared / "formats" / row["file"]).read_bytes()))
        except ImageError as problem:
            assert str(problem).endswith("."), row["file"]

    assert capfd.readouterr().err == ""
