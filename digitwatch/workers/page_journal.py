"""The pages of a long scan that are read and published: after an interruption, reading goes on behind them.

One JSON line a page (its results), behind a first line that names what they were read from and with: the digest of
the scan, the model, the settings, the templates. Nothing is recorded from it before the scan is read to its end.
"""

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path

from digitwatch.spool.claims import PAGES, Claim
from digitwatch.workers.messages import Job, PageResult

FROM_PAGE = 20  # shorter scans are read again as quickly as their journal would be written


def place(job: Job) -> Path:
    """Return where the journal of a scan lies: beside its claim, or in a batch among its pictures.

    There its name is that of a scratch file, which is removed with the pictures of a scan that fails or has changed.
    """
    if job.claimed:
        return Claim(job.id, job.name, job.source).note(PAGES)
    return job.outbox / f".{job.id}-pages.tmp"


class PageJournal:
    """The journal of one scan; `key` names the scan and everything that its results depend on."""

    def __init__(self, path: Path, key: str) -> None:
        """Remember place and key; the file is made with page FROM_PAGE."""
        self._path, self._key = path, key
        self._pages: list[list[PageResult]] = []

    def known(self) -> list[PageResult]:
        """Return the results of the pages that an interrupted run has read, in order.

        They end before the first line that is torn, and before the first page whose picture is gone.
        """
        try:
            lines = self._path.read_text("ascii").split("\n")[:-1]
        except (OSError, UnicodeDecodeError):
            return []
        if not lines or lines[0] != json.dumps(self._key):
            return []
        for line in lines[1:]:
            results = _results(line)
            if not results or results[0].page != len(self._pages) + 1 or not results[0].annotated.exists():
                break
            self._pages.append(results)
        return [result for page in self._pages for result in page]

    def add(self, results: list[PageResult]) -> None:
        """Add a page that was published; an error is no harm: the page is read again then."""
        self._pages.append(results)
        if len(self._pages) < FROM_PAGE:
            return
        with contextlib.suppress(OSError):
            if len(self._pages) == FROM_PAGE or not self._path.exists():
                text = "".join(f"{line}\n" for line in (json.dumps(self._key), *map(_line, self._pages)))
                self._write(text, os.O_TRUNC)
            else:
                self._write(f"{_line(results)}\n", os.O_APPEND)

    def _write(self, text: str, how: int) -> None:
        handle = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC | how, 0o644)
        try:
            os.write(handle, text.encode("ascii"))
        finally:
            os.close(handle)


def _line(results: list[PageResult]) -> str:
    return json.dumps([asdict(result) | {"annotated": os.fspath(result.annotated)} for result in results])


def _results(line: str) -> list[PageResult]:
    """Return the results of a line; none where it is torn."""
    with contextlib.suppress(ValueError, TypeError, KeyError):
        return [PageResult(**each | {"annotated": Path(each["annotated"])}) for each in json.loads(line)]
    return []
