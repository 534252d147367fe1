"""Reviewed pages for training: corrections, joined with the paths of the originals."""

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from digitwatch.spool import correction_log
from digitwatch.spool.filed import NotThereError, open_filed
from digitwatch.spool.folders import Folders
from digitwatch.spool.log_search import all_rows


class Reviewed(NamedTuple):
    """A page and its corrected text as in corrections.csv; `filed` is the path of the original according to the log."""

    scan: str
    page: int
    text: str
    filed: str


def pages(predictions: Path, corrections: Path, rotated: Path | None = None) -> Iterator[Reviewed]:
    """Yield each corrected or confirmed page in the order of the corrections.

    `rotated` is a folder with rotated logs, besides that of the log.

    Raises:
        OSError: the log or the corrections cannot be read.
    """
    known = correction_log.read(corrections)
    filed = {
        (row.id, row.page): row.filed
        for row, _ in all_rows(predictions, rotated=rotated)
        if (row.id, row.page) in known
    }
    for key, correction in known.items():
        if correction.page.isascii() and correction.page.isdigit():
            yield Reviewed(correction.sha256, int(correction.page), correction.now, filed.get(key, ""))


def content(folders: Folders, page: Reviewed) -> bytes:
    """Return the bytes of the original of a reviewed page.

    Raises:
        OSError: it is not at the path in the log, or has changed.
    """
    try:
        with open_filed(folders.base, page.filed, (folders.archive,)) as file:
            data = file.read()
    except NotThereError:
        raise FileNotFoundError(errno.ENOENT, "the original is not at the path in the log", page.filed) from None
    if hashlib.sha256(data).hexdigest() != page.scan:
        raise FileNotFoundError(errno.ENOENT, "another file is at the path of the original", page.filed)
    return data
