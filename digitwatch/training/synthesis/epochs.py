"""Epoch data: every training digit once, varied, mixed with drawn digits and non-digits."""

import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Pixels
from digitwatch.system.child_process import end_with_parent
from digitwatch.training.data.digits import Digits
from digitwatch.training.synthesis import augment, degrade, negatives, strokes

Labels = NDArray[np.uint8]  # (N,), 0 to 9, or NOT_A_DIGIT
Epoch = tuple[Pixels, Labels]
Random = np.random.Generator

CLASSES = 10
NOT_A_DIGIT = 10  # the label of `other`; a number, so that the processes need not load Keras


@dataclass(frozen=True)
class Mix:
    """Shares of the digits that are left unchanged and mildly changed; the rest is varied like segments of a page.

    `damaged` is a share of that rest, of the drawn digits and of the non-digits.
    """

    untouched: float
    mild: float
    damaged: float


# Strong variations first; the last epochs are closer to MNIST.
EARLY, LATE = Mix(0.06, 0.39, 0.50), Mix(0.20, 0.50, 0.40)
LATE_FROM = 0.7  # of all epochs
# Added images as a share of the number of training digits: drawn digits and non-digits.
# DRAWN_WEIGHTS: weights of the drawn digits by class; some have more written forms than others.
DRAWN, OTHERS = 0.16, 0.16
DRAWN_WEIGHTS = np.array([1, 2, 1, 1, 2, 1, 1, 2.5, 1, 2])

CHUNK = 2000  # images per task


def generate(digits: Digits, *, count: int, seed: int, processes: int = 1) -> Iterator[Epoch]:
    """Yield `count` epochs of (N, 28, 28) images and (N,) labels, shuffled; each is made while the last is in use.

    The same seed gives the same images for any number of `processes`; 0 makes them in this process.
    """
    if processes == 0:
        for number in range(count):
            yield _shuffled([_chunk(task) for task in _tasks(digits, seed, number, count)], seed + number)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _limit_process) as pool:
        try:
            ahead = [pool.submit(_chunk, task) for task in _tasks(digits, seed, 0, count)]
            for number in range(count):
                ready, ahead = ahead, []
                if number + 1 < count:
                    ahead = [pool.submit(_chunk, task) for task in _tasks(digits, seed, number + 1, count)]
                yield _shuffled([future.result() for future in ready], seed + number)
        finally:  # an interrupted training must not wait for the next epoch
            pool.shutdown(cancel_futures=True)


def size(digits: Digits) -> int:
    """Return the number of images in an epoch."""
    return len(digits) + round(len(digits) * DRAWN) + round(len(digits) * OTHERS)


@dataclass(frozen=True)
class Task:
    """A part of an epoch: its training digits and the number of drawn digits and non-digits to add."""

    digits: Digits
    drawn: int
    others: int
    mix: Mix
    seed: tuple[int, ...]


def _tasks(digits: Digits, seed: int, epoch: int, count: int) -> Iterator[Task]:
    """Yield the tasks of one of `count` epochs; they do not depend on the number of processes."""
    mix = LATE if epoch >= LATE_FROM * count else EARLY
    added = (round(len(digits) * DRAWN), round(len(digits) * OTHERS))
    chunks = -(-len(digits) // CHUNK)
    order = np.random.default_rng([seed, epoch]).permutation(len(digits))
    for number, which in enumerate(np.array_split(order, chunks)):
        drawn, others = (many * (number + 1) // chunks - many * number // chunks for many in added)
        yield Task(digits[which], drawn, others, mix, (seed, epoch, number))


def _chunk(task: Task) -> Epoch:
    """Return the varied digits, then the drawn ones, then the non-digits."""
    rng, damaged = np.random.default_rng(task.seed), task.mix.damaged
    pictures = [_vary(task.digits, index, task.mix, rng) for index in range(len(task.digits))]
    labels = rng.choice(CLASSES, task.drawn, p=DRAWN_WEIGHTS / DRAWN_WEIGHTS.sum())
    pictures += [_maybe_damage(augment.finish(strokes.digit(int(label), rng), rng), damaged, rng) for label in labels]
    pictures += [_maybe_damage(negatives.negative(task.digits, rng), damaged, rng) for _ in range(task.others)]
    others = np.full(task.others, NOT_A_DIGIT, np.uint8)
    return np.stack(pictures), np.concatenate([task.digits.labels, labels.astype(np.uint8), others])


def _vary(digits: Digits, index: int, mix: Mix, rng: Random) -> Pixels:
    """Return one training digit unchanged, mildly changed, or like a segment of a page."""
    picture: Pixels = digits.pictures[index]
    kind = rng.random()
    if kind < mix.untouched:
        return picture
    if kind < mix.untouched + mix.mild:
        return augment.mild(picture, rng)
    neighbour = digits.pictures[int(rng.integers(len(digits)))]
    picture = augment.bar_or_slash(picture, int(digits.labels[index]), rng)
    return _maybe_damage(augment.strong(picture, rng, neighbour=neighbour), mix.damaged, rng)


def _maybe_damage(picture: Pixels, share: float, rng: Random) -> Pixels:
    return degrade.damage(picture, rng) if rng.random() < share else picture


def _shuffled(chunks: list[Epoch], seed: int) -> Epoch:
    """Return all chunks as one, in random order."""
    pictures = np.concatenate([pictures for pictures, _ in chunks])
    labels = np.concatenate([labels for _, labels in chunks])
    order = np.random.default_rng(seed).permutation(len(pictures))
    return pictures[order], labels[order]


def _limit_process() -> None:
    """Limit a process to one thread and a priority below that of the training, with which it ends."""
    end_with_parent()
    cv2.setNumThreads(1)
    os.nice(5)
