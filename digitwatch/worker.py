"""One scan from its bytes to published pictures; runs inside a worker process."""

import contextlib
import ctypes
import hashlib
import os
import resource
import signal

import cv2
import numpy as np

from digitwatch.jobs import Equipment, Job, Outcome, PageResult
from digitwatch.patience import told
from digitwatch.reading.annotate import annotate
from digitwatch.reading.classifier import ModelError
from digitwatch.reading.images import ImageError, Page
from digitwatch.reading.reader import Reader, Reading
from digitwatch.spool.filing import numbered
from digitwatch.spool.pictures import publish, withdraw
from digitwatch.spool.predictions import printable

PR_SET_PDEATHSIG = 1  # linux/prctl.h


_reader: Reader | None = None


def enlist() -> int:
    """Make this process a worker: Ctrl-C is the parent's business, and so is its death; give the pid."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with contextlib.suppress(AttributeError):  # not Linux: an orphan ends when it next reads its empty pipe
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return os.getpid()


def prepare(equipment: Equipment) -> str:
    """Load the model, prove that it answers, and set the memory limit; give the model's name.

    Raises:
        ModelError: the model cannot be used.
    """
    return _load(equipment).model


def _load(equipment: Equipment) -> Reader:
    global _reader  # noqa: PLW0603 (a process has one reader, made once)
    cv2.setNumThreads(1)
    reader = Reader(equipment.model, review_below=equipment.review_below, max_pixels=equipment.pixels)
    reader.read(_self_test())
    _, hard = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (equipment.memory, hard))
    _reader = reader
    return reader


def _self_test() -> np.ndarray:
    """Draw a plain 1 on white paper, (200, 200) uint8."""
    page = np.full((200, 200), 255, np.uint8)
    cv2.line(page, (100, 50), (100, 150), 0, 10)
    return page


def perform(job: Job, equipment: Equipment) -> Outcome:
    """Read one scan and publish its pictures; it may be killed and repeated at will.

    Trouble of the scan comes back as `failure`, trouble of the world (disk full, folder gone, model
    gone) as `trouble`; nothing is raised.
    """
    try:
        return _perform(job, _reader or _load(equipment))
    except ModelError as error:
        return Outcome(job, "", trouble=str(error))
    except FileNotFoundError as error:
        gone = error.filename == os.fspath(job.source)
        return Outcome(job, "", gone=gone, trouble="" if gone else told(error))
    except OSError as error:
        return Outcome(job, "", trouble=told(error))


def _perform(job: Job, reader: Reader) -> Outcome:
    data = _read_durably(job)
    sha256 = hashlib.sha256(data).hexdigest()
    truncated = False
    try:
        pages = tuple(_publish(job, page, reading) for page, reading in reader.read_pages(data))
        return Outcome(job, sha256, pages=pages)
    except OSError:
        raise
    except ImageError as error:
        failure, truncated = str(error), error.truncated
    except MemoryError:
        failure = "needs more memory than limits.memory in config.yaml allows"
    except Exception as error:  # whatever a scan does to the reader must cost that scan alone
        failure = f"could not be read ({type(error).__name__}: {error})"
    withdraw(job.outbox, job.name, job.id)
    return Outcome(job, sha256, failure=failure, truncated=truncated)


def _read_durably(job: Job) -> bytes:
    """Give the bytes of the scan; a claimed one is synced, since its writer may not have done so."""
    with job.source.open("rb") as file:
        data = file.read()
        if job.claimed:
            os.fsync(file.fileno())
    return data


def _publish(job: Job, page: Page, reading: Reading) -> PageResult:
    title = printable(job.name) + (f", page {page.number}" if page.number > 1 else "")
    name = job.name if page.number == 1 else numbered(f"{job.name}.{page.number}", 1)
    picture = publish(annotate(page, reading, title), job.outbox, name, f"{job.id}/{page.number}")
    return PageResult(
        page=page.number,
        prediction=reading.text,
        confidence=reading.confidence,
        status=reading.status,
        reason=reading.reason,
        digits=" ".join(f"{digit.text}:{digit.probability:.3f}" for digit in reading.digits),
        annotated=picture,
    )
