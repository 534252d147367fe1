"""Messages between the daemon and its workers: a job in, an outcome out.

Read      pages were read and their pictures published
Rejected  input error: this scan cannot be read, and the reason says why
Retry     environment error: nothing is known about the scan; read it again later
Gone      the file is no longer where the job says
Crashed   the worker died while it read this scan: by accident, or because of it
"""

from dataclasses import dataclass
from pathlib import Path

from digitwatch.log_codes import Status


@dataclass(frozen=True)
class WorkerConfig:
    """What a worker process needs to start; `pixels` and `memory` (bytes) are the limits of one scan.

    `templates` is the digest of the form templates when they were last read: other ones need other workers.
    """

    model: Path | str
    review_below: float | None
    pixels: int
    memory: int
    forms: Path | None = None  # folder of form templates
    templates: str = ""

    @property
    def largest_file(self) -> int:
        """Return the size in bytes above which a file is rejected unread: half of the memory, the rest decodes it."""
        return self.memory // 2


@dataclass(frozen=True)
class Job:
    """A scan to be read: the path of its bytes and the folder of its pictures; `profile` says with which settings."""

    id: str
    name: str
    source: Path
    outbox: Path
    claimed: bool = True
    profile: str = ""


@dataclass(frozen=True)
class PageResult:
    """What was read on one page or in one form field; each attribute is the column of the log with its name."""

    page: int
    prediction: str
    confidence: float
    status: Status
    reason: str
    digits: str
    annotated: Path
    codes: str = ""  # ReasonCode values, separated by spaces
    text: str = ""  # the number as written, with its signs
    field: str = ""  # name of the field; empty for a whole page
    expected: str = ""  # the value before it in its series, where it is not `ok`


FileVersion = tuple[int, int]
"""Size in bytes and modification time in nanoseconds: a file that has another version was written to."""


@dataclass(frozen=True)
class PageDone:
    """A page of a scan of several was read: the time limit of the next page begins. No outcome; more follows."""

    job: Job


@dataclass(frozen=True)
class Read:
    """A scan that was read: its pages, and the version of the file that they were read from."""

    job: Job
    sha256: str
    pages: tuple[PageResult, ...]
    version: FileVersion | None = None
    model: str = ""


@dataclass(frozen=True)
class Rejected:
    """An input error: the scan goes to failed/. `sha256` is empty where the worker could not compute it."""

    job: Job
    reason: str
    sha256: str = ""
    version: FileVersion | None = None
    truncated: bool = False  # the file ends too early, and may still be growing
    model: str = ""


@dataclass(frozen=True)
class Retry:
    """An environment error: the scan is to be read again later.

    `only_this_scan`: a probe beside the scan and in its outbox worked, so that other scans can be read meanwhile.
    """

    job: Job
    reason: str
    only_this_scan: bool = False


@dataclass(frozen=True)
class Gone:
    """The file of the scan is no longer there."""

    job: Job


@dataclass(frozen=True)
class Crashed:
    """The worker process died while it read the scan."""

    job: Job


Result = Read | Rejected
"""What ends in a row of the log."""

Outcome = Read | Rejected | Retry | Gone | Crashed
