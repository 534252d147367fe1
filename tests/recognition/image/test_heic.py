"""HEIC photographs."""

import io

import numpy as np
import pytest
from PIL import Image

from digitwatch.recognition.image.decode import ImageError, decode

pillow_heif = pytest.importorskip("pillow_heif", reason="needs the extra heic")

SHADES = np.kron(np.arange(6).reshape(2, 3) * 40, np.ones((32, 32))).astype(np.uint8)


def heic(orientation: int = 1) -> bytes:
    """Return a photograph, with the orientation in its EXIF data."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = io.BytesIO()
    pillow_heif.from_pillow(Image.fromarray(SHADES).convert("RGB")).save(file, quality=90, exif=exif.tobytes())
    return file.getvalue()


def test_a_photograph_is_decoded() -> None:
    """It has the size and the shades of the picture that was saved."""
    [page] = decode(heic())

    assert page.image.shape == (64, 96, 3)
    assert np.abs(page.grey.astype(int) - SHADES).mean() < 3


@pytest.mark.parametrize("kept", [0.3, 0.9])
def test_a_cut_off_photograph_may_still_grow(kept: float) -> None:
    """The reason says so, and its writer is waited for."""
    data = heic()

    with pytest.raises(ImageError, match="HEIC file is damaged or incomplete") as caught:
        list(decode(data[: int(kept * len(data))]))

    assert caught.value.truncated


def test_the_limit_of_pixels_is_kept() -> None:
    """The size is looked up before anything is decoded."""
    with pytest.raises(ImageError, match="the limit is 1,000 in all"):
        list(decode(heic(), 1000))
