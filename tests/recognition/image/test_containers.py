"""The outer structure of PNG, JPEG and TIFF."""

import io
import struct
import zlib

import pytest
from PIL import Image

from digitwatch.recognition.image.containers import (
    DamagedError,
    Header,
    TruncatedError,
    exif_orientation,
    read_jpeg,
    read_png,
    tiff_directories,
)


def encoded(kind: str, **options: object) -> bytes:
    """A picture of 60 by 40 pixels in a file."""
    stream = io.BytesIO()
    Image.radial_gradient("L").resize((60, 40)).save(stream, kind, **options)
    return stream.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG with its checksum."""
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def test_png_keeps_only_the_picture() -> None:
    """Text, which can unpack to gigabytes, does not reach the decoder; the picture does, unchanged."""
    data = encoded("PNG")
    bomb = data[:33] + chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(10_000_000))) + data[33:]

    header, cleaned = read_png(bomb)

    assert Header(60, 40) == header
    assert data == cleaned


def test_png_with_a_flipped_bit_is_damaged() -> None:
    """Each chunk of the picture is checked against its checksum."""
    data = bytearray(encoded("PNG"))
    data[len(data) // 2] ^= 1

    with pytest.raises(DamagedError):
        read_png(bytes(data))


@pytest.mark.parametrize("share", [0.2, 0.5, 0.99])
@pytest.mark.parametrize("filler", [b"", bytes(5000)], ids=["cut", "zeros follow"])
def test_png_that_ends_early_is_truncated(share: float, filler: bytes) -> None:
    """A cut is noticed wherever it is, and also where the writer has reserved room with zeros."""
    data = encoded("PNG")

    with pytest.raises(TruncatedError):
        read_png(data[: int(share * len(data))] + filler)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_jpeg_without_its_end_is_truncated(share: float) -> None:
    """A JPEG that lacks its end marker lacks rows, although decoders would fill them with grey."""
    data = encoded("JPEG")

    with pytest.raises(TruncatedError):
        read_jpeg(data[: int(share * len(data))])


def test_jpeg_may_be_followed_by_anything() -> None:
    """What phones append after the end marker, such as a short film, does no harm."""
    assert read_jpeg(encoded("JPEG") + b"\xff\xda moving picture")[0] == Header(60, 40)


def test_end_of_a_preview_is_not_the_end() -> None:
    """The end marker of a preview inside the notes does not vouch for the picture itself."""
    exif = b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0\0\0 preview \xff\xd9"
    whole = encoded("JPEG", exif=exif)

    assert read_jpeg(whole)[0] == Header(60, 40)
    with pytest.raises(TruncatedError):
        read_jpeg(whole[:-2])


@pytest.mark.parametrize("broken", [b"", b"II*\0", b"MM\0*\xff\xff\xff\xff", b"II*\0\x08\0\0\0\xff\xff"])
def test_broken_exif_means_upright(broken: bytes) -> None:
    """A picture with damaged notes is still a picture."""
    assert exif_orientation(broken) == 1


def chain(*following: int) -> bytes:
    """A TIFF of empty directories, each naming the one given as its next (a number of a directory, or 0)."""
    starts = [8 + 6 * number for number in range(len(following))]
    links = b"".join(struct.pack("<HI", 0, starts[n] if n else 0) for n in following)
    return b"II*\0" + struct.pack("<I", 8) + links


def test_tiff_chain_ends_where_it_repeats() -> None:
    """A directory that leads back to an earlier one ends the chain."""
    assert tiff_directories(chain(1, 2, 1), 100) == [8, 14, 20]


def test_tiff_chain_stops_after_the_limit() -> None:
    """An endless chain costs no more than one page over the limit."""
    assert len(tiff_directories(chain(*range(1, 500), 0), 100)) == 101


@pytest.mark.parametrize("data", [b"II*\0\0\0\0\0", chain(0)[:-1], b"II+\0\x08\0\0\0", b"MM\0*\0\xff\0\0"])
def test_tiff_that_leads_out_of_its_data_is_truncated(data: bytes) -> None:
    """A writer that has not come to its directory yet leaves a TIFF that points nowhere."""
    with pytest.raises(TruncatedError):
        tiff_directories(data, 100)
