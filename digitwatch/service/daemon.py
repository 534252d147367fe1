"""Watch mode: recover, list the inboxes, wait, dispatch, commit, stop."""

import contextlib
import logging
import queue
from collections.abc import Callable, Sequence

from digitwatch.service.fair_share import FairShare
from digitwatch.service.profile import Profile, ProfileParts
from digitwatch.service.status import StatusLine
from digitwatch.spool.claims import AlreadyRunningError
from digitwatch.system import sd_notify
from digitwatch.workers.messages import Outcome
from digitwatch.workers.pool import Pool

log = logging.getLogger(__name__)

STOP_SECONDS = 8.0  # for the scans in flight; service managers wait 10
CALLS = 1000  # made in one turn, so that many events cannot delay the recording of finished scans


class Daemon:
    """Takes scans from the inboxes to their folders until it is stopped, with one pool of workers for all profiles.

    One thread owns all state. Other threads (events, workers) and signal handlers only put calls into `calls`, which
    the loop makes one after the other.
    """

    def __init__(self, profiles: Sequence[ProfileParts], *, clock: Callable[[], float]) -> None:
        """Join the parts of each profile; nothing is touched before `run`."""
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.profiles = {parts.name: Profile(parts, self.calls.put, clock) for parts in profiles}
        self._clock = clock
        self._status = StatusLine(clock)
        self._stop_at = float("inf")

    def run(self, pool: Pool) -> None:
        """Watch until `stop` is called.

        Raises:
            AlreadyRunningError: another daemon has the inbox of each profile.
            OSError: no profile can be used.
            WorkerError: a model cannot be used.
        """
        self._pool = pool
        self._share = FairShare(pool.spent)
        self._for_each(Profile.open)
        pool.begin()  # a full inbox is listed while the workers load the models
        self._for_each(Profile.recover)
        pool.start()
        for name, profile in self.profiles.items():
            profile.announce(pool.models[name])
        sd_notify.notify(READY=1)
        while not self._is_done():
            self._step()
        self._pool.stop()
        for profile in self.profiles.values():
            profile.close()

    def stop(self) -> None:
        """Finish or give back the scans in flight, then end (called through `calls`)."""
        if not self._stopping:
            log.info("stopping; scans in flight: %d", sum(len(each.in_flight) for each in self.profiles.values()))
            sd_notify.notify(STOPPING=1)
            self._stop_at = self._clock() + STOP_SECONDS

    def reload(self, reload_model: Callable[[], None] = lambda: None) -> None:
        """Reopen the logs, for log rotation, and reload the models (called through `calls`)."""
        sd_notify.reloading()
        for profile in self.profiles.values():
            profile.reopen_log()
        log.info("the log is reopened")
        reload_model()
        sd_notify.notify(READY=1)

    def report(self, outcome: Outcome) -> None:
        """Handle the outcome of a scan (called through `calls`, by the pool)."""
        self._share.ended(outcome.job.profile)
        self.profiles[outcome.job.profile].report(outcome)

    # --- one turn of the loop ---

    def _step(self) -> None:
        self._wait()
        self._pool.expire()
        for profile in self.profiles.values():
            profile.work(is_stopping=self._stopping)
        self._dispatch()
        self._status.publish({name: profile.state() for name, profile in self.profiles.items()})

    def _wait(self) -> None:
        """Make the calls of other threads; wait for the first until something else is due."""
        timeout = max(0.0, self._next_due() - self._clock())
        with contextlib.suppress(queue.Empty):
            self.calls.get(timeout=timeout)()
            for _ in range(CALLS):
                self.calls.get_nowait()()

    def _next_due(self) -> float:
        """Return the clock time at which the loop has something to do without a call."""
        readers = self._readers() if not (self._is_quiet and self._pool.busy) else []
        due = [profile.next_due(may_read=name in readers) for name, profile in self.profiles.items()]
        due.append(self._stop_at)
        if (deadline := self._pool.next_deadline()) is not None:
            due.append(deadline)
        if (seconds := sd_notify.watchdog_seconds()) is not None:
            due.append(self._clock() + seconds)
        return min(due)

    def _dispatch(self) -> None:
        """Submit as many scans as the workers can take, of the profile that has had the least first."""
        has_more = dict.fromkeys(self.profiles, True)
        while names := [name for name in self._readers() if has_more[name]]:
            name = self._share.next(names)
            job = self.profiles[name].take(self._pool.busy, is_quiet=self._is_quiet)
            if job is None:
                has_more[name] = False
                self._share.has_none(name)
            else:
                self._share.began(name)
                self._pool.submit(job)

    @property
    def _is_quiet(self) -> bool:
        """Return whether a scan is read alone, or is to be."""
        return any(profile.wants_quiet for profile in self.profiles.values())

    def _readers(self) -> list[str]:
        """Return the profiles that may have a scan read now."""
        if self._stopping or self._pool.free <= 0:
            return []
        is_quiet = self._is_quiet
        return [
            name
            for name, profile in self.profiles.items()
            if profile.may_take and profile.reading < self._most and (profile.wants_quiet or not is_quiet)
        ]

    @property
    def _most(self) -> int:
        """Return how many scans of one profile may be at the workers: one place is left for the others, so that a scan
        of another profile waits for the end of one scan at most, and not for that of the one behind it, too.
        """
        return self._pool.places - 1 if len(self.profiles) > 1 else self._pool.places

    # --- helpers ---

    def _for_each(self, start: Callable[[Profile], None]) -> None:
        """Start each profile; one that cannot be used pauses and is tried again, unless it is the last.

        Raises:
            AlreadyRunningError, OSError: no profile can be used.
        """
        errors: list[OSError | AlreadyRunningError] = []
        for profile in self.profiles.values():
            try:
                start(profile)
            except (OSError, AlreadyRunningError) as error:
                profile.pause(error)
                errors.append(error)
        if len(errors) == len(self.profiles):
            raise errors[0]

    @property
    def _stopping(self) -> bool:
        return self._stop_at != float("inf")

    def _is_done(self) -> bool:
        is_idle = not self._pool.busy and all(profile.is_idle for profile in self.profiles.values())
        return self._stopping and (is_idle or self._clock() >= self._stop_at)
