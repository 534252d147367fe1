"""A pool of workers with the loop that its owner must run."""

import queue
import time
from collections.abc import Callable

from digitwatch.workers.messages import Outcome, WorkerConfig
from digitwatch.workers.pool import Pool


class Owner:
    """The thread that owns a pool: makes its calls and collects its outcomes."""

    def __init__(self, seconds: float = 60, model: str = "dense") -> None:
        """Start a pool of one worker."""
        self.calls: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self.outcomes: list[Outcome] = []
        self.pool = Pool(
            1,
            {"": WorkerConfig(model, None, 10**8, 4 * 10**9)},
            seconds=seconds,
            report=self.outcomes.append,
            post=self.calls.put,
            clock=time.monotonic,
        )

    def await_outcomes(self, number: int, seconds: float = 60) -> list[Outcome]:
        """Turn the loop until so many outcomes are there."""
        end = time.monotonic() + seconds
        while len(self.outcomes) < number:
            assert time.monotonic() < end, "no outcome came"
            try:
                self.calls.get(timeout=0.1)()
            except queue.Empty:
                self.pool.expire()
        return self.outcomes

    def pid(self) -> int:
        """Return the pid of the worker."""
        return self.pool._workers[0].pid
