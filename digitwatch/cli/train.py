"""`digitwatch train` and `digitwatch evaluate`; what needs TensorFlow is imported late, as it takes seconds to load."""

import importlib.util
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from digitwatch.cli import factories
from digitwatch.cli.factories import Config
from digitwatch.cli.outputs import output_folder
from digitwatch.config.settings import model_path
from digitwatch.corrections import training_pages
from digitwatch.errors import ExitCode, UsageError
from digitwatch.forms import schema
from digitwatch.models import provisioning, registry
from digitwatch.system.suggestions import suggestion

RELOAD_HINT = "a running digitwatch loads it on SIGHUP (systemctl reload digitwatch)"


@dataclass(frozen=True)
class TrainArguments:
    """What to train and how; None for what was not given.

    model: the architecture, cnn, line or dense. dataset: a name of keras.datasets, an .npz file or a folder.
    data: an .npz file of digits. out: the path of the model without ending.
    start: the same of a crop model whose training continues.
    """

    model: str | None = None
    dataset: str | None = None
    data: Path | None = None
    out: Path | None = None
    epochs: int | None = None
    seed: int = 1
    start: Path | None = None


def train(config: Config, arguments: TrainArguments) -> ExitCode:
    """Train a network from random weights and save it; the configuration is read only if `out` is not given.

    Raises:
        UsageError: the arguments exclude each other, or the data cannot be used.
    """
    _require_tensorflow()
    from digitwatch.training.fitting import train_digits, train_images  # noqa: PLC0415

    is_digits = arguments.dataset in (None, "mnist")  # digits have a test set and reference scores of their own
    if not is_digits and (arguments.data or arguments.model):
        raise UsageError("--dataset cannot be combined with --data or --model")
    if arguments.start and arguments.model != "crop":
        raise UsageError("--start continues the training of a crop model: add --model crop")
    name = arguments.model or "cnn" if is_digits else Path(arguments.dataset or "").stem
    out = arguments.out or factories.load_all_settings(config)[0].base / "models" / name
    output_folder("--out", out.parent)  # before minutes of training
    if is_digits:
        run = train_digits.Run(arguments.data, arguments.epochs, arguments.seed, print)
        if arguments.start:
            train_digits.continue_crop(arguments.start, out, run)
        else:
            train_digits.train(name, out, run)
    else:
        train_images.train(str(arguments.dataset), out, epochs=arguments.epochs, seed=arguments.seed, progress=print)
    print(f"installed {out}.tflite with its card {out}.json")
    print(f"to use it, write into config.yaml: model: {out.absolute()}")
    return ExitCode.DONE


def convert(keras: Path, out: Path | None) -> ExitCode:
    """Convert a .keras file; the daemon runs this in a process of its own, so that TensorFlow's memory is freed."""
    _require_tensorflow()
    from digitwatch.training.export import tflite  # noqa: PLC0415

    tflite.convert(keras, out or keras.with_suffix(""))
    return ExitCode.DONE


def fine_tune(config: Config, corrections: str, arguments: TrainArguments) -> ExitCode:
    """Fine-tune the configured model on reviewed pages and install it if it got better.

    `corrections` is the file with the corrections, "" for the configured one.

    Raises:
        UsageError: there is too little to learn from, or a file cannot be used.
        NoModelError: the configured model does not exist.
    """
    _require_tensorflow()
    from digitwatch.training.data.labelled_crops import Page  # noqa: PLC0415
    from digitwatch.training.export import tflite  # noqa: PLC0415
    from digitwatch.training.fitting import fine_tune as tuning  # noqa: PLC0415

    if arguments.out or arguments.model or arguments.start:
        raise UsageError(
            "--corrections cannot be combined with --model, --start or --out: it fine-tunes the configured model"
        )
    settings = factories.load_settings(config)
    content = partial(training_pages.content, factories.folders(settings))
    file = Path(corrections or settings.corrections)
    found, hasty = training_pages.pages(settings.predictions, file, settings.rotated_logs)
    if hasty:
        print(f"{hasty} confirmations came within 0.3 s after the one before and are skipped: a key was held down")
    pages = [Page(page.scan, page.page, page.text, partial(content, page), page.field) for page in found]
    forms = schema.load(settings.forms) if settings.forms else ()
    configured, _ = provisioning.plan(model_path(settings))
    recipe = tuning.FineTuneRecipe(arguments.data, arguments.epochs or tuning.EPOCHS, arguments.seed, forms)
    result = tuning.fine_tune(configured, provisioning.existing_model(settings), pages, recipe)
    if result.objection:
        print(f"not installed: {result.objection}")
        return ExitCode.SOME_FAILED
    save = partial(tflite.save, result.content, result.card)
    stem = registry.install(settings.taught, model_path(settings), save)
    print(f"installed {stem}.tflite, which now replaces `model: {settings.model}`; {RELOAD_HINT}")
    return ExitCode.DONE


def rollback(config: Config) -> ExitCode:
    """Return to the model that was in use before the newest fine-tuned one.

    Raises:
        UsageError: no fine-tuned model is in use.
    """
    settings = factories.load_settings(config)
    done = registry.rollback(settings.taught, model_path(settings))
    if done is None:
        raise UsageError(f"--rollback: no fine-tuned model is in use, only `model: {settings.model}`")
    removed, active = done
    print(f"back to {active}; {removed}.tflite is kept; {RELOAD_HINT}")
    return ExitCode.DONE


def evaluate(
    config: Config, model: str | None, data: Path | None, report: Path | None, sources: list[Path]
) -> ExitCode:
    """Measure a model on test digits; also write a report with charts into the folder `report` if given.

    Args:
        path: the configuration, None for the one found.
        model: a bundled name or a path, None for the configured model.
        data: an .npz file with test digits, None for MNIST.
        report: the folder of the report.
        sources: further data sets for the report.

    Raises:
        UsageError: the data or the model cannot be used.
    """
    settings = factories.load_settings(config)
    require_model(model)
    if report is not None:
        output_folder("--report", report)
    from digitwatch.recognition.reader import locate  # noqa: PLC0415 (loads OpenCV and LiteRT)
    from digitwatch.training.evaluation import evaluate as evaluation  # noqa: PLC0415

    if sources and report is None:
        raise UsageError("--source needs --report")
    if data is None:
        _require_tensorflow()
    found = locate(model or provisioning.active_model(settings))
    print(evaluation.evaluate(found, data=data))
    if report is not None:
        from digitwatch.training.evaluation import report as charts  # noqa: PLC0415 (draws with matplotlib)

        print(f"\nSee {charts.report(found, report, data=data, sources=sources)}")
    return ExitCode.DONE


def require_model(model: str | None) -> None:
    """Check that a model named on the command line exists, if one is: a bundled one, or a file.

    Raises:
        UsageError: it is a bare name that nothing has.
    """
    if not model or "/" in model or any(Path(f"{model}{end}").exists() for end in ("", ".tflite", ".keras")):
        return
    names = sorted(path.stem for path in provisioning.HERE.glob("*.tflite"))
    if model not in names:
        hint = suggestion(model, names)
        raise UsageError(f"--model: no bundled model and no file has the name {model}{f'; {hint}' if hint else ''}")


def _require_tensorflow() -> None:
    if importlib.util.find_spec("tensorflow") is None:
        raise UsageError("this needs TensorFlow: pip install 'digitwatch[train]'")
