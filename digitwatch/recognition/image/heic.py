"""HEIC and HEIF photographs, decoded by pillow-heif (extra `heic`)."""

from collections.abc import Iterator

import numpy as np

from digitwatch.recognition.image import extras
from digitwatch.recognition.image.decode import ImageError, Page, check_size
from digitwatch.recognition.image.pixels import on_paper, to_eight_bits

_TROUBLE = (OSError, EOFError, ValueError, TypeError, SyntaxError, RuntimeError, LookupError, MemoryError)


def pages(data: bytes, max_pixels: int, first: int = 1) -> Iterator[Page]:
    """Yield the main picture of a HEIC file, upright; the others of a burst show the same again.

    Raises:
        ImageError: the extra is missing, the file is damaged, or the picture has more than `max_pixels` pixels.
    """
    if first > 1:
        return
    library = extras.load("HEIC")
    library.options.DECODE_THREADS = 1
    try:
        file = library.open_heif(data, convert_hdr_to_8bit=True, bgr_mode=True)
        picture = file[file.primary_index]
        width, height = picture.size
        check_size(width, height, max_pixels)
        pixels = np.array(picture)  # decodes, and applies rotation and mirroring of the container
    except _TROUBLE as error:
        raise ImageError(
            "The HEIC file is damaged or incomplete and cannot be decoded. Copy it again, or export it as PNG.",
            truncated=True,
        ) from error
    if pixels.ndim == 3 and pixels.shape[2] in (1, 2):
        pixels = pixels[..., 0]
    yield Page(1, on_paper(to_eight_bits(np.ascontiguousarray(pixels[:, : picture.size[0]]))))
