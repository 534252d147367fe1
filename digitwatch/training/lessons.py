"""What the network sees in one epoch: every training digit once, varied, among drawn digits and non-digits."""

import os
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import cv2
import numpy as np
from numpy.typing import NDArray

from digitwatch.training import augment, damage, negatives, pens
from digitwatch.training.datasets import Digits

Pictures = NDArray[np.uint8]  # (N, 28, 28), 0 = paper to 255 = ink
Labels = NDArray[np.uint8]  # (N,), 0 to 9, or NOT_A_DIGIT
Random = np.random.Generator

CLASSES = 10
NOT_A_DIGIT = 10  # the label of `other`; written here as a number so that workers need not load Keras

# ---- how the training digits are shown: shares of each epoch
UNTOUCHED, MILD = 0.06, 0.40  # the rest is bent and cut out as from a page
DAMAGED = 0.50  # of that rest, and of what is drawn and of what is no digit
# ---- what is added, as a share of the number of training digits
DRAWN, OTHERS = 0.10, 0.16

CHUNK = 2000  # pictures that one task makes


def epochs(digits: Digits, *, count: int, seed: int, processes: int = 1) -> Iterator[tuple[Pictures, Labels]]:
    """Yield `count` epochs of (N, 28, 28) pictures and (N,) labels, shuffled, each made while the last is used.

    The same seed gives the same pictures whatever `processes` is; 0 makes them in this process.
    """
    if processes == 0:
        for number in range(count):
            yield _shuffled([_chunk(*task) for task in _tasks(digits, seed, number)], seed + number)
        return
    with ProcessPoolExecutor(processes, get_context("spawn"), _settle) as pool:
        try:
            ahead = _submitted(pool, digits, seed, 0)
            for number in range(count):
                ready, ahead = ahead, _submitted(pool, digits, seed, number + 1) if number + 1 < count else []
                yield _shuffled([future.result() for future in ready], seed + number)
        finally:  # an interrupted training must not wait for an epoch that nobody will see
            pool.shutdown(cancel_futures=True)


def size(digits: Digits) -> int:
    """Return how many pictures an epoch has."""
    return len(digits) + round(len(digits) * DRAWN) + round(len(digits) * OTHERS)


Task = tuple[Digits, int, int, list[int]]  # digits to vary, drawn, others, seed
Lesson = tuple[Pictures, Labels]


def _tasks(digits: Digits, seed: int, epoch: int) -> Iterator[Task]:
    """Yield the work of one epoch in chunks that do not depend on how many processes share it."""
    drawn, others = round(len(digits) * DRAWN), round(len(digits) * OTHERS)
    chunks = -(-len(digits) // CHUNK)
    order = np.random.default_rng([seed, epoch]).permutation(len(digits))
    for number, which in enumerate(np.array_split(order, chunks)):
        share = [count * (number + 1) // chunks - count * number // chunks for count in (drawn, others)]
        yield digits[which], share[0], share[1], [seed, epoch, number]


def _submitted(pool: ProcessPoolExecutor, digits: Digits, seed: int, epoch: int) -> list[Future[Lesson]]:
    return [pool.submit(_chunk, *task) for task in _tasks(digits, seed, epoch)]


def _chunk(digits: Digits, drawn: int, others: int, seed: list[int]) -> tuple[Pictures, Labels]:
    """Return the varied digits, then `drawn` digits, then `others`."""
    rng = np.random.default_rng(seed)
    pictures = [_vary(digits, index, rng) for index in range(len(digits))]
    labels = rng.integers(0, CLASSES, drawn)
    pictures += [_soil(_drawn(int(label), rng), rng) for label in labels]
    pictures += [_soil(negatives.negative(digits, rng), rng) for _ in range(others)]
    return np.stack(pictures), np.concatenate(
        [digits.labels, labels.astype(np.uint8), np.full(others, NOT_A_DIGIT, np.uint8)]
    )


def _vary(digits: Digits, index: int, rng: Random) -> Pictures:
    """Return one training digit, untouched, mildly changed, or as from a page."""
    picture: Pictures = digits.pictures[index]
    kind = rng.random()
    if kind < UNTOUCHED:
        return picture
    if kind < UNTOUCHED + MILD:
        return augment.mild(picture, rng)
    neighbour = digits.pictures[int(rng.integers(len(digits)))]
    picture = augment.bar_or_slash(picture, int(digits.labels[index]), rng)
    return _soil(augment.strong(picture, rng, neighbour=neighbour), rng)


def _drawn(label: int, rng: Random) -> Pictures:
    """Return a drawn digit, normalised."""
    return augment.finish(pens.digit(label, rng), rng)


def _soil(picture: Pictures, rng: Random) -> Pictures:
    return damage.damage(picture, rng) if rng.random() < DAMAGED else picture


def _shuffled(chunks: list[tuple[Pictures, Labels]], seed: int) -> tuple[Pictures, Labels]:
    """Return all chunks as one, in random order."""
    pictures = np.concatenate([pictures for pictures, _ in chunks])
    labels = np.concatenate([labels for _, labels in chunks])
    order = np.random.default_rng(seed).permutation(len(pictures))
    return pictures[order], labels[order]


def _settle() -> None:
    """Make a worker modest: one thread, and behind the training itself."""
    cv2.setNumThreads(1)
    os.nice(5)
