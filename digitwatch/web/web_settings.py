"""Settings of the web interface: folders, files and limits of one installation."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from digitwatch.sinks.lag import Lag
from digitwatch.spool.folders import Folders
from digitwatch.spool.ignored_names import IGNORED, IgnoredNames


@dataclass(frozen=True)
class WebSettings:
    """The settings that the web interface needs."""

    places: Folders
    predictions: Path
    corrections: Path
    model: Callable[[], Path | str]  # the one in use; a fine-tuned one may replace it while the server runs
    pixels: int  # maximum of one page of a scan
    min_free: int  # bytes
    upload: int  # bytes of one file, maximum
    token: str = ""
    hosts: tuple[str, ...] = ()
    ignored: IgnoredNames = IGNORED
    forms: Path | None = None  # the folder of form templates
    sinks: Callable[[], list[Lag]] = list  # how far each is behind the log
    profile: str = ""  # its name, where the configuration has several

    @property
    def ended_sessions(self) -> Path:
        """The file that keeps which sessions were ended by signing out, beside corrections.csv."""
        return self.corrections.with_name(".digitwatch-ended-sessions")

    @property
    def deletions(self) -> Path:
        """The file that keeps which failed scans were deleted, beside corrections.csv."""
        return self.corrections.with_name("deletions.csv")

    @property
    def folders(self) -> dict[str, Path]:
        """The folders by their names in config.yaml."""
        places = self.places
        return {
            "inbox": places.inbox,
            "outbox": places.outbox,
            "archive": places.archive,
            "failed": places.failed,
            "predictions": self.predictions.parent,
        }


def path_remover(settings: WebSettings) -> Callable[[str], str]:
    """Return a function that writes the folders of this machine in a text as their names in config.yaml."""
    names = {os.fspath(folder): name for name, folder in settings.folders.items()}
    names.setdefault(os.fspath(settings.places.base), ".")
    paths = sorted((path for path in names if path != "/"), key=len, reverse=True)
    if not paths:
        return lambda text: text
    pattern = re.compile(rf"({'|'.join(map(re.escape, paths))})(?=/|\W|$)")
    return lambda text: pattern.sub(lambda found: names[found[1]], text)


def without_paths(settings: WebSettings, text: str) -> str:
    """Return a text with the folders of this machine written as their names in config.yaml."""
    return path_remover(settings)(text)
