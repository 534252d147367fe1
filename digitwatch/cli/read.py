"""`digitwatch read`: files, or what comes on standard input, to results on standard output; nothing is moved."""

import contextlib
import hashlib
import json
import os
import resource
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from digitwatch.cli import factories
from digitwatch.cli.factories import Config
from digitwatch.cli.outputs import output_folder
from digitwatch.errors import ExitCode, UsageError
from digitwatch.forms import drawing, schema
from digitwatch.forms.form_reader import FieldReading, FormPage, FormReader
from digitwatch.forms.scan_pages import ReadPage, read_pages
from digitwatch.log_codes import Status
from digitwatch.models import provisioning
from digitwatch.recognition.image import formats
from digitwatch.recognition.image.decode import ImageError
from digitwatch.recognition.reader import Reader
from digitwatch.recognition.result import Reading
from digitwatch.spool.annotated_images import publish
from digitwatch.spool.archive import numbered
from digitwatch.spool.csv_rows import printable
from digitwatch.system.os_errors import describe
from digitwatch.web.texts import percent

STDIN = "-"
PIECE = 1 << 20  # bytes that are read at a time from what has no size


@dataclass(frozen=True)
class PageRead:
    """What is printed of one page, or of one field of a form; a scan that could not be read has one, `failed`."""

    file: str
    page: int
    status: str
    reason: str = ""
    reading: Reading | None = None
    field: FieldReading | None = None

    def line(self) -> str:
        """Return it as one line of text."""
        name = self.file + (f", page {self.page}" if self.page > 1 else "")
        name += f", field {printable(self.field.field.name)}" if self.field else ""
        text = self.reading.written if self.reading else ""
        parts = [f"{name}: {text or '-'}", self.status]
        if self.status in (Status.OK, Status.REVIEW) and self.reading:
            parts[1] += f" {percent(self.reading.confidence)}"
        return "  ".join([*parts, self.reason] if self.reason else parts)

    def record(self) -> dict[str, Any]:
        """Return it as a JSON object.

        Boxes are in pixels of the page as it was read, after its turn; in a form those of the digits are in pixels of
        the field as it was cut out, and `corners`, clockwise from the upper left, has the field's place on the page.
        """
        reading = self.reading
        return {
            "file": self.file,
            "page": self.page,
            "field": self.field.field.name if self.field else "",
            "text": reading.written if reading else "",
            "prediction": reading.text if reading else "",
            "confidence": round(reading.confidence, 4) if reading else 0.0,
            "status": self.status,
            "reason": self.reason,
            "codes": list(reading.codes) if reading else [],
            "corners": self.field.corners.round(1).tolist() if self.field else [],
            "turn": reading.turn if reading else 0,
            "digits": [
                {"text": digit.text, "probability": round(digit.probability, 4), "box": vars(digit.box)}
                for digit in (reading.digits if reading else ())
            ],
        }


@dataclass(frozen=True)
class ReadOptions:
    """What `read` was given besides its files: JSON or text, a folder for pictures, and one of form templates."""

    as_json: bool = False
    annotate: Path | None = None
    forms: Path | None = None


def read(config: Config, names: Sequence[str], options: ReadOptions) -> ExitCode:
    """Read files and print each page or field as soon as it is read; the code is 1 if something could not be read.

    Raises:
        UsageError: standard input holds neither an image nor names, or `annotate` can never be written.
        NoModelError: the configured model does not exist.
        FormError: a form template cannot be used.
    """
    settings = factories.load_settings(config)
    folder = output_folder("--annotate", options.annotate) if options.annotate else None
    limits, templates = settings.limits, options.forms or settings.forms
    reader = Reader(provisioning.existing_model(settings), review_below=settings.review_below, max_pixels=limits.pixels)
    forms = FormReader(schema.load(templates), lambda page: reader.read_page(page)[1]) if templates else None
    has_failed = False
    with memory_limit(limits.memory):
        for name, data in _sources(names, limits.memory // 2):
            for page in pages(Readers(reader, forms, folder), name, data):
                print(json.dumps(page.record()) if options.as_json else page.line(), flush=True)
                has_failed = has_failed or page.status == Status.FAILED
    return ExitCode.SOME_FAILED if has_failed else ExitCode.DONE


@contextlib.contextmanager
def memory_limit(size: int) -> Iterator[None]:
    """Limit the address space of this process to `size` bytes, as that of a worker; not where the system refuses it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    with contextlib.suppress(OSError, ValueError):  # macOS, or a lower limit than ours
        resource.setrlimit(resource.RLIMIT_AS, (size, hard))
    try:
        yield
    finally:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


def _sources(names: Sequence[str], largest: int) -> Iterator[tuple[str, bytes | str]]:
    """Yield each name with the bytes of its file, or with the reason why there are none."""
    for name in names:
        if name == STDIN:
            yield from _standard_input(largest)
        else:
            yield name, content(name, largest)


def _standard_input(largest: int) -> Iterator[tuple[str, bytes | str]]:
    data = _at_most(sys.stdin.buffer, largest + 1, PIECE)
    if formats.find(data[:64]) is not None:
        yield STDIN, data if len(data) <= largest else _too_large(largest)
        return
    names = [name for name in data.split(b"\0" if b"\0" in data else b"\n") if name.strip()]
    if not names:
        raise UsageError("read -: expected an image, or names of images, on standard input, found nothing")
    for name in map(os.fsdecode, names):
        yield name, content(name, largest)


def content(name: str, largest: int) -> bytes | str:
    """Return the bytes of a file, or the reason why it cannot be read; it may have `largest` bytes."""
    try:
        with open(name, "rb") as file:
            data = _at_most(file, largest + 1, os.fstat(file.fileno()).st_size + 1)
    except IsADirectoryError:
        return f"it is a folder: digitwatch --batch {printable(name)} reads the scans in it"
    except (OSError, ValueError) as error:  # a name with a zero byte
        return describe(error) if isinstance(error, OSError) else str(error)
    return data if len(data) <= largest else _too_large(largest)


def _at_most(file: IO[bytes], size: int, piece: int) -> bytes:
    """Return what a file holds, `size` bytes of it at most; in pieces, since all that is asked for is reserved."""
    pieces: list[bytes] = []
    while size and (part := file.read(min(size, max(piece, PIECE)))):
        pieces.append(part)
        size -= len(part)
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _too_large(largest: int) -> str:
    return f"the file is larger than {largest:,} bytes, half of limits.memory in config.yaml"


@dataclass(frozen=True)
class Readers:
    """What reads a scan, and the folder for its pictures, None for no pictures."""

    reader: Reader
    forms: FormReader | None = None
    folder: Path | None = None


def pages(readers: Readers, name: str, content: bytes | str) -> Iterator[PageRead]:
    """Yield the pages of a scan; the last one says why there are no more where the scan is damaged."""
    shown = "stdin" if name == STDIN else printable(name)
    number = 0
    reason = "it holds no page"
    if isinstance(content, str):
        yield PageRead(shown, 1, Status.FAILED, content)
        return
    try:
        for found in read_pages(readers.reader, readers.forms, content):
            number = found.page.number if isinstance(found, FormPage) else found[0].number
            if readers.folder is not None:
                _annotate(found, number, name, readers.folder)
            yield from _results(shown, found)
        if number:
            return
    except ImageError as error:
        reason = printable(str(error))
    except MemoryError:
        reason = "it needs more memory than limits.memory in config.yaml allows"
    yield PageRead(shown, number + 1, Status.FAILED, reason)


def _results(shown: str, found: ReadPage) -> Iterator[PageRead]:
    if isinstance(found, FormPage):
        for each in found.fields:
            reading = each.reading
            yield PageRead(shown, found.page.number, reading.status, printable(reading.reason), reading, each)
    else:
        page, reading = found
        yield PageRead(shown, page.number, reading.status, printable(reading.reason), reading)


def _annotate(found: ReadPage, number: int, name: str, folder: Path) -> None:
    from digitwatch.recognition.annotation.render import annotate  # noqa: PLC0415 (loads the font)

    base = "stdin" if name == STDIN else os.path.basename(name)
    title = printable(base) + (f", page {number}" if number > 1 else "")
    file = base if number == 1 else numbered(f"{base}.{number}", 1)
    owner = hashlib.sha256(os.fsencode(os.path.abspath(name))).hexdigest()[:16]
    picture = drawing.annotate(found, title) if isinstance(found, FormPage) else annotate(*found, title)
    publish(picture, folder, file, f"{owner}/{number}")
