"""`digitwatch train`: what is to be learned from what, and where the model goes."""

import argparse
import importlib.util
from collections.abc import Callable

from digitwatch.config import Settings
from digitwatch.exits import ExitCode, Refusal
from digitwatch.patience import told


def train(options: argparse.Namespace, settings: Callable[[], Settings]) -> ExitCode:
    """Train a model and install it; `settings` are read only where something of them is needed.

    Raises:
        Refusal: it cannot be done; the message says why.
    """
    need_tensorflow()
    from digitwatch.training.datasets import DataError  # noqa: PLC0415 (TensorFlow takes seconds to load)
    from digitwatch.training.export import ExportError  # noqa: PLC0415

    try:
        return _convert(options) if options.convert else _anew(options, settings)
    except (DataError, ExportError) as error:
        raise Refusal(ExitCode.USAGE, str(error)) from error
    except OSError as error:
        raise Refusal(ExitCode.TRY_LATER, told(error)) from error


def need_tensorflow() -> None:
    """Refuse where TensorFlow is not installed.

    Raises:
        Refusal: it is not.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise Refusal(ExitCode.USAGE, "this needs TensorFlow: pip install 'digitwatch[train]'")


def _anew(options: argparse.Namespace, settings: Callable[[], Settings]) -> ExitCode:
    """Train a network from nothing."""
    from digitwatch.training import train as training  # noqa: PLC0415

    out = options.out or settings().base / "models" / options.model
    training.train(options.model, out, data=options.data, epochs=options.epochs, seed=options.seed, progress=print)
    print(f"installed {out}.tflite with its card {out}.json")
    print(f"to use it, write into config.yaml: model: {out.absolute()}")
    return ExitCode.DONE


def _convert(options: argparse.Namespace) -> ExitCode:
    """Make a model of a .keras file; the daemon asks for it, in a process that ends."""
    from digitwatch.training import export  # noqa: PLC0415

    export.convert(options.convert, options.out or options.convert.with_suffix(""))
    return ExitCode.DONE
