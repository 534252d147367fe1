"""What a row says, from what stands in each of its frames: connectionist temporal classification.

After Graves et al., "Connectionist temporal classification", 2006: a text has the probability of all the ways to
lay it over the frames, where a symbol may last for several frames and nothing may stand between two of them.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Logs = NDArray[np.float64]
Text = tuple[int, ...]

IMPOSSIBLE = -np.inf
FEW = 4  # symbols in a frame that a search goes on with


def log_probabilities(frames: Logs, texts: Sequence[Text]) -> Logs:
    """Return (N,) log probabilities of the texts.

    Args:
        frames: (T, C) log probabilities of the C symbols in each frame; the last symbol is nothing.
        texts: N texts of symbols 0 to C - 2, of any lengths.
    """
    longest = max(map(len, texts), default=0)
    nothing = frames.shape[1] - 1
    states = np.full((len(texts), 2 * longest + 1), nothing)  # nothing, symbol, nothing, symbol, ... nothing
    for row, text in zip(states, texts, strict=True):
        row[1 : 2 * len(text) : 2] = text
    skips = np.zeros(states.shape, bool)  # a symbol can follow another kind of symbol without nothing between
    skips[:, 3::2] = states[:, 3::2] != states[:, 1:-2:2]
    logs = np.full((len(texts), states.shape[1] + 2), IMPOSSIBLE)  # two columns that nothing comes from
    logs[:, 2:4] = frames[0][states[:, :2]]
    for frame in frames[1:]:
        stay, step, skip = logs[:, 2:], logs[:, 1:-1], np.where(skips, logs[:, :-2], IMPOSSIBLE)
        logs[:, 2:] = np.logaddexp(np.logaddexp(stay, step), skip) + frame[states]
    rows, ends = np.arange(len(texts)), 2 * np.array([len(text) for text in texts], int) + 2
    last = np.where(ends > 2, logs[rows, ends - 1], IMPOSSIBLE)
    return np.asarray(np.logaddexp(logs[rows, ends], last))


def likely_texts(frames: Logs, count: int) -> list[Text]:
    """Return up to `count` of the most probable texts, best first (prefix beam search; Hannun et al. 2014).

    Args:
        frames: (T, C) as in log_probabilities.
    """
    nothing = frames.shape[1] - 1
    beams: dict[Text, tuple[float, float]] = {(): (0.0, IMPOSSIBLE)}  # ending in nothing, ending in a symbol
    for frame in frames:
        grown: dict[Text, list[float]] = defaultdict(lambda: [IMPOSSIBLE, IMPOSSIBLE])
        symbols = [int(k) for k in np.argsort(frame[:nothing])[-FEW:]]
        for text, (blank, full) in beams.items():
            either = np.logaddexp(blank, full)
            same = grown[text]
            same[0] = np.logaddexp(same[0], either + frame[nothing])
            for symbol in symbols:
                longer = grown[(*text, symbol)]
                if text and symbol == text[-1]:
                    same[1] = np.logaddexp(same[1], full + frame[symbol])
                    longer[1] = np.logaddexp(longer[1], blank + frame[symbol])
                else:
                    longer[1] = np.logaddexp(longer[1], either + frame[symbol])
        best = sorted(grown.items(), key=lambda item: -np.logaddexp(item[1][0], item[1][1]))[:count]
        beams = {text: (blank, full) for text, (blank, full) in best}
    return list(beams)


def alternatives(frames: Logs, text: Text, symbols: int) -> Logs:
    """Return (len(text), symbols) log probabilities of each of the first `symbols` symbols in each place of the text.

    In each place they are what remains when the rest of the text is right; they sum to 1.
    """
    changed = [(*text[:k], symbol, *text[k + 1 :]) for k in range(len(text)) for symbol in range(symbols)]
    logs = log_probabilities(frames, changed).reshape(len(text), symbols)
    return np.asarray(logs - np.logaddexp.reduce(logs, axis=1, keepdims=True))


def spans(frames: Logs, text: Text) -> list[tuple[int, int]]:
    """Return from which frame to before which one each symbol of the text lasts, on the most probable way to lay it.

    The text must fit the frames: one for each symbol, and one between two of a kind.
    """
    nothing = frames.shape[1] - 1
    states = np.full(2 * len(text) + 1, nothing)
    states[1::2] = text
    skips = np.zeros(len(states), bool)
    skips[3::2] = states[3::2] != states[1:-2:2]
    logs = np.full(len(states), IMPOSSIBLE)
    logs[:2] = frames[0][states[:2]]
    steps = np.zeros((len(frames), len(states)), int)
    for number, frame in enumerate(frames[1:], 1):
        padded = np.concatenate([[IMPOSSIBLE, IMPOSSIBLE], logs])
        ways = np.stack([logs, padded[1:-1], np.where(skips, padded[:-2], IMPOSSIBLE)])
        steps[number] = ways.argmax(axis=0)
        logs = ways.max(axis=0) + frame[states]
    state = len(states) - 1 if logs[-1] >= logs[-2] else len(states) - 2
    visited = np.empty(len(frames), int)
    for number in range(len(frames) - 1, -1, -1):
        visited[number] = state
        state -= steps[number, state]
    lasting = [np.flatnonzero(visited == 2 * k + 1) for k in range(len(text))]
    return [(int(where[0]), int(where[-1]) + 1) for where in lasting]
