"""`digitwatch read`: files, or what comes on standard input, to results on standard output; nothing is moved."""

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from digitwatch.cli import factories
from digitwatch.cli.outputs import output_folder
from digitwatch.errors import ExitCode, UsageError
from digitwatch.log_codes import Status
from digitwatch.models import provisioning
from digitwatch.recognition.image import formats
from digitwatch.recognition.image.decode import ImageError, Page
from digitwatch.recognition.reader import Reader
from digitwatch.recognition.result import Reading
from digitwatch.spool.annotated_images import publish
from digitwatch.spool.archive import numbered
from digitwatch.spool.csv_rows import printable
from digitwatch.system.os_errors import describe
from digitwatch.web.texts import percent

STDIN = "-"


@dataclass(frozen=True)
class PageRead:
    """What is printed of one page; a scan that could not be read has one with status `failed`."""

    file: str
    page: int
    status: str
    reason: str = ""
    reading: Reading | None = None

    def line(self) -> str:
        """Return it as one line of text."""
        name = self.file + (f", page {self.page}" if self.page > 1 else "")
        text = self.reading.written if self.reading else ""
        parts = [f"{name}: {text or '-'}", self.status]
        if self.status in (Status.OK, Status.REVIEW) and self.reading:
            parts[1] += f" {percent(self.reading.confidence)}"
        return "  ".join([*parts, self.reason] if self.reason else parts)

    def record(self) -> dict[str, Any]:
        """Return it as a JSON object; boxes are in pixels of the page as it was read, after its turn."""
        reading = self.reading
        return {
            "file": self.file,
            "page": self.page,
            "field": "",
            "text": reading.written if reading else "",
            "prediction": reading.text if reading else "",
            "confidence": round(reading.confidence, 4) if reading else 0.0,
            "status": self.status,
            "reason": self.reason,
            "codes": list(reading.codes) if reading else [],
            "turn": reading.turn if reading else 0,
            "digits": [
                {"text": digit.text, "probability": round(digit.probability, 4), "box": vars(digit.box)}
                for digit in (reading.digits if reading else ())
            ],
        }


def read(path: Path | None, names: Sequence[str], *, as_json: bool, annotate: Path | None) -> ExitCode:
    """Read files and print each page as soon as it is read; the code is 1 if something could not be read.

    Raises:
        UsageError: standard input holds neither an image nor names, or `annotate` can never be written.
        NoModelError: the configured model does not exist.
    """
    settings = factories.load_settings(path)
    folder = output_folder("--annotate", annotate) if annotate else None
    limits = settings.limits
    reader = Reader(provisioning.existing_model(settings), review_below=settings.review_below, max_pixels=limits.pixels)
    has_failed = False
    for name, content in _sources(names, limits.memory // 2):
        for page in _pages(reader, name, content, folder):
            print(json.dumps(page.record()) if as_json else page.line(), flush=True)
            has_failed = has_failed or page.status == Status.FAILED
    return ExitCode.SOME_FAILED if has_failed else ExitCode.DONE


def _sources(names: Sequence[str], largest: int) -> Iterator[tuple[str, bytes | str]]:
    """Yield each name with the bytes of its file, or with the reason why there are none."""
    for name in names:
        if name == STDIN:
            yield from _standard_input(largest)
        else:
            yield name, _content(name, largest)


def _standard_input(largest: int) -> Iterator[tuple[str, bytes | str]]:
    data = sys.stdin.buffer.read(largest + 1)
    if formats.find(data[:64]) is not None:
        yield STDIN, data if len(data) <= largest else _too_large(largest)
        return
    names = [name for name in data.split(b"\0" if b"\0" in data else b"\n") if name.strip()]
    if not names:
        raise UsageError("read -: expected an image, or names of images, on standard input, found nothing")
    for name in map(os.fsdecode, names):
        yield name, _content(name, largest)


def _content(name: str, largest: int) -> bytes | str:
    try:
        with open(name, "rb") as file:
            data = file.read(largest + 1)
    except IsADirectoryError:
        return f"it is a folder: digitwatch --batch {printable(name)} reads the scans in it"
    except (OSError, ValueError) as error:  # a name with a zero byte
        return describe(error) if isinstance(error, OSError) else str(error)
    return data if len(data) <= largest else _too_large(largest)


def _too_large(largest: int) -> str:
    return f"the file is larger than {largest:,} bytes, half of limits.memory in config.yaml"


def _pages(reader: Reader, name: str, content: bytes | str, folder: Path | None) -> Iterator[PageRead]:
    """Yield the pages of a scan; the last one says why there are no more where the scan is damaged."""
    shown = "stdin" if name == STDIN else printable(name)
    number = 0
    if isinstance(content, str):
        yield PageRead(shown, 1, Status.FAILED, content)
        return
    try:
        for page, reading in reader.read_pages(content):
            number = page.number
            if folder is not None:
                _annotate(page, reading, name, folder)
            yield PageRead(shown, number, reading.status, printable(reading.reason), reading)
        if not number:
            yield PageRead(shown, 1, Status.FAILED, "it holds no page")
    except ImageError as error:
        yield PageRead(shown, number + 1, Status.FAILED, printable(str(error)))
    except MemoryError:
        yield PageRead(shown, number + 1, Status.FAILED, "it needs more memory than there is")


def _annotate(page: Page, reading: Reading, name: str, folder: Path) -> None:
    from digitwatch.recognition.annotation.render import annotate  # noqa: PLC0415 (loads the font)

    base = "stdin" if name == STDIN else os.path.basename(name)
    title = printable(base) + (f", page {page.number}" if page.number > 1 else "")
    file = base if page.number == 1 else numbered(f"{base}.{page.number}", 1)
    owner = hashlib.sha256(os.fsencode(os.path.abspath(name))).hexdigest()[:16]
    publish(annotate(page, reading, title), folder, file, f"{owner}/{page.number}")
