"""`digitwatch evaluate --scans`: labelled scans are read as `digitwatch read` does, and the readings are counted."""

from dataclasses import dataclass
from pathlib import Path

from digitwatch.cli import factories
from digitwatch.cli.factories import Config
from digitwatch.cli.progress import progress
from digitwatch.cli.read import Readers, content, memory_limit, pages
from digitwatch.errors import ExitCode
from digitwatch.log_codes import Status
from digitwatch.models import provisioning
from digitwatch.recognition.reader import Reader
from digitwatch.spool.csv_rows import printable
from digitwatch.training.evaluation import scan_labels, scans
from digitwatch.training.evaluation.scan_labels import Label
from digitwatch.training.evaluation.scans import LabelledReading
from digitwatch.web.texts import percent


@dataclass(frozen=True)
class ScanOptions:
    """What is measured and printed: a CSV file with labels, the folder of its scans (None for its own), the model.

    model: a name or path, None for the configured one. lists_wrong: a line for each wrong reading, not only for what
    cannot be read.
    """

    labels: Path
    folder: Path | None = None
    model: str | None = None
    lists_wrong: bool = False
    is_quiet: bool = False


def evaluate(config: Config, options: ScanOptions) -> ExitCode:
    """Read labelled scans and print how many are right; the code is 1 if something could not be read.

    Whole pages are read, without form templates.

    Raises:
        DataError: the labels cannot be used, or a scan is missing.
        ModelError: the model that is named cannot be used.
        NoModelError: the configured model does not exist.
    """
    settings = factories.load_settings(config)
    labels = scan_labels.load(options.labels, options.folder)
    limits, model = settings.limits, options.model or provisioning.existing_model(settings)
    reader = Reader(model, review_below=settings.review_below, max_pixels=limits.pixels)
    found: list[LabelledReading] = []
    with memory_limit(limits.memory), progress(len(labels), is_quiet=options.is_quiet) as step:
        for label in labels:
            found.append(_read(reader, label, limits.memory // 2))
            step()
    print(f"model {reader.model}", *scans.table(found), *scans.measures(found), sep="\n")
    for reading in scans.mistakes(found):
        if options.lists_wrong or reading.status == Status.FAILED:
            print(_line(reading))
    return ExitCode.SOME_FAILED if any(each.status == Status.FAILED for each in found) else ExitCode.DONE


def _read(reader: Reader, label: Label, largest: int) -> LabelledReading:
    """Return what is read on a scan of `largest` bytes at most; where a page fails the scan does."""
    name = str(label.path)
    found = list(pages(Readers(reader), name, content(name, largest)))
    if found[-1].status == Status.FAILED:
        return scans.failed(label, found[-1].reason)
    return scans.joined(label, [page.reading for page in found if page.reading])


def _line(reading: LabelledReading) -> str:
    """Return what was expected and what was read, as one line of text."""
    expected, read = (printable(text) or "-" for text in (reading.label.text, reading.written))
    parts = [f"{printable(reading.label.file)}: expected {expected}, read {read}", str(reading.status)]
    if reading.status in (Status.OK, Status.REVIEW):
        parts[1] += f" {percent(reading.confidence)}"
    return "  ".join([*parts, reading.reason] if reading.reason else parts)
