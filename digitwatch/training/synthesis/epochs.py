"""What the network sees in one epoch: every training digit once, varied, among drawn digits and non-digits."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels
from digitwatch.training.data.digits import Digits
from digitwatch.training.synthesis import augment, degrade, negatives, strokes

Labels = NDArray[np.uint8]  # (N,), 0 to 9, or NOT_A_DIGIT
Lesson = tuple[Pixels, Labels]
Random = np.random.Generator

CLASSES = 10
NOT_A_DIGIT = 10  # the label of `other`; written here as a number so that workers need not load Keras


@dataclass(frozen=True)
class Mix:
    """How digits are shown: the shares left untouched and mildly changed; the rest is as cut from a page.

    `damaged` is a share of that rest, of the drawn digits and of what is no digit.
    """

    untouched: float
    mild: float
    damaged: float


# The network travels far first, and comes home to MNIST for its last epochs.
EARLY, LATE = Mix(0.06, 0.39, 0.50), Mix(0.20, 0.50, 0.40)
LATE_FROM = 0.7  # of all epochs
# What is added, as a share of the number of training digits: drawn digits, of which some have more hands than
# others, and what is no digit.
DRAWN, OTHERS = 0.16, 0.16
HANDS = np.array([1, 2, 1, 1, 2, 1, 1, 1.5, 1, 2])

CHUNK = 2000  # pictures that one task makes


def epochs(digits: Digits, *, count: int, seed: int, processes: int = 1) -> Iterator[Lesson]:
    """Yield `count` epochs of (N, 28, 28) pictures and (N,) labels, shuffled, each made while the last is used.

    The same seed gives the same pictures whatever `processes` is; 0 makes them in this process.
    """
    if processes == 0:
        for number in range(count):
            yield _shuffled([_lesson(task) for task in _tasks(digits, seed, number, count)], seed + number)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _settle) as pool:
        try:
            ahead = [pool.submit(_lesson, task) for task in _tasks(digits, seed, 0, count)]
            for number in range(count):
                ready, ahead = ahead, []
                if number + 1 < count:
                    ahead = [pool.submit(_lesson, task) for task in _tasks(digits, seed, number + 1, count)]
                yield _shuffled([future.result() for future in ready], seed + number)
        finally:  # an interrupted training must not wait for an epoch that nobody will see
            pool.shutdown(cancel_futures=True)


def size(digits: Digits) -> int:
    """Return how many pictures an epoch has."""
    return len(digits) + round(len(digits) * DRAWN) + round(len(digits) * OTHERS)


@dataclass(frozen=True)
class Task:
    """A part of an epoch: training digits by their index, and how many drawn digits and non-digits to add."""

    digits: Digits
    drawn: int
    others: int
    mix: Mix
    seed: tuple[int, ...]


def _tasks(digits: Digits, seed: int, epoch: int, count: int) -> Iterator[Task]:
    """Yield the work of one of `count` epochs in chunks that do not depend on how many processes share it."""
    mix = LATE if epoch >= LATE_FROM * count else EARLY
    added = (round(len(digits) * DRAWN), round(len(digits) * OTHERS))
    chunks = -(-len(digits) // CHUNK)
    order = np.random.default_rng([seed, epoch]).permutation(len(digits))
    for number, which in enumerate(np.array_split(order, chunks)):
        drawn, others = (many * (number + 1) // chunks - many * number // chunks for many in added)
        yield Task(digits[which], drawn, others, mix, (seed, epoch, number))


def _lesson(task: Task) -> Lesson:
    """Return the varied digits, then the drawn ones, then what is no digit."""
    rng, damaged = np.random.default_rng(task.seed), task.mix.damaged
    pictures = [_vary(task.digits, index, task.mix, rng) for index in range(len(task.digits))]
    labels = rng.choice(CLASSES, task.drawn, p=HANDS / HANDS.sum())
    pictures += [_soil(augment.finish(strokes.digit(int(label), rng), rng), damaged, rng) for label in labels]
    pictures += [_soil(negatives.negative(task.digits, rng), damaged, rng) for _ in range(task.others)]
    others = np.full(task.others, NOT_A_DIGIT, np.uint8)
    return np.stack(pictures), np.concatenate([task.digits.labels, labels.astype(np.uint8), others])


def _vary(digits: Digits, index: int, mix: Mix, rng: Random) -> Pixels:
    """Return one training digit, untouched, mildly changed, or as from a page."""
    picture: Pixels = digits.pictures[index]
    kind = rng.random()
    if kind < mix.untouched:
        return picture
    if kind < mix.untouched + mix.mild:
        return augment.mild(picture, rng)
    neighbour = digits.pictures[int(rng.integers(len(digits)))]
    picture = augment.bar_or_slash(picture, int(digits.labels[index]), rng)
    return _soil(augment.strong(picture, rng, neighbour=neighbour), mix.damaged, rng)


def _soil(picture: Pixels, share: float, rng: Random) -> Pixels:
    return degrade.damage(picture, rng) if rng.random() < share else picture


def _shuffled(chunks: list[Lesson], seed: int) -> Lesson:
    """Return all chunks as one, in random order."""
    pictures = np.concatenate([pictures for pictures, _ in chunks])
    labels = np.concatenate([labels for _, labels in chunks])
    order = np.random.default_rng(seed).permutation(len(pictures))
    return pictures[order], labels[order]


def _settle() -> None:
    """Make a worker modest: one thread, and behind the training itself."""
    cv2.setNumThreads(1)
    os.nice(5)
