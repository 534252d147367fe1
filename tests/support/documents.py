"""PDF documents for tests, written object by object."""

import io

from PIL import Image


def pdf(*pages: bytes, page: bytes = b"", objects: dict[int, bytes] | None = None) -> bytes:
    """Return a document of pages with these content streams; `page` is added to each page's dictionary.

    Objects 1 and 2 are the catalogue and the page tree; each page has two more; `objects` come with numbers from 1000.
    """
    kids = b" ".join(b"%d 0 R" % (3 + 2 * number) for number in range(len(pages)))
    body = {1: b"<</Type/Catalog/Pages 2 0 R>>", 2: b"<</Type/Pages/Kids[%s]/Count %d>>" % (kids, len(pages))}
    for number, content in enumerate(pages):
        at = 3 + 2 * number
        box = b"" if b"/MediaBox" in page else b"/MediaBox[0 0 200 100]"
        body[at] = b"<</Type/Page/Parent 2 0 R%s/Contents %d 0 R%s>>" % (box, at + 1, page)
        body[at + 1] = b"<</Length %d>>stream\n%s\nendstream" % (len(content), content)
    return written(body | (objects or {}))


def written(objects: dict[int, bytes], trailer: bytes = b"") -> bytes:
    """Return a file of these objects, with its table of places."""
    out, places = io.BytesIO(), {}
    out.write(b"%PDF-1.7\n")
    for number, content in objects.items():
        places[number] = out.tell()
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, content))
    start = out.tell()
    out.write(b"xref\n0 1\n0000000000 65535 f \n")
    for number, place in places.items():
        out.write(b"%d 1\n%010d 00000 n \n" % (number, place))
    out.write(b"trailer<</Size %d/Root 1 0 R%s>>\nstartxref\n%d\n%%%%EOF\n" % (max(objects) + 1, trailer, start))
    return out.getvalue()


FONT = {1000: b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"}
WITH_FONT = b"/Resources<</Font<</F1 1000 0 R>>>>"
TYPED = b"BT /F1 40 Tf 20 30 Td (4711) Tj ET"
DRAWN = b"8 w 70 80 m 120 80 l 90 20 l S"  # a 7 drawn with a pen of 8 points


def rasters(*pictures: Image.Image, resolution: float = 200) -> bytes:
    """Return a document with each picture on a page of its own, as scanners write it."""
    out = io.BytesIO()
    pictures[0].save(out, "PDF", save_all=True, append_images=pictures[1:], resolution=resolution)
    return out.getvalue()


def placed(picture: Image.Image, matrix: str, page: bytes = b"") -> bytes:
    """Return a document of one page that shows an uncompressed grey picture through a matrix."""
    head = b"<</Type/XObject/Subtype/Image/Width %d/Height %d/BitsPerComponent 8/ColorSpace/DeviceGray/Length %d>>"
    samples = picture.convert("L").tobytes()
    image = head % (*picture.size, len(samples)) + b"stream\n" + samples + b"\nendstream"
    content = f"q {matrix} cm /I Do Q".encode()
    return pdf(content, page=b"/Resources<</XObject<</I 1000 0 R>>>>" + page, objects={1000: image})


def encrypted() -> bytes:
    """Return a document that claims a password which nobody knows."""
    entries = b"/Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>" % (b"11" * 32, b"22" * 32)
    whole = pdf(DRAWN)
    return whole.replace(b"/Root 1 0 R", b"/Root 1 0 R/ID[<00><00>]/Encrypt<<%s>>" % entries)
