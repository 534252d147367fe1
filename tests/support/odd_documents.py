"""Damaged, encrypted and odd PDF and HEIC files, and what becomes of each: `python tests/support/odd_documents.py`."""

import io
import json
import time

import numpy as np
import pillow_heif
from documents import DRAWN, FONT, TYPED, WITH_FONT, encrypted, pdf, placed, rasters, written
from PIL import Image

from digitwatch.recognition.image.decode import ImageError, decode

MAX_PIXELS = 50_000_000
PICTURE = Image.fromarray(
    (np.kron(np.random.default_rng(1).integers(0, 2, (6, 8)) * 255, np.ones((40, 40)))).astype("u1")
)
PAGE = b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 9 9]>>"
LOOP = b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2>>"
FORM = b"<</Type/XObject/Subtype/Form/BBox[0 0 99 99]/Resources<</XObject<</F 1000 0 R>>>>/Length 5>>"


def heic() -> bytes:
    """Return a photograph."""
    out = io.BytesIO()
    pillow_heif.from_pillow(PICTURE.convert("RGB")).save(out, quality=80)
    return out.getvalue()


def changed(data: bytes, seed: int, first: int = 0) -> bytes:
    """Return data in which 20 random bytes from `first` on have other values."""
    rng, out = np.random.default_rng(seed), bytearray(data)
    for place in rng.integers(first, len(data), 20):
        out[place] = rng.integers(0, 256)
    return bytes(out)


def cases() -> dict[str, bytes]:
    """Return the files by what is odd about them."""
    good, photo, colour = rasters(PICTURE, PICTURE), heic(), rasters(Image.merge("RGB", [PICTURE] * 3))
    one, shown = pdf(DRAWN), placed(PICTURE, "200 0 0 100 0 0")
    catalog = b"<</Type/Catalog/Pages 2 0 R>>"
    return {
        "PDF of two rasters": good,
        "PDF, half of it": good[: len(good) // 2],
        "PDF without its last 5 bytes": good[:-5],
        "PDF whose table of objects is broken": good.replace(b"xref", b"xxxx"),
        "PDF whose table is elsewhere": good.replace(b"startxref\n", b"startxref\n9"),
        "PDF with a password": encrypted(),
        "PDF without pages": pdf(),
        "PDF of 9 pages that has one": one.replace(b"/Count 1", b"/Count 9"),
        "PDF, its first line only": b"%PDF-1.7\n",
        "PDF, its first and last line": b"%PDF-1.7\n%%EOF\n",
        "PDF with zeros behind its end": good + b"\0" * 500,
        "PDF behind a byte order mark": b"\xef\xbb\xbf" + good,
        "PDF whose page tree has a loop": written(
            {1: catalog, 2: b"<</Type/Pages/Kids[2 0 R 3 0 R]/Count 2>>", 3: PAGE}
        ),
        "PDF with a page of 350 m": pdf(DRAWN, page=b"/MediaBox[0 0 1000000 1000000]"),
        "PDF with a page of no size": pdf(DRAWN, page=b"/MediaBox[0 0 0 0]"),
        "PDF with a page of 4 µm": pdf(DRAWN, page=b"/MediaBox[0 0 0.01 0.01]"),
        "PDF raster of 10 gigapixels": shown.replace(b"/Width 320/Height 240", b"/Width 100000/Height 100000"),
        "PDF raster with too few samples": shown.replace(b"/Height 240", b"/Height 9999"),
        "PDF whose JPEG has no picture": colour.replace(b"\xff\xda", b"\0\0"),
        "PDF that draws itself": pdf(
            b"/F Do",
            page=b"/Resources<</XObject<</F 1000 0 R>>>>",
            objects={1000: FORM + b"stream\n/F Do\nendstream"},
        ),
        "PDF of typed text": pdf(TYPED, page=WITH_FONT, objects=FONT),
        "PDF, blank": pdf(b""),
        "HEIC photograph": photo,
        "HEIC, half of it": photo[: len(photo) // 2],
        "HEIC, its first 40 bytes": photo[:40],
        "HEIC with zeros behind byte 200": photo[:200] + bytes(len(photo) - 200),
        **{f"PDF with 20 random bytes changed ({seed})": changed(good, seed) for seed in range(4)},
        **{f"HEIC with 20 random bytes changed ({seed})": changed(photo, seed, 20) for seed in range(4)},
    }


def result(data: bytes) -> str:
    """Return what becomes of a file: its pages and their damage, or the reason why it fails."""
    try:
        pages = list(decode(data, MAX_PIXELS))
    except ImageError as error:
        return str(error)
    notes = dict.fromkeys([*(page.damage for page in pages), *(each.text for page in pages for each in page.caveats)])
    return "; ".join([f"read: {len(pages)} page{'s' * (len(pages) > 1)}", *filter(None, notes)])


if __name__ == "__main__":
    for name, data in cases().items():
        start = time.perf_counter()
        found = result(data)
        print(json.dumps([name, found, round(time.perf_counter() - start, 2)], ensure_ascii=False), flush=True)
