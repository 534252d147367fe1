"""One scan from claim to filed: the commit order, written once.

    claim     one rename from the inbox to inbox/.digitwatch/ID/NAME          spool.claims.claim
    read      changes nothing on disk, may be repeated; a second thread        workers.task.perform
              makes the claim durable, before anything is published
    publish   each picture under a temporary name, synced, renamed             spool.annotated_images.publish
    record    all rows of the scan in one write, synced: the commit point      record, below
    file      the original to archive/ or failed/, never replacing a file      move and file, below

While many scans wait, record and file each sync once for several of them; the order of the steps is the same.

What a crash leaves behind, and what `recover` does with it:

    after claim, read or publish   the claim without rows: read again; its pictures replace themselves
    after record                   the claim with its rows: only filed
    in the middle of record        the incomplete write is cut off the log; the claim is read again
    in the middle of file          across disks, the copy and a note of its inode (ID.copied): the copy is the
                                   original already, and only the rest of the claim is removed
"""

import itertools
import os
from collections.abc import Container, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from digitwatch.log_codes import ReasonCode, Status
from digitwatch.series.tracker import Draft, Entry, Tracker
from digitwatch.spool import archive as filing
from digitwatch.spool import claims
from digitwatch.spool.annotated_images import withdraw
from digitwatch.spool.claims import Claim
from digitwatch.spool.csv_rows import Row, printable, row_of, shown_name
from digitwatch.spool.durable_io import digest, sync_folder
from digitwatch.spool.folders import Folders
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers.messages import Job, PageResult, Read, Rejected, Result


@dataclass(frozen=True)
class Finished:
    """A claimed scan that has been read, not yet recorded."""

    claim: Claim
    outcome: Result
    seconds: float

    @property
    def is_still_as_read(self) -> bool:
        """Return whether the scan has not been written to since its bytes were read."""
        return self.outcome.version is None or claims.stamp(self.claim) == self.outcome.version

    @property
    def has_grown(self) -> bool:
        """Return whether the scan is longer than it was when its bytes were read."""
        now = claims.stamp(self.claim)
        return now is not None and self.outcome.version is not None and now[0] > self.outcome.version[0]


@dataclass(frozen=True)
class Recorded:
    """A scan whose rows are in the log; its original is still to be moved to `target`, below `top`.

    `result` is what was recorded, None where an earlier run did so.
    """

    claim: Claim
    top: Path
    target: Path
    failure: str
    result: Result | None = None


def job(folders: Folders, claim: Claim, profile: str = "") -> Job:
    """Return the job with which a worker reads a claimed scan."""
    return Job(claim.id, claim.name, claim.path, folders.outbox / claim.day, profile=profile)


def record(
    folders: Folders,
    finished: Sequence[Finished],
    predictions: PredictionLog,
    model: str,
    *,
    promised: Sequence[Recorded] = (),
    series: Tracker | None = None,
) -> list[Recorded]:
    """Write the rows of several scans with one sync: from then on they count as read.

    Args:
        folders: the folders of the profile.
        finished: the scans.
        predictions: the log.
        model: the name of the model, for results without one.
        promised: scans recorded before and not yet filed: their places, and those of their notes, are not given twice.
        series: judges each reading; what contradicts is for review.

    Raises:
        OSError: nothing was recorded; the same call may be made again.
    """
    draft = series.draft() if series else None
    chosen = {place for entry in promised for place in filing.occupied(entry.target, bool(entry.failure))}
    recorded: list[Recorded] = []
    rows: list[Row] = []
    for done in finished:
        failure = done.outcome.reason if isinstance(done.outcome, Rejected) else ""
        target, top = _free(folders, done.claim, bool(failure), chosen)
        chosen.update(filing.occupied(target, bool(failure)))
        earlier = "" if failure else _duplicate_of(done, predictions, rows)
        result = _judged(done.outcome, draft, is_copy=bool(earlier)) if draft else done.outcome
        recorded.append(Recorded(done.claim, top, target, failure, result))
        found = rows_of(result, shown(target, folders.base), model, done.seconds, base=folders.base)
        rows += _with_note(found, earlier) if earlier else found
    predictions.append(rows)
    if series and draft:
        series.keep(draft)
    return recorded


def move(recorded: Recorded, *, across: bool = True) -> Recorded:
    """Move a recorded original, and the note on a failed one, to its place; return it with the place where it went.

    `file` makes that durable.

    Raises:
        AcrossDisksError: `across` is false, and the place is on another filesystem.
        ClaimVanishedError: the claimed file was removed.
        OSError: the folder is full or gone; the same call may be made again.
    """
    note = _advice(recorded) if recorded.failure else ""
    target = filing.file_original(recorded.claim, recorded.top, recorded.target, note, across=across)
    return replace(recorded, target=target)


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
    folders: Folders, predictions: PredictionLog, known: Container[str] = ()
) -> tuple[list[Recorded], list[Claim]]:
    """Return the claims that are not in flight: the scans that are only to be filed, and those to be read.

    `known` are the ids of the claims in flight.
    """
    left = list(claims.left_claimed(folders.inbox, known))
    if not left:
        return [], []
    found = predictions.find(claim.id for claim in left)
    to_file: list[Recorded] = []
    for claim in left:
        if claim.id in found:
            to_file.append(_as_recorded(folders, claim, found[claim.id][0], to_file))
    return to_file, [claim for claim in left if claim.id not in found]


def completed(rejected: Rejected) -> Rejected:
    """Do for a rejected scan what its worker could not: withdraw its pictures and compute its SHA-256.

    Raises:
        OSError: a folder or the scan cannot be used; the same call may be made again.
    """
    if rejected.sha256:
        return rejected
    withdraw(rejected.job.outbox, rejected.job.name, rejected.job.id)
    status = os.stat(rejected.job.source)
    sha256 = digest(rejected.job.source)
    return replace(rejected, sha256=sha256, version=(status.st_size, status.st_mtime_ns))


def rows_of(result: Result, filed: str, model: str, seconds: float, *, base: Path) -> list[Row]:
    """Return the log rows of a scan: one for each page or field, or one with the reason why it was rejected."""
    of_scan = {
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
        "file": shown_name(result.job.name),
        "id": result.job.id,
        "sha256": result.sha256,
        "filed": filed,
        "model": result.model or model,
        "elapsed_ms": str(round(seconds * 1000)),
    }
    if isinstance(result, Rejected):
        return [row_of(of_scan, page="1", confidence="0.0000", status=Status.FAILED, reason=printable(result.reason))]
    return [row_of(of_scan, **_columns(page, base)) for page in result.pages]


def _columns(page: PageResult, base: Path) -> dict[str, str]:
    """Return the columns that a page fills: its fields as text, by their names."""
    return {name: str(value) for name, value in vars(page).items()} | {
        "confidence": f"{page.confidence:.4f}",
        "reason": printable(page.reason),
        "annotated": shown(page.annotated, base),
        "text": page.text or page.prediction,
    }


def _duplicate_of(done: Finished, predictions: PredictionLog, promised: Sequence[Row]) -> str:
    """Return the id of an earlier scan with the same bytes, in the log or among `promised` rows; "" for none."""
    sha256 = done.outcome.sha256
    same = (row.id for row in promised if row.status != Status.FAILED and row.sha256 == sha256)
    return predictions.duplicate_of(sha256, done.claim.id) or next(same, "")


def _with_note(rows: Sequence[Row], earlier: str) -> list[Row]:
    """Return rows with a note that their scan has the bytes of an earlier one."""
    return [
        row._replace(
            reason=_joined("; ", row.reason, f"duplicate of {earlier}"),
            codes=_joined(" ", row.codes, ReasonCode.DUPLICATE),
        )
        for row in rows
    ]


def _judged(result: Result, draft: Draft, *, is_copy: bool) -> Result:
    """Return a result whose pages are for review where they contradict their series."""
    if isinstance(result, Rejected):
        return result
    return replace(result, pages=tuple(_judged_page(result, page, draft, is_copy=is_copy) for page in result.pages))


def _judged_page(read: Read, page: PageResult, draft: Draft, *, is_copy: bool) -> PageResult:
    if page.status == Status.EMPTY:
        return page
    is_sure, text = page.status == Status.OK, page.text or page.prediction
    name = shown_name(read.job.name)
    verdict = draft.judge(Entry(read.job.id, "", name, str(page.page), page.field, text, is_sure, is_copy))
    if verdict is None:
        return page
    if verdict.reason is None:
        return replace(page, expected=verdict.expected)
    return replace(
        page,
        status=Status.REVIEW,
        reason=_joined("; ", page.reason, verdict.reason.text),
        codes=_joined(" ", page.codes, verdict.reason.coded),
        expected=verdict.expected,
    )


def _joined(separator: str, *texts: str) -> str:
    return separator.join(filter(None, texts))


def shown(path: Path, base: Path) -> str:
    """Return a path as the log shows it: relative to `base` where it lies below it."""
    return printable(os.fspath(path.relative_to(base) if path.is_relative_to(base) else path))


def _free(folders: Folders, claim: Claim, failed: bool, chosen: set[Path]) -> tuple[Path, Path]:
    """Return a free place for an original, and its top folder; `chosen` are those that other scans were promised."""
    top, folder = _folders(folders, claim, failed)
    return filing.choose_place(top, folder, claim, with_note=failed, promised=chosen), top


def _folders(folders: Folders, claim: Claim, failed: bool) -> tuple[Path, Path]:
    """Return the folder that must exist and the one below it, made when missing, that the original goes to."""
    return (folders.failed, folders.failed) if failed else (folders.archive, folders.archive / claim.day)


def _as_recorded(folders: Folders, claim: Claim, row: Row, promised: Sequence[Recorded]) -> Recorded:
    """Return the place that a row names; its text may be escaped, so the numbered names are tried."""
    failed = row.status == Status.FAILED
    top, folder = _folders(folders, claim, failed)
    names = itertools.islice(filing.place_names(claim.name, claim.id), filing.MOST_NUMBERED + 10)
    named = next((folder / name for name in names if shown(folder / name, folders.base) == row.filed), None)
    chosen = {place for entry in promised for place in filing.occupied(entry.target, bool(entry.failure))}
    target = named or _free(folders, claim, failed, chosen)[0]
    return Recorded(claim, top, target, row.reason if failed else "")


def _advice(recorded: Recorded) -> str:
    return (
        f"{printable(recorded.claim.name)} could not be read: {recorded.failure.rstrip('.')}.\n\n"
        "The file beside this note is the untouched original. When the cause is removed, `digitwatch retry`\n"
        "puts it back into the inbox; or put the file there yourself, and delete this note."
    )
