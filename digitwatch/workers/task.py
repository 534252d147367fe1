"""One scan from its bytes to published pictures; runs inside a worker process."""

import contextlib
import ctypes
import errno
import gc
import hashlib
import itertools
import os
import resource
import signal
import stat
from collections import OrderedDict
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from digitwatch.errors import InputError
from digitwatch.forms import drawing, schema
from digitwatch.forms.form_reader import FormPage, FormReader
from digitwatch.forms.scan_pages import ReadPage, read_pages
from digitwatch.recognition.annotation.render import annotate
from digitwatch.recognition.image.decode import ImageError, Page
from digitwatch.recognition.networks.digit_classifier import ModelError
from digitwatch.recognition.reader import Reader
from digitwatch.recognition.result import Reading
from digitwatch.spool.annotated_images import publish, withdraw
from digitwatch.spool.archive import numbered
from digitwatch.spool.claims import Claim, sync_claim
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.durable_io import open_folder
from digitwatch.spool.file_probe import OPEN_FLAGS
from digitwatch.spool.folder_probe import can_list, can_write
from digitwatch.system.child_process import end_with_parent
from digitwatch.system.os_errors import describe
from digitwatch.workers import page_journal
from digitwatch.workers.messages import (
    FileVersion,
    Gone,
    Job,
    Outcome,
    PageDone,
    PageResult,
    Read,
    Rejected,
    Retry,
    WorkerConfig,
)
from digitwatch.workers.page_journal import PageJournal

HELD = 6  # configurations (model, threshold, forms) that a worker holds: 26 MB the first, about 8 MB each further one
TRIM_EVERY = 200  # scans after which a worker returns unused memory; that takes a few milliseconds

_performed = itertools.count(1)
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc only
_loaded: "OrderedDict[WorkerConfig, _Loaded]" = OrderedDict()  # the newest used last
_syncing = ThreadPoolExecutor(1)  # waits for the disk during the reading; its thread starts with the first scan


def attach_to_parent() -> None:
    """Prepare this process to be a worker: ignore Ctrl-C, which the parent handles, and end when the parent ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    end_with_parent()


def _silence_stderr() -> None:
    """Discard what decoders write: libjpeg and libpng complain about damaged files without naming them."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    os.close(null)


def prepare(config: WorkerConfig, reserved: int = 0) -> str:
    """Load the model, test that it answers, set the memory limit, and return the model's name.

    `reserved` bytes of address space are taken by others in this process, and do not count.

    Raises:
        ModelError: the model cannot be used.
    """
    model = _load(config, reserved).reader.model
    _silence_stderr()  # from here on errors are part of the outcome
    return model


@dataclass(frozen=True)
class _Loaded:
    """What reads the scans of one configuration; `templates` is the digest of the files of its forms."""

    reader: Reader
    forms: FormReader | None
    templates: str


def _load(config: WorkerConfig, reserved: int = 0) -> _Loaded:
    """Return what reads with a configuration; of more than HELD, the one that was not used for longest is dropped."""
    if config in _loaded:
        _loaded.move_to_end(config)
        return _loaded[config]
    while len(_loaded) >= HELD:
        _loaded.popitem(last=False)
    cv2.setNumThreads(1)
    reader = Reader(config.model, review_below=config.review_below, max_pixels=config.pixels)
    page = _self_test()
    annotate(Page(1, page), reader.read(page), "self-test")  # draws too, so that the first scan need not wait
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (config.memory + reserved, hard))
    forms = None
    if config.forms is not None:
        forms = FormReader(schema.load(config.forms), lambda page: reader.read_page(page)[1])
    templates = schema.digest(config.forms)
    _loaded[config] = _Loaded(reader, forms, templates)
    gc.freeze()  # what is loaded now stays: the garbage collector can skip it
    return _loaded[config]


def _self_test() -> np.ndarray:
    """Return a 1 on white paper, (200, 200) uint8."""
    page = np.full((200, 200), 255, np.uint8)
    cv2.line(page, (100, 50), (100, 150), 0, 10)
    return page


def perform(job: Job, config: WorkerConfig, progress: Callable[[PageDone], None] = lambda page: None) -> Outcome:
    """Read one scan and publish its pictures; it may be killed and repeated at any time.

    `progress` is called after each page but the first.

    Nothing is raised: an input error is returned as `Rejected`, an environment error (disk full, folder gone,
    model gone) as `Retry`.
    """
    if next(_performed) % TRIM_EVERY == 0:
        trim_memory()
    try:
        return _perform(job, config, progress)
    except ModelError as error:
        return Retry(job, str(error))
    except FileNotFoundError as error:
        return Gone(job) if error.filename == os.fspath(job.source) else _retry(job, error)
    except OSError as error:
        return _retry(job, error)


def trim_memory() -> None:
    """Return unused memory to the system: the heap keeps the space of earlier images, and grows over many scans."""
    gc.collect()
    if _trim is not None:
        _trim(0)


def _retry(job: Job, error: OSError) -> Retry:
    """Return the environment error, and whether it concerns this scan only: the folders around it work."""
    return Retry(job, describe(error), only_this_scan=_folder_of_scan_works(job) and _outbox_works(job))


def _folder_of_scan_works(job: Job) -> bool:
    if not job.claimed:  # nothing may be written there
        return can_list(job.source.parent)
    return can_write(Claim(job.id, job.name, job.source).claims_folder, f"{job.id}.")


def _outbox_works(job: Job) -> bool:
    with contextlib.suppress(OSError), open_folder(job.outbox.parent, job.outbox, make=True):
        return can_write(job.outbox, f".{job.id}-")
    return False


def _perform(job: Job, config: WorkerConfig, progress: Callable[[PageDone], None]) -> Outcome:
    loaded = _load(config)
    try:
        data, version, durable = _read_durably(job, config.largest_file)
    except _UnreadableError as error:
        return Rejected(job, str(error))
    sha256 = hashlib.sha256(data).hexdigest()
    reason, truncated = "it holds no page", False
    try:
        settings = f"{loaded.reader.model} {config} {loaded.templates}"
        journal = PageJournal(page_journal.place(job), f"{sha256} {settings}")
        pages = tuple(_publish_all(job, _Source(loaded, data), journal, durable, progress))
        if pages:
            return Read(job, sha256, pages, version)
    except OSError:  # raised by the publishing only; see read_pages
        raise
    except ImageError as error:
        reason, truncated = str(error), error.truncated
    except MemoryError:
        reason = "it needs more memory than limits.memory in config.yaml allows"
    except Exception as error:  # a bug in the recognition must not stop other scans
        reason = (
            f"internal error while reading ({type(error).__name__}: {error}): a bug in digitwatch, please report it"
        )
    durable.result()  # before the failure is reported, too
    withdraw(job.outbox, job.name, job.id)
    return Rejected(job, reason, sha256, version, truncated)


@dataclass(frozen=True)
class _Source:
    """The bytes of a scan, and what reads them."""

    loaded: _Loaded
    data: bytes

    def pages(self, first: int) -> Iterator[ReadPage]:
        """Read the pages from number `first` on."""
        return read_pages(self.loaded.reader, self.loaded.forms, self.data, first)


def _publish_all(
    job: Job, source: _Source, journal: PageJournal, durable: Future[None], progress: Callable[[PageDone], None]
) -> Iterator[PageResult]:
    """Publish the pages one by one; those that an interrupted run has published are not read again."""
    known = journal.known()
    yield from known
    for found in source.pages(1 + (known[-1].page if known else 0)):
        if isinstance(found, FormPage):
            results = list(_publish_form(job, found, durable))
        else:
            results = [_publish(job, *found, durable)]
        journal.add(results)
        yield from results
        if results[0].page > 1:
            progress(PageDone(job))


class _UnreadableError(InputError):
    """The scan is not a plain file, or is larger than any scan can be."""


def _read_durably(job: Job, largest: int) -> tuple[bytes, FileVersion, Future[None]]:
    """Return the bytes of the scan, the version of the file before they were read, and a future of its durability.

    A claimed scan is synced, since its writer may not have done so, and so is its claim, in a second thread during
    the reading, which changes nothing on disk. Links are not followed, and opening does not block.
    """
    handle = _open_scan(job)
    try:
        status = os.fstat(handle)
        _check_file(status, largest)
        with open(handle, "rb", closefd=False) as file:
            data = file.read()
    except BaseException:
        os.close(handle)
        raise
    return data, (status.st_size, status.st_mtime_ns), _syncing.submit(_make_durable, job, handle)


def _open_scan(job: Job) -> int:
    try:
        return os.open(job.source, OPEN_FLAGS if job.claimed else OPEN_FLAGS & ~os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _UnreadableError("it is no plain file but a link, pipe, socket or device") from error
        raise


def _check_file(status: os.stat_result, largest: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise _UnreadableError("it is no plain file but a folder, pipe, socket or device")
    if status.st_size > largest:
        raise _UnreadableError(
            f"the file has {status.st_size:,} bytes; the limit is {largest:,}, half of limits.memory in config.yaml"
        )


def _make_durable(job: Job, handle: int) -> None:
    """Sync a claimed scan and its claim, and close the scan."""
    try:
        if job.claimed:
            os.fsync(handle)
            sync_claim(Claim(job.id, job.name, job.source))
    finally:
        os.close(handle)


def _publish(job: Job, page: Page, reading: Reading, durable: Future[None]) -> PageResult:
    """Draw a page and publish its picture once its scan is `durable`: no picture may outlive its scan."""
    picture = _publish_picture(job, page.number, annotate(page, reading, _title(job, page.number)), durable)
    return _result(page.number, reading, picture)


def _publish_form(job: Job, found: FormPage, durable: Future[None]) -> Iterator[PageResult]:
    """Draw a page with its fields and publish its picture, as `_publish` does; yield one result a field."""
    number = found.page.number
    picture = _publish_picture(job, number, drawing.annotate(found, _title(job, number)), durable)
    for each in found.fields:
        yield _result(number, each.reading, picture, each.field.name)


def _title(job: Job, number: int) -> str:
    return printable(job.name) + (f", page {number}" if number > 1 else "")


def _publish_picture(job: Job, number: int, drawn: bytes, durable: Future[None]) -> Path:
    name = job.name if number == 1 else numbered(f"{job.name}.{number}", 1)
    durable.result()
    return publish(drawn, job.outbox, name, f"{job.id}/{number}")


def _result(number: int, reading: Reading, picture: Path, field: str = "") -> PageResult:
    return PageResult(
        page=number,
        prediction=reading.text,
        confidence=reading.confidence,
        status=reading.status,
        reason=reading.reason,
        digits=" ".join(f"{digit.text.replace(' ', '_')}:{digit.probability:.3f}" for digit in reading.digits),
        annotated=picture,
        codes=" ".join(reading.codes),
        text=reading.written,
        field=field,
    )
