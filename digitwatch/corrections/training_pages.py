"""Reviewed pages for training: corrections, joined with the paths of the originals."""

import errno
import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from digitwatch.corrections.answer import digits
from digitwatch.spool import correction_log
from digitwatch.spool.correction_log import Correction
from digitwatch.spool.filed import NotThereError, open_filed
from digitwatch.spool.folders import Folders
from digitwatch.spool.log_search import all_rows

SHORTEST = timedelta(milliseconds=300)
"""Time that a person needs at least to look at a page: a confirmation sooner after the one before, by the same person,
was a key held down."""


class Reviewed(NamedTuple):
    """A page, or a field of a form on it, and the digits of its corrected text.

    `filed` is the path of the original according to the log, `field` is empty for a whole page.
    """

    scan: str
    page: int
    text: str
    filed: str
    field: str = ""


def pages(predictions: Path, corrections: Path, rotated: Path | None = None) -> tuple[list[Reviewed], int]:
    """Return what was corrected or confirmed in the order of the corrections, and how many confirmations are left out.

    Left out are those that came sooner than SHORTEST. `rotated` is a folder with rotated logs, besides that of the log.

    Raises:
        OSError: the log or the corrections cannot be read.
    """
    counted = correction_log.read(corrections)
    hasty = set(_hasty(correction_log.lines(corrections)))
    known = {key: correction for key, correction in counted.items() if correction not in hasty}
    filed = {
        (row.id, row.page, row.field): row.filed
        for row, _ in all_rows(predictions, rotated=rotated)
        if (row.id, row.page, row.field) in known
    }
    found = [
        Reviewed(correction.sha256, int(correction.page), digits(correction.now), filed.get(key, ""), correction.field)
        for key, correction in known.items()
        if correction.page.isascii() and correction.page.isdigit()
    ]
    return found, len(counted) - len(known)


def _hasty(corrections: Iterable[Correction]) -> Iterator[Correction]:
    """Yield the confirmations that came too soon after the line before of the same person."""
    before: dict[str, datetime] = {}
    for correction in corrections:
        try:
            time = datetime.fromisoformat(correction.time)
        except ValueError:  # written by something else
            continue
        last = before.get(correction.who)
        if last is not None and time - last < SHORTEST and correction.now == correction.was:
            yield correction
        before[correction.who] = time


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
