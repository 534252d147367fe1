"""What travels between the daemon and its workers: a job out, an outcome back."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class WorkerConfig:
    """What a worker needs for its whole life."""

    model: Path | str
    review_below: float | None
    pixels: int
    memory: int


@dataclass(frozen=True)
class Job:
    """A scan to be read: where its bytes lie and where its pictures go."""

    id: str
    name: str
    source: Path
    outbox: Path
    claimed: bool = True


@dataclass(frozen=True)
class PageResult:
    """What was read on one page, in the words of the log."""

    page: int
    prediction: str
    confidence: float
    status: str
    reason: str
    digits: str
    annotated: Path
    codes: str = ""  # ReasonCode values, separated by spaces


@dataclass(frozen=True)
class Outcome:
    """What became of a job: its pages, or the scan's own `failure`, or the world's `trouble`."""

    job: Job
    sha256: str
    pages: tuple[PageResult, ...] = ()
    failure: str = ""
    truncated: bool = False
    trouble: str = ""
    gone: bool = False
    crashed: bool = False  # the worker died; by accident or because of this scan
    model: str = ""  # name of the model that read it; nothing where none did
    stamp: tuple[int, int] | None = None  # size and modification time of the bytes that were read
