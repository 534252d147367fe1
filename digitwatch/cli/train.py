"""`digitwatch train` and `evaluate`: what is learned from what, where the model goes, and how good it is."""

import argparse
import importlib.util
from collections.abc import Callable
from functools import partial
from pathlib import Path

from digitwatch.cli.exit_codes import CommandError, ExitCode
from digitwatch.config.settings import Settings, model_path
from digitwatch.corrections import training_pages
from digitwatch.models import provisioning, registry
from digitwatch.spool.folders import Folders
from digitwatch.system.os_errors import describe

TAKE_OVER = "a running digitwatch takes it over on SIGHUP (systemctl reload digitwatch)"


def train(options: argparse.Namespace, settings: Callable[[], Settings]) -> ExitCode:
    """Train a model and install it; `settings` are read only where something of them is needed.

    Raises:
        CommandError: it cannot be done; the message says why.
    """
    try:
        if options.rollback:
            return _rollback(settings())
        need_tensorflow()
        return _train(options, settings)
    except registry.RegistryError as error:
        raise CommandError(ExitCode.CONFIG, str(error)) from error
    except OSError as error:
        raise CommandError(ExitCode.TRY_LATER, describe(error)) from error


def _train(options: argparse.Namespace, settings: Callable[[], Settings]) -> ExitCode:
    from digitwatch.recognition.networks.digit_classifier import ModelError  # noqa: PLC0415 (TensorFlow takes seconds to load)
    from digitwatch.training.data.digits import DataError  # noqa: PLC0415
    from digitwatch.training.export.tflite import ExportError  # noqa: PLC0415
    from digitwatch.training.export.tflite_to_keras import RecoverError  # noqa: PLC0415

    try:
        if options.convert:
            return _convert(options)
        if options.corrections is not None:
            return _teach(options, settings())
        return _anew(options, settings)
    except (DataError, ExportError, ModelError, RecoverError) as error:
        raise CommandError(ExitCode.USAGE, str(error)) from error


def need_tensorflow() -> None:
    """Refuse where TensorFlow is not installed.

    Raises:
        CommandError: it is not.
    """
    if importlib.util.find_spec("tensorflow") is None:
        raise CommandError(ExitCode.USAGE, "this needs TensorFlow: pip install 'digitwatch[train]'")


def _anew(options: argparse.Namespace, settings: Callable[[], Settings]) -> ExitCode:
    """Train a network from nothing."""
    from digitwatch.training.fitting import train_digits as training  # noqa: PLC0415
    from digitwatch.training.fitting import train_images  # noqa: PLC0415

    name = options.model or "cnn"
    course = {"epochs": options.epochs, "seed": options.seed, "progress": print}
    if options.dataset in (None, "mnist"):  # which are the digits that all others are measured by
        out = options.out or settings().base / "models" / name
        training.train(name, out, data=options.data, **course)
    elif options.data or options.model:
        raise CommandError(ExitCode.USAGE, "--dataset goes without --data and --model")
    else:
        out = options.out or settings().base / "models" / Path(options.dataset).stem
        train_images.train(options.dataset, out, **course)
    print(f"installed {out}.tflite with its card {out}.json")
    print(f"to use it, write into config.yaml: model: {out.absolute()}")
    return ExitCode.DONE


def _convert(options: argparse.Namespace) -> ExitCode:
    """Make a model of a .keras file; the daemon asks for it, in a process that ends."""
    from digitwatch.training.export import tflite  # noqa: PLC0415

    tflite.convert(options.convert, options.out or options.convert.with_suffix(""))
    return ExitCode.DONE


def _teach(options: argparse.Namespace, settings: Settings) -> ExitCode:
    """Let the model of config.yaml learn on from what people have reviewed, and install it if that made it better."""
    from digitwatch.training.data.labelled_crops import Page  # noqa: PLC0415
    from digitwatch.training.export import tflite  # noqa: PLC0415
    from digitwatch.training.fitting import fine_tune  # noqa: PLC0415

    if options.out or options.model:
        raise CommandError(
            ExitCode.USAGE, "--corrections goes without --model and --out: it is the model of config.yaml"
        )
    places = Folders(settings.inbox, settings.outbox, settings.archive, settings.failed, settings.base)
    found = training_pages.pages(settings.predictions, Path(options.corrections or settings.corrections))
    pages = [Page(page.scan, page.page, page.text, partial(training_pages.content, places, page)) for page in found]
    try:
        named, _ = provisioning.plan(model_path(settings))
        in_use = provisioning.at_hand(settings)
    except provisioning.NoModelError as error:
        raise CommandError(ExitCode.CONFIG, str(error)) from error
    course = fine_tune.Course(options.data, options.epochs or fine_tune.EPOCHS, options.seed)
    result = fine_tune.teach(named, in_use, pages, course)
    if result.objection:
        print(f"not installed: {result.objection}")
        return ExitCode.SOME_FAILED
    save = partial(tflite.save, result.content, result.card)
    stem = registry.install(settings.taught, model_path(settings), save)
    print(f"installed {stem}.tflite, which now stands in for `model: {settings.model}`; {TAKE_OVER}")
    return ExitCode.DONE


def _rollback(settings: Settings) -> ExitCode:
    """Go back to the model before the newest taught one."""
    done = registry.rollback(settings.taught, model_path(settings))
    if done is None:
        raise CommandError(ExitCode.USAGE, f"there is nothing to go back from: `model: {settings.model}` reads itself")
    left, now = done
    print(f"back to {now}; {left}.tflite is kept; {TAKE_OVER}")
    return ExitCode.DONE


def evaluate(options: argparse.Namespace, settings: Settings) -> ExitCode:
    """Measure a model on test digits, in lines or as a page with pictures.

    Raises:
        CommandError: it cannot be done; the message says why.
    """
    from digitwatch.recognition.networks.digit_classifier import ModelError  # noqa: PLC0415 (loads OpenCV and LiteRT)
    from digitwatch.recognition.reader import locate  # noqa: PLC0415
    from digitwatch.training.data.digits import DataError  # noqa: PLC0415
    from digitwatch.training.evaluation import evaluate as evaluation  # noqa: PLC0415

    if options.source and options.report is None:
        raise CommandError(ExitCode.USAGE, "--source goes with --report")
    if options.data is None:
        need_tensorflow()
    try:
        model = locate(options.model or provisioning.chosen(settings))
        print(evaluation.evaluate(model, data=options.data))
        if options.report is not None:
            from digitwatch.training.evaluation.report import report  # noqa: PLC0415 (draws with matplotlib)

            print(f"\nSee {report(model, options.report, data=options.data, sources=options.source)}")
    except (DataError, ModelError, provisioning.NoModelError) as error:
        raise CommandError(ExitCode.USAGE, str(error)) from error
    except OSError as error:
        raise CommandError(ExitCode.TRY_LATER, describe(error)) from error
    return ExitCode.DONE
