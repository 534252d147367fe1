"""The pages that people have looked at: their corrections, joined with where the originals were filed."""

import errno
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from digitwatch.spool import correction_log
from digitwatch.spool.filed import NotThereError, find
from digitwatch.spool.folders import Folders
from digitwatch.spool.log_search import all_rows


class Reviewed(NamedTuple):
    """A page and what a person says of it, as in corrections.csv; `filed` is where the log says its scan lies."""

    scan: str
    page: int
    text: str
    filed: str


def pages(predictions: Path, told: Path) -> Iterator[Reviewed]:
    """Yield each corrected or confirmed page, in the order in which they were corrected.

    Raises:
        OSError: the log or the corrections cannot be read.
    """
    known = correction_log.read(told)
    filed = {(row.id, row.page): row.filed for row, _ in all_rows(predictions) if (row.id, row.page) in known}
    for key, correction in known.items():
        if correction.page.isascii() and correction.page.isdigit():
            yield Reviewed(correction.sha256, int(correction.page), correction.now, filed.get(key, ""))


def content(places: Folders, page: Reviewed) -> bytes:
    """Give the bytes of the scan that was looked at.

    Raises:
        OSError: it is no longer where it was filed, or has changed.
    """
    try:
        data = find(places.base, page.filed, (places.archive,)).read_bytes()
    except NotThereError:
        raise FileNotFoundError(errno.ENOENT, "the original is not where it was filed", page.filed) from None
    if hashlib.sha256(data).hexdigest() != page.scan:
        raise FileNotFoundError(errno.ENOENT, "another file lies where the original was filed", page.filed)
    return data
