"""One scan from claim to filed: the commit order, written once.

    claim     one rename from the inbox to inbox/.digitwatch/ID/NAME          spool.filing.claim
    read      pure; may be killed and repeated at will                         worker.perform
    publish   each picture under a temporary name, synced, renamed             spool.pictures.publish
    record    all rows of the scan in one write, synced: the commit point      record, below
    file      the original to archive/ or failed/, never replacing a file      file, below

What a crash leaves behind, and what `recover` makes of it:

    after claim, read or publish   the claim without rows: read again; its pictures replace themselves
    after record                   the claim with its rows: only filed
    in the middle of record        what the log holds of the write is cut off; the claim is read again
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from digitwatch.jobs import Job, Outcome
from digitwatch.spool import filing
from digitwatch.spool.filing import CLAIMED, Claim
from digitwatch.spool.predictions import PredictionLog, Row, printable, shown_name


@dataclass(frozen=True)
class Places:
    """The folders between which scans travel; the log's paths are relative to `base`."""

    inbox: Path
    outbox: Path
    archive: Path
    failed: Path
    base: Path


@dataclass(frozen=True)
class Finished:
    """A claimed scan that has been read, not yet recorded."""

    claim: Claim
    outcome: Outcome
    seconds: float


@dataclass(frozen=True)
class Recorded:
    """A scan whose rows are in the log; its original is still to be moved to `target`."""

    claim: Claim
    target: Path
    failure: str


def job(places: Places, claim: Claim) -> Job:
    """Give the job that a worker needs to read a claimed scan."""
    return Job(claim.id, claim.name, claim.path, places.outbox / claim.day)


def record(places: Places, finished: Sequence[Finished], predictions: PredictionLog, model: str) -> list[Recorded]:
    """Write the rows of several scans with one sync: from here on they count as read.

    Raises:
        OSError: nothing was recorded; the same call may be made again.
    """
    filing.sync_claims(places.inbox, [done.claim for done in finished])
    chosen: set[Path] = set()
    recorded, rows = [], []
    for done in finished:
        target = _target(places, done, chosen)
        chosen.add(target)
        recorded.append(Recorded(done.claim, target, done.outcome.failure))
        rows += rows_of(done.outcome, shown(target, places.base), model, done.seconds, base=places.base)
    predictions.append(rows)
    return recorded


def file(places: Places, recorded: Recorded) -> Path:
    """Move a recorded original to its place; give where it went.

    Raises:
        OSError: the folder is full or gone; the same call may be made again.
    """
    if recorded.failure:
        recorded.target.parent.mkdir(parents=True, exist_ok=True)
        filing.write_reason(recorded.target, _advice(recorded))
    target = filing.file_original(recorded.claim.path, recorded.target)
    filing.remove_empty(recorded.claim.path.parent, places.inbox / CLAIMED)
    return target


def recover(places: Places, predictions: PredictionLog) -> tuple[list[Recorded], list[Claim]]:
    """Find what an earlier run left: the scans that are only to be filed, and those to be read."""
    claims = list(filing.left_claimed(places.inbox))
    if not claims:
        return [], []
    found = predictions.find(claim.id for claim in claims)
    to_file, to_read = [], []
    for claim in claims:
        if claim.id in found:
            to_file.append(_as_recorded(places, claim, found[claim.id][0]))
        else:
            to_read.append(claim)
    return to_file, to_read


def rows_of(outcome: Outcome, filed: str, model: str, seconds: float, *, base: Path) -> list[Row]:
    """Give the log rows of a scan: one for each page, or one that says why it failed."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    elapsed = str(round(seconds * 1000))
    tail = (filed, model, elapsed)
    head = (now, shown_name(outcome.job.name))
    key = (outcome.job.id, outcome.sha256)
    if outcome.failure:
        return [Row(*head, "1", "", "0.0000", "failed", printable(outcome.failure), "", *key, "", *tail)]
    return [
        Row(
            *head,
            str(page.page),
            page.prediction,
            f"{page.confidence:.4f}",
            page.status,
            printable(page.reason),
            page.digits,
            *key,
            shown(page.annotated, base),
            *tail,
        )
        for page in outcome.pages
    ]


def shown(path: Path, base: Path) -> str:
    """Give a path as the log shows it: relative to `base` where it lies below it."""
    return printable(os.fspath(path.relative_to(base) if path.is_relative_to(base) else path))


def _target(places: Places, done: Finished, chosen: set[Path]) -> Path:
    """Choose a free place for the original; `chosen` are those of scans recorded in the same write."""

    def taken(path: Path) -> bool:
        return path in chosen or os.path.lexists(path) or bool(done.outcome.failure and filing.has_reason(path))

    return filing.free_place(_folder(places, done.claim, bool(done.outcome.failure)), done.claim.name, taken)


def _folder(places: Places, claim: Claim, failed: bool) -> Path:
    return places.failed if failed else places.archive / claim.day


def _as_recorded(places: Places, claim: Claim, row: Row) -> Recorded:
    """Find the place again that a row names; its text may be escaped, so it is met by counting up."""
    failed = row.status == "failed"
    folder = _folder(places, claim, failed)
    counted = (folder / filing.numbered(claim.name, number) for number in range(1, 10_000))
    named = next((path for path in counted if shown(path, places.base) == row.filed), None)
    target = named or filing.free_place(folder, claim.name, os.path.lexists)
    return Recorded(claim, target, row.reason if failed else "")


def _advice(recorded: Recorded) -> str:
    return (
        f"{printable(recorded.claim.name)} could not be read: {recorded.failure}.\n\n"
        "The file beside this note is the untouched original. When what is wrong is mended, put the file\n"
        "into the inbox again; this note can be deleted."
    )
