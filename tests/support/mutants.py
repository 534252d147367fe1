"""Files for the fuzzing: seeds in every format, and what becomes of them. The same number gives the same file."""

import io
import random
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from digitwatch.recognition.image.formats import IMAGES
from digitwatch.recognition.image.sniff import sniff

ROOT = Path(__file__).parents[2]
SHARED = ROOT.parent / "shared" / "data" / "formats"
LARGEST = 40_000  # bytes of a seed; what is larger says nothing new and costs time
MAGIC = 12  # bytes in which a format is recognised
LIES = (0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)


def seeds() -> list[bytes]:
    """Return whole files: the examples, the formats collection when it is there, and small ones in every format."""
    found = sorted(path for folder in (ROOT / "examples", SHARED) for path in folder.rglob("*") if path.is_file())
    files = [data for path in found if len(data := path.read_bytes()) <= LARGEST]
    images = [data for data in files if sniff(data[:64]) in IMAGES]
    return images * 5 + files + _made() * 5


def _made() -> list[bytes]:
    page = np.full((60, 80, 3), 240, np.uint8)
    cv2.putText(page, "47", (8, 48), cv2.FONT_HERSHEY_SIMPLEX, 1.6, (20, 20, 20), 4)
    grey = page[..., 0]
    endings = (".png", ".jpg", ".tif", ".bmp", ".webp", ".jp2", ".pnm")
    made = [cv2.imencode(ending, image)[1].tobytes() for ending in endings for image in (page, grey)]
    alpha = np.dstack([page, 255 - grey])
    made += [cv2.imencode(ending, alpha)[1].tobytes() for ending in (".png", ".tif", ".webp")]
    made += [cv2.imencode(ending, grey.astype(np.uint16) * 257)[1].tobytes() for ending in (".png", ".tif", ".pgm")]
    sheet = Image.fromarray(page)
    for kind, image in (
        ("GIF", sheet.convert("P")),
        ("AVIF", sheet),
        ("PCX", sheet),
        ("TIFF", sheet.convert("1")),
        ("PNG", sheet),
    ):
        made.append(_saved(image, kind))
    for how in ("tiff_lzw", "tiff_deflate", "jpeg", "packbits", "group4"):
        made.append(_saved(sheet.convert("1") if how == "group4" else sheet, "TIFF", compression=how))
    made.append(_saved(sheet, "TIFF", save_all=True, append_images=[sheet.convert("P"), sheet.convert("CMYK")]))
    made.append(_saved(sheet, "PNG", save_all=True, append_images=[sheet.rotate(90)]))
    made.append(_saved(sheet, "JPEG", progressive=True))
    return made


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def mutant(number: int, whole: list[bytes]) -> bytes:
    """Return the file of a number: a seed damaged once to four times, or a picture that no scanner makes."""
    chance = random.Random(number)
    if number % 10 == 0:
        return odd_picture(chance)
    seed = data = chance.choice(whole)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        data = chance.choice(WAYS)(data, chance, whole)
    # mostly it must look like what it was, or it is turned away at the door
    return seed[:MAGIC] + data[MAGIC:] if chance.random() < 0.8 else data


def _flip(data: bytes, chance: random.Random, whole: list[bytes]) -> bytes:
    """Change single bits and bytes, more of them near the beginning, where the headers are."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 20)):
        if changed:
            at = int(len(changed) * chance.random() ** chance.choice((1, 4)))
            changed[at] ^= chance.choice((1 << chance.randrange(8), chance.randrange(256)))
    return bytes(changed)


def _cut(data: bytes, chance: random.Random, whole: list[bytes]) -> bytes:
    return data[: chance.randint(0, len(data))]


def _splice(data: bytes, chance: random.Random, whole: list[bytes]) -> bytes:
    """Join the beginning of one file to the end of another."""
    other = chance.choice(whole)
    return data[: chance.randint(0, len(data))] + other[chance.randint(0, len(other)) :]


def _lie(data: bytes, chance: random.Random, whole: list[bytes]) -> bytes:
    """Write telling numbers where sizes, counts and offsets stand."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 4)):
        code = chance.choice(("<H", ">H", "<I", ">I", "B"))
        if (room := len(changed) - 8) > 0:
            value = chance.choice(LIES) & (256 ** struct.calcsize(code) - 1)
            struct.pack_into(code, changed, min(room, int(room * chance.random() ** 5)), value)
    return bytes(changed)


def _repeat(data: bytes, chance: random.Random, whole: list[bytes]) -> bytes:
    start = chance.randint(0, len(data))
    piece = data[start : start + chance.randint(1, 4096)]
    return data[:start] + piece * chance.randint(2, 5) + data[start:]


def _shuffle(data: bytes, chance: random.Random, whole: list[bytes]) -> bytes:
    """Shuffle, drop and double the chunks of a PNG, checksums kept; of other files plain blocks."""
    chunks = _chunks(data) if data.startswith(b"\x89PNG") else []
    if len(chunks) < 2:
        size = chance.choice((16, 64, 512, 4096))
        chunks = [data[at : at + size] for at in range(0, len(data), size)]
        head: bytes = b""
    else:
        head = data[:8]
    first, rest = chunks[:1], chunks[1:]
    if chance.random() < 0.5:
        chance.shuffle(rest)
    elif rest:
        rest.insert(chance.randrange(len(rest)), chance.choice(rest))
        rest.pop(chance.randrange(len(rest)))
    return head + b"".join(first + rest)


def _resealed(data: bytes, chance: random.Random, whole: list[bytes]) -> bytes:
    """Damage the inside of a PNG and make its checksums right again, so that the decoder sees the damage."""
    chunks = _chunks(data) if data.startswith(b"\x89PNG") else []
    if not chunks:
        return _lie(data, chance, whole)
    at = chance.randrange(len(chunks))
    kind, body = chunks[at][4:8], chunks[at][8:-4]
    body = chance.choice((_flip, _cut, _lie))(body, chance, whole)
    chunks[at] = len(body).to_bytes(4, "big") + kind + body + zlib.crc32(kind + body).to_bytes(4, "big")
    return data[:8] + b"".join(chunks)


def _chunks(data: bytes) -> list[bytes]:
    chunks, at = [], 8
    while at + 12 <= len(data):
        length = int.from_bytes(data[at : at + 4], "big")
        if at + 12 + length > len(data):
            break
        chunks.append(data[at : at + 12 + length])
        at += 12 + length
    return chunks


WAYS: tuple[Callable[[bytes, random.Random, list[bytes]], bytes], ...]
WAYS = (_flip, _flip, _cut, _splice, _lie, _lie, _repeat, _shuffle, _resealed, _resealed)


def odd_picture(chance: random.Random) -> bytes:
    """Return a sound PNG of what no scanner makes: full-frame dark, noise, ramps, hairlines, one pixel high or wide."""
    noise = np.random.default_rng(chance.randrange(1 << 32))
    height, width = (chance.choice((1, 2, 3, 5, 28, 90, 300, 600)) for _ in range(2))
    y, x = np.mgrid[:height, :width]
    kinds: tuple[Callable[[], np.ndarray], ...] = (
        lambda: np.full((height, width), chance.randrange(256)),
        lambda: noise.integers(0, 256, (height, width)),
        lambda: noise.integers(0, 2, (height, width)) * 255,
        lambda: (x + y) * 255 / max(1, height + width - 2),
        lambda: (x // chance.choice((1, 2, 9)) + y // chance.choice((1, 2, 9))) % 2 * 255,
        lambda: 255 * np.exp(-((x - width / 2) ** 2 + (y - height / 2) ** 2) / chance.choice((5, 500, 50_000))),
        lambda: np.where(noise.random((height, width)) < 0.01, 255, chance.randrange(120)),
        lambda: noise.normal(chance.randrange(256), chance.choice((2, 20, 90)), (height, width)),
    )
    image = np.clip(chance.choice(kinds)(), 0, 255)
    if chance.random() < 0.5:  # a spot, a bar or a blot on it
        a, b, c, d = (chance.randrange(n) for n in (height, height, width, width))
        image[min(a, b) : max(a, b) + 1, min(c, d) : max(c, d) + 1] = chance.randrange(256)
    if chance.random() < 0.3:
        image = cv2.GaussianBlur(np.asarray(image, np.float32), (0, 0), chance.choice((1, 5, 25)))
    return cv2.imencode(".png", np.asarray(image, np.uint8))[1].tobytes()
