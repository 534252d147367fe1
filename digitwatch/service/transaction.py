"""One scan from claim to filed: the commit order, written once.

    claim     one rename from the inbox to inbox/.digitwatch/ID/NAME          spool.claims.claim
    read      pure, may be repeated at will; beside it the claim is made       worker.perform
              durable, which is waited for before anything is published
    publish   each picture under a temporary name, synced, renamed             spool.pictures.publish
    record    all rows of the scan in one write, synced: the commit point      record, below
    file      the original to archive/ or failed/, never replacing a file      move and file, below

While many wait, record and file each sync once for several scans; the order stays.

What a crash leaves behind, and what `recover` makes of it:

    after claim, read or publish   the claim without rows: read again; its pictures replace themselves
    after record                   the claim with its rows: only filed
    in the middle of record        what the log holds of the write is cut off; the claim is read again
    in the middle of file          across disks, the copy and a note of its inode (ID.copied): the copy is the
                                   original already, and only what is left of the claim is removed
"""

import os
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from digitwatch.spool import archive as filing
from digitwatch.spool import claims
from digitwatch.spool.annotated_images import withdraw
from digitwatch.spool.claims import Claim
from digitwatch.spool.csv_rows import Row, printable, shown_name
from digitwatch.spool.durable_io import digest, sync_folder
from digitwatch.spool.folders import Folders
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers.messages import Job, Outcome


@dataclass(frozen=True)
class Finished:
    """A claimed scan that has been read, not yet recorded."""

    claim: Claim
    outcome: Outcome
    seconds: float

    @property
    def is_still_as_read(self) -> bool:
        """Tell whether nobody has written to the scan since its bytes were read."""
        return self.outcome.stamp is None or claims.stamp(self.claim) == self.outcome.stamp


@dataclass(frozen=True)
class Recorded:
    """A scan whose rows are in the log; its original is still to be moved to `target`, below `top`."""

    claim: Claim
    top: Path
    target: Path
    failure: str


def job(places: Folders, claim: Claim) -> Job:
    """Give the job that a worker needs to read a claimed scan."""
    return Job(claim.id, claim.name, claim.path, places.outbox / claim.day)


def record(
    places: Folders,
    finished: Sequence[Finished],
    predictions: PredictionLog,
    model: str,
    *,
    promised: Sequence[Recorded] = (),
) -> list[Recorded]:
    """Write the rows of several scans with one sync: from here on they count as read.

    `promised` are scans recorded before and not yet filed: their places, and those of their notes, are not given twice.

    Raises:
        OSError: nothing was recorded; the same call may be made again.
    """
    chosen = {place for entry in promised for place in filing.occupied(entry.target, bool(entry.failure))}
    recorded, rows = [], []
    for done in finished:
        failure = done.outcome.failure
        target, top = _free(places, done.claim, bool(failure), chosen)
        chosen.update(filing.occupied(target, bool(failure)))
        recorded.append(Recorded(done.claim, top, target, failure))
        rows += rows_of(done.outcome, shown(target, places.base), model, done.seconds, base=places.base)
    predictions.append(rows)
    return recorded


def move(recorded: Recorded) -> Recorded:
    """Move a recorded original, and the note on a failed one, to its place; return it with the place where it went.

    `file` makes that durable.

    Raises:
        ClaimVanishedError: somebody took the claimed file away.
        OSError: the folder is full or gone; the same call may be made again.
    """
    note = _advice(recorded) if recorded.failure else ""
    return replace(recorded, target=filing.file_original(recorded.claim, recorded.top, recorded.target, note))


def file(moved: Sequence[Recorded]) -> None:
    """Sync the folders that originals were moved to, each once; then forget the claims.

    Raises:
        OSError: the same call may be made again.
    """
    for folder in {recorded.target.parent for recorded in moved}:
        sync_folder(folder)
    for recorded in moved:
        claims.clear(recorded.claim)


def recover(
    places: Folders, predictions: PredictionLog, known: Container[str] = ()
) -> tuple[list[Recorded], list[Claim]]:
    """Find the claims that nobody has in hand: the scans that are only to be filed, and those to be read.

    `known` are the ids of the claims in hand.
    """
    left = [claim for claim in claims.left_claimed(places.inbox) if claim.id not in known]
    if not left:
        return [], []
    found = predictions.find(claim.id for claim in left)
    to_file: list[Recorded] = []
    for claim in left:
        if claim.id in found:
            to_file.append(_as_recorded(places, claim, found[claim.id][0], to_file))
    return to_file, [claim for claim in left if claim.id not in found]


def completed(outcome: Outcome) -> Outcome:
    """Do for a failed scan what its worker, being dead, could not: take its pictures back, and sum its bytes up.

    Raises:
        OSError: a folder is closed to us, or the scan is gone; the same call may be made again.
    """
    if not outcome.failure or outcome.sha256:
        return outcome
    withdraw(outcome.job.outbox, outcome.job.name, outcome.job.id)
    return replace(outcome, sha256=digest(outcome.job.source))


def rows_of(outcome: Outcome, filed: str, model: str, seconds: float, *, base: Path) -> list[Row]:
    """Give the log rows of a scan: one for each page, or one that says why it failed."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
    elapsed = str(round(seconds * 1000))
    tail = (filed, outcome.model or model, elapsed)
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
            text=page.prediction,
            codes=page.codes,
        )
        for page in outcome.pages
    ]


def shown(path: Path, base: Path) -> str:
    """Give a path as the log shows it: relative to `base` where it lies below it."""
    return printable(os.fspath(path.relative_to(base) if path.is_relative_to(base) else path))


def _free(places: Folders, claim: Claim, failed: bool, chosen: set[Path]) -> tuple[Path, Path]:
    """Return a free place for an original, and its top folder; `chosen` are those that other scans were promised."""
    top, folder = _folders(places, claim, failed)
    return filing.choose_place(top, folder, claim.name, with_note=failed, promised=chosen), top


def _folders(places: Folders, claim: Claim, failed: bool) -> tuple[Path, Path]:
    """Give the folder that must be there and the one below it, made when missing, that the original goes to."""
    return (places.failed, places.failed) if failed else (places.archive, places.archive / claim.day)


def _as_recorded(places: Folders, claim: Claim, row: Row, promised: Sequence[Recorded]) -> Recorded:
    """Return the place that a row names; its text may be escaped, so it is found by counting up."""
    failed = row.status == "failed"
    top, folder = _folders(places, claim, failed)
    counted = (folder / filing.numbered(claim.name, number) for number in range(1, 10_000))
    named = next((path for path in counted if shown(path, places.base) == row.filed), None)
    chosen = {place for entry in promised for place in filing.occupied(entry.target, bool(entry.failure))}
    target = named or _free(places, claim, failed, chosen)[0]
    return Recorded(claim, top, target, row.reason if failed else "")


def _advice(recorded: Recorded) -> str:
    return (
        f"{printable(recorded.claim.name)} could not be read: {recorded.failure.rstrip('.')}.\n\n"
        "The file beside this note is the untouched original. When what is wrong is mended, `digitwatch retry`\n"
        "puts it back into the inbox; or put the file there yourself, and delete this note."
    )
