"""The actor of a Ray cluster: one process on a node, which reads scans as a local worker does."""

import os
import socket
import time
from dataclasses import dataclass
from pathlib import Path

from digitwatch import __version__
from digitwatch.workers.messages import Job, Outcome, PageDone, WorkerConfig

PROGRESS = "progress"  # concurrency group with a thread of its own: it answers while a scan is read


@dataclass(frozen=True)
class Greeting:
    """What an actor says before its first batch; `problem` is why it cannot work."""

    node: str
    version: str
    model: str
    problem: str = ""


@dataclass(frozen=True)
class Answer:
    """The outcomes of a batch, in order, and the seconds that it took."""

    outcomes: list[Outcome]
    seconds: float


class RayReader:
    """Reads batches of scans; `progress` may be called meanwhile, in the concurrency group PROGRESS."""

    def __init__(self) -> None:
        """Start with nothing read."""
        self._done = 0  # scans and pages

    def prepare(self, config: WorkerConfig, folders: tuple[Path, ...]) -> Greeting:
        """Load the model; `folders` are those of the shared storage that must be there."""
        from digitwatch.workers import task  # noqa: PLC0415 (loads OpenCV, on the node only)

        node = socket.gethostname()
        if missing := [str(folder) for folder in folders if not folder.is_dir()]:
            return Greeting(node, __version__, "", f"{missing[0]} is not there; mount the shared storage")
        self._config = config
        self._task = task
        try:
            return Greeting(node, __version__, task.prepare(config, _address_space()))  # Ray itself maps gigabytes
        except Exception as error:  # any error of the model's loader is reported as it is
            return Greeting(node, __version__, "", str(error) or repr(error))

    def read(self, jobs: list[Job]) -> Answer:
        """Read a batch of scans, in order."""
        outcomes: list[Outcome] = []
        began = time.monotonic()
        for job in jobs:
            outcomes.append(self._task.perform(job, self._config, self._count))
            self._done += 1
        return Answer(outcomes, time.monotonic() - began)

    def progress(self) -> int:
        """Return how many scans and pages were read so far."""
        return self._done

    def _count(self, _: PageDone) -> None:
        self._done += 1


def _address_space() -> int:
    """Return the size of this process's address space in bytes."""
    with open("/proc/self/statm", "rb") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
