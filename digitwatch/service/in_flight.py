"""The scans in flight: every claim that is not yet filed, and how far it has come."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from functools import partial

from digitwatch.series.tracker import Tracker
from digitwatch.service import transaction
from digitwatch.service.completion import Completion, Copied, copy
from digitwatch.service.set_aside import SetAside
from digitwatch.spool import claims
from digitwatch.spool.annotated_images import withdraw
from digitwatch.spool.archive import AcrossDisksError, ClaimVanishedError
from digitwatch.spool.claims import Claim
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.folder_probe import can_write
from digitwatch.spool.folders import Folders
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.system.os_errors import describe
from digitwatch.workers.messages import Result

log = logging.getLogger(__name__)

GROUP = 8  # scans that are recorded and filed together while more are being read: one sync for all of them
GROUP_SECONDS = 0.05  # for which the first of them waits for the others at most
FRESH_SECONDS = 10.0  # an incomplete image younger than this may still be written to


class InFlight:
    """Every claim that is not yet filed, and how far it has come."""

    def __init__(
        self,
        folders: Folders,
        predictions: PredictionLog,
        clock: Callable[[], float],
        copies: Completion,
        series: Tracker | None = None,
    ) -> None:
        """Start with no claim; `copies` files originals on another disk, `series` judges readings."""
        self.model = ""
        self._folders = folders
        self._predictions = predictions
        self._series = series
        self._clock = clock
        self._claims: dict[str, tuple[Claim, float]] = {}  # id -> claim, since when
        self._to_record: list[transaction.Finished] = []
        self._to_file: list[transaction.Recorded] = []
        self.copies = copies
        self._copying: dict[str, transaction.Recorded] = {}
        self._copied = 0  # since the last call of `file`
        self._error: OSError | None = None  # of a copy
        self.aside = SetAside(clock)
        self._since = 0.0  # when the first of those to be recorded was read

    def __len__(self) -> int:
        """Return the number of claims."""
        return len(self._claims)

    @property
    def due(self) -> float | None:
        """Return the clock time at which something is to be recorded or filed; None when nothing is."""
        due = [self.aside.due(recorded.claim.id) for recorded in self._to_file]
        if self._to_record:
            due.append(0.0 if len(self._to_record) >= GROUP else self._since + GROUP_SECONDS)
        return min(due, default=None)

    @property
    def is_pending(self) -> bool:
        """Return whether something is to be recorded or filed now."""
        return bool(self._to_record) or any(map(self._is_due, self._to_file))

    @property
    def is_copying(self) -> bool:
        """Return whether an original is being copied to another disk."""
        return bool(self._copying)

    def claim(self, scan: str) -> Claim:
        """Return the claim of an id."""
        return self._claims[scan][0]

    def enter(self, claim: Claim) -> None:
        """Add a claim."""
        self._claims[claim.id] = (claim, self._clock())

    def adopt(self) -> list[Claim]:
        """Add the claims of an earlier run, and those of a disk that was unmounted.

        Those that are recorded are filed by the next call of `file`; the others are returned, to be read.
        """
        to_file, to_read = transaction.recover(self._folders, self._predictions, self._claims.keys())
        for claim in (*(entry.claim for entry in to_file), *to_read):
            self.enter(claim)
        self._to_file += to_file
        if to_file or to_read:
            log.info("left by an earlier run: %d scans to file, %d to read", len(to_file), len(to_read))
        return to_read

    def drop(self, claim: Claim) -> None:
        """Remove a claim whose file is gone; if it returns with its disk, it is added again by `adopt`."""
        log.warning("%s is no longer among the claimed scans in %s", printable(claim.name), claim.claims_folder)
        self._forget(claim)

    def is_fresh(self, claim: Claim) -> bool:
        """Return whether a claimed file may still be written to; a modification time in the future is ignored."""
        with contextlib.suppress(OSError):
            age = time.time() - claim.path.stat().st_mtime
            return (age if age >= 0 else self._clock() - self._claims[claim.id][1]) < FRESH_SECONDS
        return False

    def finish(self, claim: Claim, outcome: Result) -> None:
        """Add the result of a scan; `record` is next."""
        self._since = self._since if self._to_record else self._clock()
        self._to_record.append(transaction.Finished(claim, outcome, self._clock() - self._claims[claim.id][1]))

    def changed(self) -> list[transaction.Finished]:
        """Remove and return the scans that were written to since they were read; drop those that are gone."""
        changed: list[transaction.Finished] = []
        ready: list[transaction.Finished] = []
        for done in self._to_record:
            if not claims.is_there(done.claim):
                self.drop(done.claim)
            elif done.is_still_as_read:
                ready.append(done)
            else:
                changed.append(done)
        self._to_record = ready
        return changed

    def record(self) -> list[Result]:
        """Write the rows of all finished scans; return their results.

        Raises:
            OSError: nothing was recorded; the same call may be made again.
        """
        if not self._to_record:
            return []
        recorded = transaction.record(
            self._folders,
            self._to_record,
            self._predictions,
            self.model,
            promised=[*self._to_file, *self._copying.values()],
            series=self._series,
        )
        self._to_file += recorded
        self._to_record = []
        return [entry.result for entry in recorded if entry.result is not None]

    def file(self) -> int:
        """Move the recorded originals to their places; return how many were moved.

        One that cannot be moved while its folder works is set aside. Those that go to another disk are copied
        meanwhile, and counted by a later call.

        Raises:
            OSError: an original could not be moved or copied; the rest is still to be moved by the same call.
        """
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        ready = [recorded for recorded in self._to_file if self._is_due(recorded)]
        later = [recorded for recorded in self._to_file if not self._is_due(recorded)]
        moved: list[transaction.Recorded] = []
        try:
            while ready:
                self._move(ready[0], moved, later)
                ready.pop(0)
            transaction.file(moved)
        except OSError:
            self._to_file = moved + ready + later
            raise
        self._to_file = later
        for recorded in moved:
            self._filed(recorded)
        copied, self._copied = self._copied, 0
        return len(moved) + copied

    def _filed(self, recorded: transaction.Recorded) -> None:
        self._forget(recorded.claim)
        log.debug("%s -> %s", printable(recorded.claim.name), recorded.target)

    def return_to_inbox(self, claim: Claim) -> bool:
        """Put a scan that was not read back into the inbox; False when its name is taken there.

        Raises:
            OSError: a folder cannot be used; the scan stays claimed.
        """
        claims.forget_tries(claim)
        withdraw(self._folders.outbox / claim.day, claim.name, claim.id)
        if not claims.give_back(self._folders.inbox, claim):
            return False
        self._forget(claim)
        return True

    def give_back(self) -> None:
        """Put the scans that were not read back into the inbox.

        One that was read stays claimed: its rows may be in the log, where the next start looks for them. So does a
        long one that is partly read: the next start goes on behind its last page.
        """
        for claim in list(self._unread()):
            if claim.note(claims.PAGES).exists():
                continue
            with contextlib.suppress(OSError):
                if self.return_to_inbox(claim):
                    log.info("%s: given back to the inbox unread", printable(claim.name))

    def _unread(self) -> Iterator[Claim]:
        read = (
            {entry.claim.id for entry in self._to_file}
            | self._copying.keys()
            | {done.claim.id for done in self._to_record}
        )
        return (claim for claim, _ in self._claims.values() if claim.id not in read)

    def _move(
        self, recorded: transaction.Recorded, moved: list[transaction.Recorded], later: list[transaction.Recorded]
    ) -> None:
        try:
            moved.append(transaction.move(recorded, across=False))
        except AcrossDisksError:
            self._copying[recorded.claim.id] = recorded
            self.copies.submit(partial(copy, recorded), self._was_copied)
        except ClaimVanishedError:
            self.drop(recorded.claim)
        except OSError as error:
            if not can_write(recorded.top, f".{recorded.claim.id}-"):
                raise
            self.aside.add(recorded.claim, describe(error))
            later.append(recorded)

    def _was_copied(self, copied: Copied) -> None:
        claim = copied.recorded.claim
        del self._copying[claim.id]
        if copied.error is None:
            self._copied += 1
            self._filed(copied.recorded)
        elif isinstance(copied.error, ClaimVanishedError):
            self.drop(claim)
        else:
            self._to_file.append(copied.recorded)
            if copied.only_this_scan:
                self.aside.add(claim, describe(copied.error))
            else:
                self._error = copied.error

    def _is_due(self, recorded: transaction.Recorded) -> bool:
        return self.aside.due(recorded.claim.id) <= self._clock()

    def _forget(self, claim: Claim) -> None:
        self._claims.pop(claim.id, None)
        self.aside.remove(claim.id)
