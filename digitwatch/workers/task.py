"""One scan from its bytes to published pictures; runs inside a worker process."""

import ctypes
import errno
import gc
import hashlib
import itertools
import multiprocessing.connection
import os
import resource
import signal
import stat
import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import cv2
import numpy as np

from digitwatch.errors import InputError
from digitwatch.recognition.annotation.render import annotate
from digitwatch.recognition.image.decode import ImageError, Page
from digitwatch.recognition.networks.digit_classifier import ModelError
from digitwatch.recognition.reader import Reader
from digitwatch.recognition.result import Reading
from digitwatch.spool.annotated_images import publish, withdraw
from digitwatch.spool.archive import numbered
from digitwatch.spool.claims import Claim, sync_claim
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.file_probe import LOOK
from digitwatch.system.os_errors import describe
from digitwatch.workers.messages import Job, Outcome, PageResult, WorkerConfig

TIDY = 200  # scans after which a worker tidies its memory; that takes a few milliseconds

_performed = itertools.count(1)
_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's alone
_reader: Reader | None = None
_beside = ThreadPoolExecutor(1)  # waits for the disk while the reader reads; its thread begins with the first scan


def attend() -> None:
    """Make this process a worker, before it waits for its first job: Ctrl-C is the parent's, its end is ours."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _hush() -> None:
    """Let decoders talk to nobody: libjpeg and libpng write about damaged files, not saying which."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    os.close(nowhere)


def _end_with_parent() -> None:
    """End when the daemon has died without a word, in the middle of a job too."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)


def prepare(equipment: WorkerConfig) -> str:
    """Load the model, prove that it answers, and set the memory limit; give the model's name.

    Raises:
        ModelError: the model cannot be used.
    """
    model = _load(equipment).model
    _hush()  # from here on what is worth telling comes back with the outcome
    return model


def _load(equipment: WorkerConfig) -> Reader:
    global _reader  # noqa: PLW0603 (a process has one reader, made once)
    cv2.setNumThreads(1)
    reader = Reader(equipment.model, review_below=equipment.review_below, max_pixels=equipment.pixels)
    page = _self_test()
    annotate(Page(1, page), reader.read(page), "self-test")  # draws too, so that the first scan need not wait
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (equipment.memory, hard))
    _reader = reader
    gc.freeze()  # what is loaded now stays: the search for what is no longer needed can pass it over
    return reader


def _self_test() -> np.ndarray:
    """Draw a plain 1 on white paper, (200, 200) uint8."""
    page = np.full((200, 200), 255, np.uint8)
    cv2.line(page, (100, 50), (100, 150), 0, 10)
    return page


def perform(job: Job, equipment: WorkerConfig) -> Outcome:
    """Read one scan and publish its pictures; it may be killed and repeated at will.

    Trouble of the scan comes back as `failure`, trouble of the world (disk full, folder gone, model
    gone) as `trouble`; nothing is raised.
    """
    if next(_performed) % TIDY == 0:
        tidy()
    try:
        return _perform(job, _reader or _load(equipment))
    except ModelError as error:
        return Outcome(job, "", trouble=str(error))
    except FileNotFoundError as error:
        gone = error.filename == os.fspath(job.source)
        return Outcome(job, "", gone=gone, trouble="" if gone else describe(error))
    except OSError as error:
        return Outcome(job, "", trouble=describe(error))


def tidy() -> None:
    """Give back what the heap holds in vain: between what is kept, room for pictures long gone adds up over scans."""
    gc.collect()
    if _trim is not None:
        _trim(0)


def _perform(job: Job, reader: Reader) -> Outcome:
    try:
        data, stamp, durable = _read_durably(job)
    except _NoFileError as error:
        return Outcome(job, "", failure=str(error))
    sha256 = hashlib.sha256(data).hexdigest()
    failure, truncated = "it holds no page", False
    try:
        pages = tuple(_publish(job, page, reading, durable) for page, reading in _read_pages(reader, data))
        if pages:
            return Outcome(job, sha256, pages=pages, stamp=stamp)
    except OSError:  # of the publishing alone; see _read_pages
        raise
    except ImageError as error:
        failure, truncated = str(error), error.truncated
    except MemoryError:
        failure = "it needs more memory than limits.memory in config.yaml allows"
    except Exception as error:  # whatever a scan does to the reader must cost that scan alone
        failure = f"it confused the reader ({type(error).__name__}: {error}): a bug in digitwatch, please report it"
    durable.result()  # before the failure is reported, too
    withdraw(job.outbox, job.name, job.id)
    return Outcome(job, sha256, failure=failure, truncated=truncated, stamp=stamp)


def _read_pages(reader: Reader, data: bytes) -> Iterator[tuple[Page, Reading]]:
    """Read what is in memory already: an OSError here is a decoder's word on the scan, not the world's."""
    try:
        yield from reader.read_pages(data)
    except OSError as error:
        raise ImageError(f"It could not be decoded ({error}).") from error


class _NoFileError(InputError):
    """What lies in the place of the scan is no plain file."""


def _read_durably(job: Job) -> tuple[bytes, tuple[int, int], Future[None]]:
    """Give the bytes of the scan, the stamp of the file before they were read, and when all of it is durable.

    A claimed scan is synced, since its writer may not have done so, and so is its claim: that goes on beside the
    reading, which is pure. Links are not followed, and nobody is waited for.
    """
    try:
        handle = os.open(job.source, LOOK if job.claimed else LOOK & ~os.O_NOFOLLOW)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENXIO):
            raise _NoFileError("it is no plain file but a link, pipe, socket or device") from error
        raise
    status = os.fstat(handle)
    if not stat.S_ISREG(status.st_mode):
        os.close(handle)
        raise _NoFileError("it is no plain file but a folder, pipe, socket or device")
    try:
        with open(handle, "rb", closefd=False) as file:
            data = file.read()
    except (OSError, MemoryError):
        os.close(handle)
        raise
    return data, (status.st_size, status.st_mtime_ns), _beside.submit(_make_durable, job, handle)


def _make_durable(job: Job, handle: int) -> None:
    """Sync a claimed scan and its claim, and close it."""
    try:
        if job.claimed:
            os.fsync(handle)
            sync_claim(Claim(job.id, job.name, job.source))
    finally:
        os.close(handle)


def _publish(job: Job, page: Page, reading: Reading, durable: Future[None]) -> PageResult:
    """Draw a page and publish its picture, once its scan is `durable`: there is no picture of a scan that is not."""
    title = printable(job.name) + (f", page {page.number}" if page.number > 1 else "")
    name = job.name if page.number == 1 else numbered(f"{job.name}.{page.number}", 1)
    drawn = annotate(page, reading, title)
    durable.result()
    picture = publish(drawn, job.outbox, name, f"{job.id}/{page.number}")
    return PageResult(
        page=page.number,
        prediction=reading.text,
        confidence=reading.confidence,
        status=reading.status,
        reason=reading.reason,
        digits=" ".join(f"{digit.text.replace(' ', '_')}:{digit.probability:.3f}" for digit in reading.digits),
        annotated=picture,
        codes=" ".join(reading.codes),
    )
