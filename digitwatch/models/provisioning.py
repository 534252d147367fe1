"""The configured model: found, converted, or trained if it does not exist."""

import hashlib
import importlib.util
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from enum import Enum
from pathlib import Path

from digitwatch.config.settings import BUNDLED, Settings, Training, model_path
from digitwatch.errors import ConfigurationError
from digitwatch.models import registry
from digitwatch.system.child_env import environment

HERE = Path(__file__).parent  # the bundled models lie beside this module


class NoModelError(ConfigurationError):
    """The model does not exist and cannot be made; the message says what to do."""


class Plan(Enum):
    """What must be done before a model can be used."""

    READY = "nothing"
    CONVERT = "convert the .keras file"
    TRAIN = "train it"


def active_model(settings: Settings) -> Path | str:
    """Return the model in use: the newest fine-tuned one, else the configured one.

    Raises:
        NoModelError: the history of fine-tuned models is damaged.
    """
    try:
        return registry.current(settings.taught, model_path(settings))
    except registry.RegistryError as error:
        raise NoModelError(str(error)) from error


def existing_model(settings: Settings) -> Path | str:
    """Return the model in use if it exists; nothing is converted or trained.

    Raises:
        NoModelError: it does not exist yet, or the history of fine-tuned models is damaged.
    """
    found, how = plan(active_model(settings))
    if how is not Plan.READY:
        raise NoModelError(f"{found}: restart digitwatch to {how.value}")
    return found


def plan(model: Path | str) -> tuple[Path | str, Plan]:
    """Return what to load, convert or train, and which of the three; nothing is done yet.

    Raises:
        NoModelError: a file of it is missing.
    """
    if isinstance(model, str):
        return model, Plan.READY
    if model.suffix == ".keras":
        return _keras(model)
    stem = model.with_suffix("") if model.suffix == ".tflite" else model
    network, card = (stem.with_name(stem.name + ending) for ending in (".tflite", ".json"))
    if network.is_file() and not card.is_file():
        raise NoModelError(
            f"model {network} has no card {card.name}: restore the card, or delete {network} to train a new model"
        )
    return stem, Plan.READY if network.is_file() else Plan.TRAIN


def name_of(model: Path | str) -> str:
    """Return what rows call a model, its name with a short hash, without loading it; "" where it must be made first.

    Raises:
        NoModelError: a file of it is missing.
    """
    found, how = plan(model)
    if how is not Plan.READY:
        return ""
    stem = HERE / found if isinstance(found, str) else found
    return f"{stem.name}-{_short_hash(stem)}"


def second_readers() -> str:
    """Return a short hash for each bundled model that reads beside the configured one."""
    stems = sorted(path.with_suffix("") for path in HERE.glob("*.tflite"))
    return " ".join(_short_hash(stem) for stem in stems if stem.name not in BUNDLED)


def _short_hash(stem: Path) -> str:
    return hashlib.sha256(stem.with_name(f"{stem.name}.tflite").read_bytes()).hexdigest()[:8]


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
    """Return a model that exists: a bundled name unchanged, else the stem of NAME.tflite and NAME.json.

    A .keras file is converted once, in its own folder; a model that does not exist is trained and saved
    under its name, which may take minutes. `progress` is called with a line of text from time to time.

    Raises:
        NoModelError: it cannot be converted or trained on this machine.
    """
    found, how = plan(model)
    if how is Plan.READY:
        return found
    require_tensorflow(found)
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
        NoModelError: it is not a digit model that can be converted.
    """
    if not zipfile.is_zipfile(keras):  # before TensorFlow is loaded
        raise NoModelError(f"{keras}: expected a model saved by Keras 3 as .keras, which is a zip file")
    _make(["--convert", str(keras), "--out", str(stem)], lambda _: None)


def require_tensorflow(model: Path | str) -> None:
    """Check that TensorFlow, which is needed to make `model`, is installed.

    Raises:
        NoModelError: it is not installed.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise NoModelError(
            f"model {model} must be made first, which needs TensorFlow: pip install 'digitwatch[train]'; "
            "or set a bundled one in config.yaml (model: cnn)"
        )


def _train(stem: Path, training: Training, progress: Callable[[str], None]) -> None:
    if training.data and not training.data.exists():  # before TensorFlow is loaded
        raise NoModelError(f"training.data: {training.data} does not exist")
    arguments = ["--model", training.architecture, "--out", str(stem), "--seed", str(training.seed)]
    arguments += ["--data", str(training.data)] if training.data else []
    arguments += ["--epochs", str(training.epochs)] if training.epochs else []
    _make(arguments, progress)


def _make(arguments: list[str], progress: Callable[[str], None]) -> None:
    """Run `digitwatch train` in a child process, so that the memory of TensorFlow is freed.

    Raises:
        NoModelError: it failed; the message is that of the child process.
    """
    command = [sys.executable, "-P", "-u", "-m", "digitwatch", "train", *arguments]
    with tempfile.TemporaryFile() as errors:
        with subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment(), text=True
        ) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if not line.startswith("to use it"):  # it is configured already
                    progress(line.rstrip())
        if process.returncode:
            errors.seek(0)
            last = errors.read().decode("utf-8", "replace").strip().rpartition("\n")[2]
            why = last.removeprefix("digitwatch: ") or f"the training ended with code {process.returncode}"
            raise NoModelError(why)
