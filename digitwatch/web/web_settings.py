"""What the page is handed: the folders, the files and the limits of one digitwatch."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from digitwatch.spool.folders import Folders


@dataclass(frozen=True)
class WebSettings:
    """All that the page knows of the settings."""

    places: Folders
    predictions: Path
    corrections: Path
    model: Callable[[], Path | str]  # the one that reads now; a taught one may take over while the page runs
    pixels: int  # of one page of a scan, at most
    min_free: int  # bytes
    upload: int  # bytes of one file, at most
    token: str = ""
    hosts: tuple[str, ...] = ()

    @property
    def ended_sessions(self) -> Path:
        """The file that keeps which sessions were ended by signing out, beside corrections.csv."""
        return self.corrections.with_name(".digitwatch-ended-sessions")

    @property
    def folders(self) -> dict[str, Path]:
        """The folders by the names that they have in config.yaml."""
        places = self.places
        return {
            "inbox": places.inbox,
            "outbox": places.outbox,
            "archive": places.archive,
            "failed": places.failed,
            "predictions": self.predictions.parent,
        }


def path_remover(site: WebSettings) -> Callable[[str], str]:
    """Return a function that writes the folders of this machine in a text as their names in config.yaml."""
    names = {os.fspath(folder): name for name, folder in site.folders.items()}
    names.setdefault(os.fspath(site.places.base), ".")
    paths = sorted((path for path in names if path != "/"), key=len, reverse=True)
    if not paths:
        return lambda text: text
    pattern = re.compile(rf"({'|'.join(map(re.escape, paths))})(?=/|\W|$)")
    return lambda text: pattern.sub(lambda found: names[found[1]], text)


def without_paths(site: WebSettings, text: str) -> str:
    """Return a text with the folders of this machine written as their names in config.yaml."""
    return path_remover(site)(text)
