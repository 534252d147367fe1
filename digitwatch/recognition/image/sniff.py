"""What kind of file the first bytes promise, and what to tell a person whose file is no readable scan."""

import codecs

from digitwatch.recognition.image import formats

# first bytes -> name, of files that are no scans
_SIGNATURES = (
    (b"\0\0\0\x0cJXL ", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"%!PS", "PostScript"),
    (b"8BPS", "Photoshop"),
    (b"AT&TFORM", "DjVu"),
    (b"\0\0\1\0", "ICO"),
    (b"icns", "ICNS"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Office"),
    (b"{\\rtf", "Office"),
    (b"7z\xbc\xaf\x27\x1c", "archive"),
    (b"Rar!", "archive"),
    (b"\x1f\x8b", "archive"),
)
_OFFICE_ENTRIES = (b"[Content_Types]", b"_rels/", b"docProps/", b"word/", b"xl/", b"ppt/", b"mimetype")

_EXPORT = "Export it as PNG, JPEG or TIFF"
_ADVICE = {
    "Office": f"This is an office document, not an image. {_EXPORT}, or scan the page.",
    "ZIP": "This is a ZIP archive, not an image. Unpack it and hand in the images one by one.",
    "archive": "This is a packed archive, not an image. Unpack it and hand in the images one by one.",
    "SVG": f"This is an SVG drawing, not a scan. {_EXPORT}.",
    "ICO": f"This is an icon, not a scan. {_EXPORT}.",
    "ICNS": f"This is an icon, not a scan. {_EXPORT}.",
    "HTML": f"This is a web page, not an image. {_EXPORT}, or scan the page.",
    "text": "This is a text file, not an image. Hand in the scan itself as PNG, JPEG or TIFF.",
    "video": "This is a video, not an image. Hand in a single picture as PNG, JPEG or TIFF.",
}


def sniff(head: bytes) -> str | None:
    """Name the format that the first bytes of a file promise.

    `head` is the start of the file; 64 bytes are enough. Returns a name such as "PNG", "JPEG", "TIFF", "PDF",
    "HEIC", "Office" or "text", or None if nothing is known about such a start. What follows may still break
    the promise.
    """
    if found := formats.find(head):
        return found.name
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    return _sniff_binary(head) or _sniff_text(head)


def _sniff_binary(head: bytes) -> str | None:
    if head[4:8] == b"ftyp":
        return "video"
    if head[:2] == b"PK":
        return "Office" if head[30:].startswith(_OFFICE_ENTRIES) else "ZIP"
    return None


def _sniff_text(head: bytes) -> str | None:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        return "HTML"
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "text"
    try:  # incremental, since the last character may be cut in two
        text = codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        return None
    return "text" if text and all(c.isprintable() or c.isspace() for c in text) else None


def advice(kind: str | None) -> str:
    """Return the sentence for a person whose file cannot be read: what it is, and what to do."""
    if kind is None:
        return f"This is not an image in any format that can be read here. {_EXPORT}."
    return _ADVICE.get(kind) or f"This is a {kind} file, which cannot be read here. {_EXPORT}."


def is_complete(head: bytes, tail: bytes) -> bool:
    """Return whether a file is certain to have been written to its end.

    `head` and `tail` are its first and last 16 bytes or more. True only for a PNG that ends in IEND and a
    JPEG that ends in its end marker; every other format could still grow.
    """
    found = formats.find(head)
    return found is not None and found.end != b"" and tail.endswith(found.end)
