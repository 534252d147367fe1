"""Ablation of the training data: small networks, each trained without one kind of variation, side by side."""

import argparse
import functools
import os
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.scanned import single_digits
from digitwatch.recognition.networks.digit_classifier import DigitClassifier
from digitwatch.training.data.digits import Digits, load
from digitwatch.training.evaluation import corruptions, report
from digitwatch.training.evaluation.evaluate import measure
from digitwatch.training.synthesis import augment, degrade, epochs

CORRUPTED = 1000  # digits per corruption
BASELINES = 3  # networks trained with everything; their spread shows what is chance
Change = tuple[Any, str, Any]  # a module, the name of what is changed in it, and its new value
PLAIN = epochs.Mix(1.0, 0.0, 0.0)
# A short training takes smaller steps, and averages its weights over fewer of them.
SHORT = {"batch": 64, "averaging": 0.98}
FAMILIES = {
    "blur, JPEG, few pixels, black and white": ("_blur", "_jpeg", "_coarse", "_threshold"),
    "pale ink, shadow": ("_fade", "_shade"),
    "grain, specks, dry ink, torn edges": ("_grain", "_specks", "_dry", "_ragged"),
    "background pattern": ("_pattern",),
    "box sides, lines": ("_edges", "_lines"),
    "rubbed out, scratched": ("_hide",),
    "random convolutions": ("_filter",),
}


@dataclass(frozen=True)
class Trial:
    """One network: what is left out of its training, and the seed."""

    without: str
    seed: int


def without() -> dict[str, list[Change]]:
    """Return what can be left out of the training, and the changes that do it."""
    clean = {name: epochs.Mix(mix.untouched, mix.mild, 0.0) for name, mix in _mixes().items()}
    tame = {name: epochs.Mix(mix.untouched, 1 - mix.untouched, 0.0) for name, mix in _mixes().items()}
    far = {name: epochs.Mix(0.0, 0.0, mix.damaged) for name, mix in _mixes().items()}
    return {
        "slant": [(augment, "SLANT", 0.0)],
        "rotation": [(augment, "TURN", 0.0)],
        "aspect": [(augment, "STRETCH", 0.0)],
        "elastic": [(augment, "BEND", (0.0, 0.0))],
        "stroke width": [(augment, "pen", lambda fine, rng: fine)],
        "scale and shift": [(augment, "place", lambda picture, rng: picture)],
        "cut edges": [(augment, "CUT", 0.0)],
        "fragments of neighbours": [(augment, "FRAGMENT", 0.0)],
        "ruled-line remnants": [(augment, "RULED", 0.0)],
        "bar and slash": [(augment, "BAR_OR_SLASH", 0.0)],
        "drawn hands": [(epochs, "DRAWN", 0.0)],
        "non-digits": [(epochs, "OTHERS", 0.0)],
        "digits as they are, or nearly": [(epochs, name, mix) for name, mix in far.items()],
        "digits as cut from a page": [(epochs, name, mix) for name, mix in tame.items()],
        "all damage": [(epochs, name, mix) for name, mix in clean.items()],
        **{family: [(degrade, "KINDS", _others(kinds))] for family, kinds in FAMILIES.items()},
        "everything (MNIST as it is)": [
            *((epochs, name, PLAIN) for name in _mixes()),
            (epochs, "DRAWN", 0.0),
            (epochs, "OTHERS", 0.0),
        ],
    }


def _mixes() -> dict[str, epochs.Mix]:
    return {"EARLY": epochs.EARLY, "LATE": epochs.LATE}


def _others(kinds: tuple[str, ...]) -> tuple[Any, ...]:
    return tuple(kind for kind in degrade.KINDS if kind.__name__ not in kinds)


def trials() -> Iterator[Trial]:
    """Yield a few networks trained with everything, then one without each ingredient."""
    yield from (Trial("", seed) for seed in range(BASELINES))
    yield from (Trial(name, 0) for name in without())


def tried(trial: Trial, data: Path, count: int, sources: dict[str, Digits]) -> dict[str, tuple[float, float]]:
    """Train one network and return (share of digits right, mean loss) for each source."""
    from digitwatch.training.fitting import train_digits  # noqa: PLC0415  # TensorFlow, in this process alone

    with ExitStack() as changes, tempfile.TemporaryDirectory() as folder:
        # Epochs are made in this process, where the changes apply.
        changes.enter_context(patch.object(train_digits, "generate", functools.partial(epochs.generate, processes=0)))
        changes.enter_context(patch.object(train_digits, "Recipe", functools.partial(train_digits.Recipe, **SHORT)))
        for module, name, value in without().get(trial.without, []):
            changes.enter_context(patch.object(module, name, value))
        run = train_digits.Run(data, count, trial.seed, lambda line: None)
        train_digits.train("cnn", Path(folder, "model"), run)
        model = DigitClassifier.load(Path(folder, "model"))
    return {name: _measured(model, digits) for name, digits in sources.items()}


def _measured(model: DigitClassifier, digits: Digits) -> tuple[float, float]:
    found = measure(model, digits)
    return found.named, found.loss


def gathered(data: Path, scans: Path | None, semeion: Path | None) -> dict[str, Digits]:
    """Return the test sets: test digits, clean and corrupted, real scans, and digits of another country."""
    test = load(data)[1]
    some = test[:: max(1, len(test) // CORRUPTED)]
    corrupted = [corruptions.corrupt(some.pictures, name) for name in corruptions.CORRUPTIONS]
    sources = {
        "MNIST": test,
        "corrupted": Digits(np.concatenate(corrupted), np.tile(some.labels, len(corrupted))),
    }
    if semeion:
        sources["Semeion"] = report.foreign(semeion)
    if scans:
        sources["scans"] = single_digits(scans)
    return sources


def smaller(data: Path, count: int, folder: Path) -> Path:
    """Write the first `count` training digits of `data`, with all test digits, as an .npz file of its own."""
    learn, test = load(data)
    path = folder / "some.npz"
    writers = {} if learn.writers is None else {"writers_train": learn.writers[:count]}
    few = {"x_train": learn.pictures[:count], "y_train": learn.labels[:count]}
    np.savez(path, **few, x_test=test.pictures, y_test=test.labels, **writers)
    return path


def main() -> None:
    """Train all networks, two at a time, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="MNIST as .npz")
    parser.add_argument("--scans", type=Path, help="CSV of file, text and group; the files in a folder of its name")
    parser.add_argument("--semeion", type=Path, help="Semeion as .npz")
    parser.add_argument("--digits", type=int, default=5_000, help="training digits of each network")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--processes", type=int, default=2)
    args = parser.parse_args()
    os.environ |= {"TF_NUM_INTRAOP_THREADS": "1", "TF_NUM_INTEROP_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    sources = gathered(args.data, args.scans, args.semeion)
    everything: dict[str, list[np.ndarray]] = {}
    print(f"| without |{''.join(f' {name}: right | loss |' for name in sources)}")
    print("|---|" + "---|---|" * len(sources))
    with (
        tempfile.TemporaryDirectory() as folder,
        ProcessPoolExecutor(args.processes, get_context("spawn"), max_tasks_per_child=1) as pool,
    ):
        data = smaller(args.data, args.digits, Path(folder))
        tasks = [(trial, pool.submit(tried, trial, data, args.epochs, sources)) for trial in trials()]
        for trial, task in tasks:
            found = np.array(list(task.result().values()))  # (sources, 2)
            everything.setdefault(trial.without, []).append(found)
            if trial.without or trial.seed == BASELINES - 1:
                print(_line(trial.without, everything), flush=True)


def _line(name: str, everything: dict[str, list[np.ndarray]]) -> str:
    """Return a row of the table: absolute scores of the full networks, differences from them for the others."""
    usual = np.array(everything[""])
    if not name:
        cells = (
            f"{right:.2%} ± {100 * spread[0]:.2f} | {loss:.3f} ± {spread[1]:.3f}"
            for (right, loss), spread in zip(usual.mean(0), usual.std(0, ddof=1), strict=True)
        )
        return f"| nothing | {' | '.join(cells)} |"
    change = everything[name][0] - usual.mean(0)
    return f"| {name} | {' | '.join(f'{100 * right:+.2f} | {loss:+.3f}' for right, loss in change)} |"


if __name__ == "__main__":
    main()
