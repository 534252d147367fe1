"""What the trainings of the line model and the crop model share: examples with a text, batches, loss, and scores."""

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Floats, Logs, Pixels
from digitwatch.recognition.decoding.ctc import likely_texts, log_probabilities
from digitwatch.training.fitting.batches import stacked

NOTHING = -1  # pads the symbols of a short text
TEMPERATURES = np.geomspace(0.5, 3, 19)
LEAST_LOG = -30.0  # of the probability of a text that a model excludes: one example must not decide the temperature


class Example(Protocol):
    """A picture, and the indices of the symbols that it shows."""

    @property
    def picture(self) -> Pixels:
        """Return the (H, W) uint8 picture."""

    @property
    def symbols(self) -> tuple[int, ...]:
        """Return the text."""


AnyExample = TypeVar("AnyExample", bound=Example)
Frames = Callable[[Pixels], Logs]
"""An (H, W) uint8 picture to the (T, symbols) log probabilities of each frame."""


def sample(make: Callable[[np.random.Generator], AnyExample | None], count: int) -> list[AnyExample]:
    """Return `count` examples, always the same."""
    rng = np.random.default_rng(0)
    made = (make(rng) for _ in range(count * 2))
    return [example for example in made if example is not None][:count]


def exact(frames: Frames, examples: Sequence[Example]) -> float:
    """Return the share of the examples whose text is read exactly."""
    return float(np.mean([likely_texts(frames(each.picture), 1)[0] == each.symbols for each in examples]))


def temperature(frames: Frames, examples: Sequence[Example]) -> float:
    """Return the temperature at which the examples have the highest likelihood; `frames` answers at temperature 1."""
    answers = [(frames(example.picture), example.symbols) for example in examples]
    losses = []
    for t in TEMPERATURES:
        cooled = [(logs / t - np.logaddexp.reduce(logs / t, axis=1, keepdims=True), text) for logs, text in answers]
        losses.append(-sum(max(LEAST_LOG, float(log_probabilities(logs, [text])[0])) for logs, text in cooled))
    return round(float(TEMPERATURES[int(np.argmin(losses))]), 3)


def batches(same_width: Iterator[list[AnyExample]], longest: int) -> Iterator[tuple[Floats, NDArray[np.int32]]]:
    """Yield (N, H, W, 1) pictures from 0 to 1 and (N, longest) symbols, padded with NOTHING, of each list."""
    for same in same_width:
        symbols = np.full((len(same), longest), NOTHING, np.int32)
        for row, example in zip(symbols, same, strict=True):
            row[: len(example.symbols)] = example.symbols
        yield stacked(same), symbols


def loss(symbols: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return (N,): minus the log probability of each row of (N, longest) symbols, given (N, T, symbols + 1) logits.

    TensorFlow's loss refuses an empty text, whose probability is that of the blank in every frame.
    """
    symbols = tf.cast(symbols, tf.int32)  # Keras makes targets floats
    empty = tf.reduce_all(symbols == NOTHING, axis=1)
    first = tf.range(tf.shape(symbols)[1]) == 0
    some = tf.where(empty[:, None] & first, 0, symbols)
    blank = -tf.reduce_sum(tf.nn.log_softmax(logits)[..., -1], axis=1)
    return tf.where(empty, blank, _ctc(some, logits))


def _ctc(symbols: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
    """Return (N,): the loss of connectionist temporal classification (Graves et al. 2006); no text is empty."""
    rows, frames = tf.unstack(tf.shape(logits)[:2])
    where = tf.where(symbols != NOTHING)
    size = tf.cast(tf.shape(symbols), tf.int64)
    sparse = tf.SparseTensor(where, tf.gather_nd(symbols, where), size)
    return tf.nn.ctc_loss(sparse, logits, None, tf.fill([rows], frames), logits_time_major=False, blank_index=-1)
