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


def without_paths(site: WebSettings, text: str) -> str:
    """Give a text with the places of the machine written as the names that they have in config.yaml."""
    known = sorted(site.folders.items(), key=lambda item: -len(os.fspath(item[1])))
    for name, folder in (*known, ("", site.places.base)):
        path = os.fspath(folder)
        if path != "/":
            text = re.sub(rf"{re.escape(path)}(?=/|\W|$)", name or ".", text)
    return text
