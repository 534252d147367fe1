"""An endless stream of training examples, composed in another process while the last ones are used."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import count, islice
from multiprocessing import get_context
from typing import TypeVar

import cv2
import numpy as np

from digitwatch.system.child_process import end_with_parent
from digitwatch.training.data.digits import Digits

Example = TypeVar("Example")
Make = Callable[[Digits, np.random.Generator], Example | None]

_given: list[Digits] = []  # the data to compose from: sent to the process once, not with every task


def examples(make: Make[Example], digits: Digits, *, seed: int, chunk: int, ahead: int, nice: int) -> Iterator[Example]:
    """Yield the results of `make` that are not None; order and contents depend only on the seed.

    Args:
        make: a module-level function that composes one example from the digits.
        digits: the training digits that examples are composed of.
        seed: of the random numbers.
        chunk: calls of `make` for each task.
        ahead: tasks that are made before they are asked for.
        nice: by how much the process is niced.
    """
    task: Callable[[tuple[int, int]], list[Example]] = partial(_examples, make, chunk)
    with ProcessPoolExecutor(1, get_context("spawn"), _set_up, (digits, nice)) as pool:
        try:
            tasks = (pool.submit(task, (seed, number)) for number in count())
            waiting = deque(islice(tasks, ahead))
            while True:
                ready = waiting.popleft().result()
                waiting.append(next(tasks))
                yield from ready
        finally:
            pool.shutdown(cancel_futures=True)


def _set_up(digits: Digits, nice: int) -> None:
    """Use one thread at low priority, and end with the training."""
    end_with_parent()
    cv2.setNumThreads(1)
    os.nice(nice)
    _given.append(digits)


def _examples(make: Make[Example], chunk: int, seed: tuple[int, int]) -> list[Example]:
    rng = np.random.default_rng(seed)
    made = [make(_given[0], rng) for _ in range(chunk)]
    return [each for each in made if each is not None]
