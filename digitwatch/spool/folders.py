"""The folders between which scans travel."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folders:
    """The folders between which scans travel; the log's paths are relative to `base`."""

    inbox: Path
    outbox: Path
    archive: Path
    failed: Path
    base: Path
