"""The claims in hand: from claimed to filed, and what is left of them at the end."""

import contextlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from digitwatch.service import transaction
from digitwatch.spool import claims
from digitwatch.spool.annotated_images import withdraw
from digitwatch.spool.archive import ClaimVanishedError
from digitwatch.spool.claims import Claim
from digitwatch.spool.csv_rows import printable
from digitwatch.spool.folders import Folders
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers.messages import Outcome

log = logging.getLogger(__name__)

GROUP = 8  # scans that are recorded and filed together while more are being read: one sync for all of them
GROUP_SECONDS = 0.05  # that the first of them waits for the others at most
FRESH_SECONDS = 10.0  # an incomplete image younger than this may still be written to


class InFlight:
    """Every claim that is not yet filed, and how far it has come."""

    def __init__(self, places: Folders, predictions: PredictionLog, clock: Callable[[], float]) -> None:
        """Begin with nothing in hand."""
        self.model = ""
        self._places = places
        self._predictions = predictions
        self._clock = clock
        self._claims: dict[str, tuple[Claim, float]] = {}  # id -> claim, since when
        self._to_record: list[transaction.Finished] = []
        self._to_file: list[transaction.Recorded] = []
        self._since = 0.0  # when the first of those to be recorded was read

    def __len__(self) -> int:
        """Give the number of claims in hand."""
        return len(self._claims)

    @property
    def due(self) -> float:
        """Give the clock time at which what is pending must be recorded, if nothing else asks for it before."""
        if self._to_file or len(self._to_record) >= GROUP:
            return 0.0
        return self._since + GROUP_SECONDS

    @property
    def is_pending(self) -> bool:
        """Tell whether something is to be recorded or filed."""
        return bool(self._to_record or self._to_file)

    def claim(self, scan: str) -> Claim:
        """Give the claim of an id."""
        return self._claims[scan][0]

    def enter(self, claim: Claim) -> None:
        """Take a claim in hand."""
        self._claims[claim.id] = (claim, self._clock())

    def adopt(self) -> list[Claim]:
        """Take up the claims that nobody has in hand: an earlier run's, or those of a disk that was away.

        Those that are recorded are filed by the next call of `file`; the others are returned, to be read.
        """
        to_file, to_read = transaction.recover(self._places, self._predictions, self._claims.keys())
        for claim in (*(entry.claim for entry in to_file), *to_read):
            self.enter(claim)
        self._to_file += to_file
        if to_file or to_read:
            log.info("left by an earlier run: %d scans to file, %d to read", len(to_file), len(to_read))
        return to_read

    def drop(self, claim: Claim) -> None:
        """Let a claim go whose file is not there; should it come back with its disk, it is taken up again."""
        log.warning("%s is no longer among the claimed scans in %s", printable(claim.name), claim.claims_folder)
        self._claims.pop(claim.id, None)

    def is_fresh(self, claim: Claim) -> bool:
        """Tell whether a claimed file may still be written to; a time in the future says nothing."""
        with contextlib.suppress(OSError):
            age = time.time() - claim.path.stat().st_mtime
            return (age if age >= 0 else self._clock() - self._claims[claim.id][1]) < FRESH_SECONDS
        return False

    def finish(self, claim: Claim, outcome: Outcome) -> None:
        """Note what was read; `record` is next."""
        self._since = self._since if self._to_record else self._clock()
        self._to_record.append(transaction.Finished(claim, outcome, self._clock() - self._claims[claim.id][1]))

    def changed(self) -> list[Claim]:
        """Take back, and give, what was written to since it was read; let go what is no longer there."""
        changed, ready = [], []
        for done in self._to_record:
            if not claims.is_there(done.claim):
                self.drop(done.claim)
            elif done.is_still_as_read:
                ready.append(done)
            else:
                changed.append(done.claim)
        self._to_record = ready
        return changed

    def record(self) -> list[Outcome]:
        """Write the rows of all that is finished; give the outcomes.

        Raises:
            OSError: nothing was recorded; the same call may be made again.
        """
        if not self._to_record:
            return []
        self._to_record = [self._completed(done) for done in self._to_record]
        self._to_file += transaction.record(
            self._places, self._to_record, self._predictions, self.model, promised=self._to_file
        )
        finished, self._to_record = self._to_record, []
        return [done.outcome for done in finished]

    def file(self) -> int:
        """Move all recorded originals to their places; give how many there were.

        Raises:
            OSError: the rest is still to be moved; the same call may be made again.
        """
        number, moved = len(self._to_file), []
        try:
            while self._to_file:
                try:
                    moved.append(transaction.move(self._to_file[0]))
                except ClaimVanishedError:
                    self.drop(self._to_file[0].claim)
                self._to_file.pop(0)
            transaction.file(moved)
        except OSError:
            self._to_file = moved + self._to_file
            raise
        for recorded in moved:
            self._claims.pop(recorded.claim.id, None)
            log.debug("%s -> %s", printable(recorded.claim.name), recorded.target)
        return number

    def give_back(self) -> None:
        """Put the scans that were not read back into the inbox.

        One that was read stays claimed: its rows may be in the log, and the next start looks there.
        """
        for claim in self._unread():
            with contextlib.suppress(OSError):
                claims.forget_tries(claim)
                withdraw(self._places.outbox / claim.day, claim.name, claim.id)
                if claims.give_back(self._places.inbox, claim):
                    log.info("%s: given back to the inbox unread", printable(claim.name))

    def _unread(self) -> Iterator[Claim]:
        read = {entry.claim.id for entry in self._to_file} | {done.claim.id for done in self._to_record}
        return (claim for claim, _ in self._claims.values() if claim.id not in read)

    def _completed(self, done: transaction.Finished) -> transaction.Finished:
        """Do for a scan what its worker could not, the claim made durable first."""
        if done.outcome.failure and not done.outcome.sha256:
            claims.sync_claim(done.claim)
        return replace(done, outcome=transaction.completed(done.outcome))
