"""Connectionist temporal classification: the texts of a line, from the probabilities of symbols in its frames.

After Graves et al., "Connectionist temporal classification", 2006: a text has the probability of all
its alignments with the frames, where a symbol may last for several frames and blanks may be between two of them.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from digitwatch.recognition.arrays import Logs

Text = tuple[int, ...]

LOG_ZERO = -np.inf
MIN_BEAM_SHARE = math.exp(-16)  # probability of a text, by that of the best, with which the search continues
MIN_SHARE = 1e-200  # probability of an alignment, by that of the best, below which it counts as 0
MIN_LOG_PROBABILITY = -60.0  # of a symbol in a frame
RESCALE_FRAMES = 8  # frames between two rescalings of the shares, which would underflow otherwise
BEAM_SYMBOLS = 4  # symbols of a frame that the search continues with
STEERED_BEAM_SYMBOLS = 10  # the same where not every text may begin so
MIN_SYMBOL_PROBABILITY = math.exp(-11)  # of such a symbol: one in 60,000


def log_probabilities(frames: Logs, texts: Sequence[Text]) -> Logs:
    """Return (N,) log probabilities of the texts.

    Args:
        frames: (T, C) log probabilities of the C symbols in each frame; the last symbol is the blank.
        texts: N texts of symbols 0 to C - 2, of any lengths.
    """
    states = _states(texts, frames.shape[1] - 1)
    for shares, scale in _forward(_probabilities(frames)[:, states], states):
        last, at = shares, scale
    rows, ends = np.arange(len(texts)), 2 * np.array([len(text) for text in texts], int)
    both = last[rows, ends] + np.where(ends > 0, last[rows, ends - 1], 0)
    with np.errstate(divide="ignore"):  # impossible texts are -inf
        return np.asarray(np.log(both) + at)


def likely_texts(frames: Logs, count: int, begins: Callable[[Text], bool] | None = None) -> list[Text]:
    """Return up to `count` of the most probable texts, best first (prefix beam search; Hannun et al. 2014).

    Args:
        frames: (T, C) as in log_probabilities.
        count: of texts.
        begins: whether a text may begin with some symbols; None where all may.
    """
    blank_symbol = frames.shape[1] - 1
    beams: dict[Text, tuple[float, float]] = {(): (1.0, 0.0)}  # ending in a blank, ending in a symbol
    wide = BEAM_SYMBOLS if begins is None else STEERED_BEAM_SYMBOLS
    symbols = np.argsort(frames[:, :blank_symbol], axis=1)[:, -wide:].tolist()
    for frame, best in zip(_probabilities(frames).tolist(), symbols, strict=True):
        seen = [symbol for symbol in best if frame[symbol] > MIN_SYMBOL_PROBABILITY]
        # Most frames are surely blank.
        beams = (
            _grown(beams, frame, seen, count, begins)
            if seen
            else {text: (sum(alignments), 0.0) for text, alignments in beams.items()}
        )
    return sorted(beams, key=lambda text: -sum(beams[text]))


def alternatives(frames: Logs, text: Text, symbols: int) -> Logs:
    """Return (len(text), symbols) log probabilities of each of the first `symbols` symbols in each place of the text.

    They are conditional on the rest of the text and sum to 1 in each place. The alignments before and after a place
    are the same for all symbols there (forward and backward variables, as in Graves et al. 2006).
    """
    blank_symbol = frames.shape[1] - 1
    states = _states([text, text[::-1]], blank_symbol)
    seen = _probabilities(frames)
    both = np.stack([seen[:, states[0]], seen[::-1, states[1]]], axis=1)
    alignments = [np.log(np.maximum(shares, MIN_SHARE)) + scale[:, None] for shares, scale in _forward(both, states)]
    before, behind = np.stack(alignments, axis=1)  # (T, 2 len(text) + 1) each
    behind = behind[::-1, ::-1]
    others = np.array(text)[:, None] != np.arange(symbols)  # (len(text), symbols): may be its neighbour without a blank
    into = np.full((len(frames), len(text), symbols), LOG_ZERO)
    out = into.copy()
    into[0, 0], out[-1, -1] = 0.0, 0.0
    into[1:] = _entering(before[:-1], others)
    out[:-1] = _entering(behind[1:, ::-1], others[::-1])[:, ::-1]
    logs, log = np.empty(into.shape), into[0]
    for number, frame in enumerate(frames[:, :symbols]):
        log = np.logaddexp(log, into[number]) + frame if number else log + frame
        logs[number] = log
    logs += out
    most = logs.max(axis=(0, 2))
    total = np.log(np.maximum(np.exp(logs - most[:, None]).sum(axis=0), MIN_SHARE))
    return np.asarray(total - np.logaddexp.reduce(total, axis=1, keepdims=True))


def spans(frames: Logs, text: Text) -> list[tuple[int, int]]:
    """Return from which frame to before which one each symbol of the text lasts, in the most probable alignment.

    The text must fit the frames: one for each symbol, and one between equal neighbours.
    """
    states = _states([text], frames.shape[1] - 1)[0]
    skips = _skips(states[None])[0]
    logs = np.full(len(states), LOG_ZERO)
    logs[:2] = frames[0][states[:2]]
    steps = np.zeros((len(frames), len(states)), int)
    for number, frame in enumerate(frames[1:], 1):
        padded = np.concatenate([[LOG_ZERO, LOG_ZERO], logs])
        alignments = np.stack([logs, padded[1:-1], np.where(skips, padded[:-2], LOG_ZERO)])
        steps[number] = alignments.argmax(axis=0)
        logs = alignments.max(axis=0) + frame[states]
    state = len(states) - 1 if logs[-1] >= logs[-2] else len(states) - 2
    visited = np.empty(len(frames), int)
    for number in range(len(frames) - 1, -1, -1):
        visited[number] = state
        state -= steps[number, state]
    lasting = [np.flatnonzero(visited == 2 * k + 1) for k in range(len(text))]
    return [(int(where[0]), int(where[-1]) + 1) for where in lasting]


def add(one: float, other: float) -> float:
    """Return log(exp(one) + exp(other)); for two numbers np.logaddexp takes three times as long."""
    high, low = (one, other) if one > other else (other, one)
    return high if low == LOG_ZERO else high + math.log1p(math.exp(low - high))


def _states(texts: Sequence[Text], blank_symbol: int) -> NDArray[np.int64]:
    """Return (N, S) symbols for each text: blank, symbol, blank, symbol, ... blank."""
    states = np.full((len(texts), 2 * max(map(len, texts), default=0) + 1), blank_symbol)
    for row, text in zip(states, texts, strict=True):
        row[1 : 2 * len(text) : 2] = text
    return states


def _probabilities(frames: Logs) -> Logs:
    """Return the frames' probabilities, none so small that the product of eight could underflow."""
    return np.asarray(np.exp(np.maximum(frames, MIN_LOG_PROBABILITY)))


def _skips(states: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Return for each of the (N, S) states whether it can follow the last but one: another symbol, no blank between."""
    skips = np.zeros(states.shape, bool)
    skips[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    return skips


def _forward(seen: Logs, states: NDArray[np.int64]) -> Iterator[tuple[Logs, Logs]]:
    """Yield for each frame the probability of all alignments that are in each state there.

    Args:
        seen: (T, N, S) probabilities of the states in each frame.
        states: (N, S) as `_states` returns them.

    Yields:
        (N, S) shares and the (N,) log probability of a share of 1: logarithms of all would take four times as
        long.
    """
    may_skip = _skips(states).astype(float)
    shares = np.zeros((len(states), states.shape[1] + 2))  # two columns of zeros
    own, step, skip = shares[:, 2:], shares[:, 1:-1], shares[:, :-2]
    scale = np.zeros(len(states))
    own[:, :2] = seen[0, :, :2]
    yield own, scale
    for number, emitted in enumerate(seen[1:], 1):
        alignment = skip * may_skip
        alignment += step
        alignment += own
        np.multiply(alignment, emitted, out=own)
        if number % RESCALE_FRAMES == 0:
            most = own.max(axis=1)
            own /= most[:, None]
            own[own < MIN_SHARE] = 0
            scale = scale + np.log(most)
        yield own, scale


def _entering(logs: Logs, others: NDArray[np.bool_]) -> Logs:
    """Return (T, L, symbols) log probabilities of entering each place's symbol from the (T, 2 L + 1) states."""
    step, skip = logs[:, :-1:2], logs[:, 1:-2:2]
    into = np.repeat(step[..., None], others.shape[1], axis=2)
    both = np.logaddexp(step[:, 1:], skip)
    into[:, 1:] = np.where(others[:-1], both[..., None], into[:, 1:])
    return into


def _grown(
    beams: dict[Text, tuple[float, float]],
    frame: list[float],
    seen: list[int],
    count: int,
    begins: Callable[[Text], bool] | None,
) -> dict[Text, tuple[float, float]]:
    """Return the best `count` texts after one more frame, in which some symbols may be `seen`.

    Both are shares of the most probable text before the frame, which keeps them from underflowing.
    """
    most = max(blank + full for blank, full in beams.values())
    grown: dict[Text, list[float]] = {}
    for text, (blank, full) in beams.items():
        grown[text] = [(blank + full) * frame[-1] / most, full * frame[text[-1]] / most if text else 0.0]
    for text, (blank, full) in beams.items():
        for symbol in seen:
            share = (blank if text and symbol == text[-1] else blank + full) * frame[symbol] / most
            if share >= MIN_BEAM_SHARE and (begins is None or begins((*text, symbol))):
                grown.setdefault((*text, symbol), [0.0, 0.0])[1] += share
    best = sorted(grown, key=lambda text: -sum(grown[text]))[:count] if len(grown) > count else grown
    return {text: (grown[text][0], grown[text][1]) for text in best}
