"""The model that config.yaml names: found, converted, or trained when it is not there yet."""

import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from digitwatch.config.settings import Settings, Training, model_path
from digitwatch.errors import ConfigurationError
from digitwatch.models import registry
from digitwatch.system.child_env import environment


class NoModelError(ConfigurationError):
    """The model is not there and cannot be made; the message says what to do."""


class Plan(Enum):
    """What is to be done before a model can be used."""

    READY = "nothing"
    CONVERT = "convert the .keras file"
    TRAIN = "train it"


def active_model(settings: Settings) -> Path | str:
    """Give the model that reads: the newest that learned from corrections, else the one that config.yaml names.

    Raises:
        NoModelError: which one it is cannot be told.
    """
    try:
        return registry.current(settings.taught, model_path(settings))
    except registry.RegistryError as error:
        raise NoModelError(str(error)) from error


def existing_model(settings: Settings) -> Path | str:
    """Give the model that is to read, without making anything.

    Raises:
        NoModelError: it cannot be told, or does not exist yet.
    """
    found, how = plan(active_model(settings))
    if how is not Plan.READY:
        raise NoModelError(f"{found}: to {how.value} takes a restart")
    return found


def plan(model: Path | str) -> tuple[Path | str, Plan]:
    """Give what to load, convert or train, and which of the three; nothing is done yet.

    Raises:
        NoModelError: a part of it is missing, so that nothing can be done.
    """
    if isinstance(model, str):
        return model, Plan.READY
    if model.suffix == ".keras":
        return _keras(model)
    stem = model.with_suffix("") if model.suffix == ".tflite" else model
    network, card = (stem.with_name(stem.name + ending) for ending in (".tflite", ".json"))
    if network.is_file() and not card.is_file():
        raise NoModelError(
            f"model {network} lacks its card {card.name}: put it beside it, or delete {network} to train anew"
        )
    return stem, Plan.READY if network.is_file() else Plan.TRAIN


def _keras(keras: Path) -> tuple[Path, Plan]:
    stem = keras.with_suffix("")
    network, card = (stem.with_name(stem.name + ending) for ending in (".tflite", ".json"))
    made = network.is_file() and card.is_file()
    if made and (not keras.is_file() or card.stat().st_mtime >= keras.stat().st_mtime):
        return stem, Plan.READY
    if not keras.is_file():
        raise NoModelError(f"model {keras} does not exist")
    return keras, Plan.CONVERT


def provide(model: Path | str, training: Training, progress: Callable[[str], None]) -> Path | str:
    """Give a model that exists: a bundled name as it is, else the stem of NAME.tflite and NAME.json.

    A .keras file is converted once, beside itself; a model that does not exist yet is trained and saved
    under its name. `progress` is called with a line now and then, which may take minutes in all.

    Raises:
        NoModelError: it cannot be made here.
    """
    found, how = plan(model)
    if how is Plan.READY:
        return found
    needs_tensorflow(found)
    found = Path(found)
    if how is Plan.CONVERT:
        progress(f"converting {found}")
        convert(found, found.with_suffix(""))
        return found.with_suffix("")
    progress(f"training {found}, which does not exist yet")
    _train(found, training, progress)
    return found


def convert(keras: Path, stem: Path) -> None:
    """Make `stem`.tflite and `stem`.json of a .keras file.

    Raises:
        NoModelError: it is no model of digits that can be converted.
    """
    if not zipfile.is_zipfile(keras):  # told at once, not when TensorFlow is loaded
        raise NoModelError(f"{keras}: expected a model saved by Keras 3 as .keras, which is a zip file")
    _make(["--convert", str(keras), "--out", str(stem)], lambda _: None)


def needs_tensorflow(model: Path | str) -> None:
    """Refuse to make a model where TensorFlow is not there.

    Raises:
        NoModelError: it is not.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise NoModelError(
            f"model {model} must be made first, which needs TensorFlow: pip install 'digitwatch[train]'; "
            "or name a bundled one in config.yaml (model: cnn)"
        )


def _train(stem: Path, training: Training, progress: Callable[[str], None]) -> None:
    if training.data and not training.data.exists():  # told at once, not when TensorFlow is loaded
        raise NoModelError(f"training.data: {training.data} does not exist")
    asked = ["--model", training.architecture, "--out", str(stem), "--seed", str(training.seed)]
    asked += ["--data", str(training.data)] if training.data else []
    asked += ["--epochs", str(training.epochs)] if training.epochs else []
    _make(asked, progress)


def _make(arguments: list[str], progress: Callable[[str], None]) -> None:
    """Run `digitwatch train` in a process of its own, so that TensorFlow's memory ends with it.

    Raises:
        NoModelError: it did not succeed; the message is its own.
    """
    command = [sys.executable, "-P", "-u", "-m", "digitwatch", "train", *arguments]
    with tempfile.TemporaryFile() as complaints:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=complaints, env=environment(), text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if not line.startswith("to use it"):  # config.yaml names it already
                    progress(line.rstrip())
        if process.returncode:
            complaints.seek(0)
            said = complaints.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
            why = said.removeprefix("digitwatch: ") or f"the training ended with code {process.returncode}"
            raise NoModelError(why)
