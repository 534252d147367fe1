"""A worker that sleeps instead of reading: a scan is a text file that begins with its time in milliseconds.

Everything else is real: the file is read and hashed, and a picture is published. Imported into the fork server of the
local workers, it takes the place of the reading there; a Ray cluster is given SimulatedReader.
"""

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

from digitwatch import __version__
from digitwatch.log_codes import Status
from digitwatch.spool.annotated_images import publish
from digitwatch.workers.messages import Job, Outcome, PageDone, PageResult, Read, WorkerConfig
from digitwatch.workers.ray_reader import Answer, Greeting, RayReader

TEMPLATE = Path("digitwatch/recognition/annotation/templates/250x290-10.png")
PICTURE = TEMPLATE.read_bytes() + bytes(14_000)  # as large as that of a small scan


def prepare(config: WorkerConfig) -> str:
    return "simulated"


def perform(job: Job, config: WorkerConfig | None = None, progress: Callable[[PageDone], None] = print) -> Outcome:
    data = job.source.read_bytes()
    status = job.source.stat()
    time.sleep(float(data.split()[0]) / 1000)
    picture = publish(PICTURE, job.outbox, job.name, f"{job.id}/1")
    page = PageResult(1, "7", 0.99, Status.OK, "", "7:0.990", picture, text="7")
    return Read(job, hashlib.sha256(data).hexdigest(), (page,), (status.st_size, status.st_mtime_ns))


class SimulatedReader(RayReader):
    def prepare(self, config: WorkerConfig, folders: tuple[Path, ...]) -> Greeting:
        return Greeting("here", __version__, "simulated")

    def read(self, jobs: list[Job]) -> Answer:
        began = time.monotonic()
        outcomes = []
        for job in jobs:
            outcomes.append(perform(job))
            self._done += 1
        return Answer(outcomes, time.monotonic() - began)
