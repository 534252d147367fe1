"""The folders of the spool."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Folders:
    """The folders that a scan passes through; the log's paths are relative to `base`."""

    inbox: Path
    outbox: Path
    archive: Path
    failed: Path
    base: Path
