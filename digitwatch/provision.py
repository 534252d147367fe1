"""The model that config.yaml names: found, converted, or trained when it is not there yet."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from digitwatch.config import Training

log = logging.getLogger(__name__)


class NoModel(Exception):
    """The model is not there and cannot be made; the message says what to do."""


def provide(model: Path | str, training: Training, progress: Callable[[str], None]) -> Path | str:
    """Give a model that exists: a bundled name as it is, else the stem of NAME.tflite and NAME.json.

    A .keras file is converted once, beside itself; a model that does not exist yet is trained and saved
    under its name. `progress` is called with a line now and then, which may take minutes in all.

    Raises:
        NoModel: it cannot be made here.
    """
    if isinstance(model, str):
        return model
    if model.suffix == ".keras":
        return _converted(model, progress)
    stem = model.with_suffix("") if model.suffix == ".tflite" else model
    if all(stem.with_name(stem.name + ending).is_file() for ending in (".tflite", ".json")):
        return stem
    _training_or_refuse(stem)
    progress(f"training {stem}, which does not exist yet")
    from digitwatch.training import train  # noqa: PLC0415 (TensorFlow loads only when it is needed)
    from digitwatch.training.datasets import DataError  # noqa: PLC0415

    options: dict[str, Any] = {"data": training.data, "epochs": training.epochs, "seed": training.seed}
    try:
        train.train(training.architecture, stem, progress=progress, **options)
    except DataError as error:
        raise NoModel(str(error)) from error
    return stem


def _converted(keras: Path, progress: Callable[[str], None]) -> Path:
    stem = keras.with_suffix("")
    card = stem.with_name(stem.name + ".json")
    if card.is_file() and (not keras.is_file() or card.stat().st_mtime >= keras.stat().st_mtime):
        return stem
    if not keras.is_file():
        raise NoModel(f"model {keras} does not exist")
    _training_or_refuse(keras)
    progress(f"converting {keras}")
    from digitwatch.training import export  # noqa: PLC0415

    try:
        export.convert(keras, stem)
    except export.ExportError as error:
        raise NoModel(str(error)) from error
    return stem


def _training_or_refuse(model: Path) -> None:
    try:
        import tensorflow  # noqa: F401, PLC0415
    except ImportError:
        raise NoModel(
            f"model {model} must be made first, which needs TensorFlow: pip install 'digitwatch[train]'; "
            "or name a bundled one in config.yaml (model: cnn)"
        ) from None
