"""The command-line arguments: options, commands and their help."""

import argparse
from datetime import date
from pathlib import Path

from digitwatch import __version__


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options of one call, `command` among them; end the process with code 2 if they are not usable."""
    parser = _parser()
    options = parser.parse_args(arguments)
    has_command = options.command is not None
    if has_command and options.batch is not None:
        parser.error(f"--batch cannot be combined with a command, found {options.command}")
    if not has_command:
        options.command = "watch" if options.batch is None else "batch"
    for name in ("out", "forms") if options.command == "watch" else ():
        if getattr(options, name) is not None:
            parser.error(f"--{name} needs --batch")
    return options


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="digitwatch",
        description="Reads handwritten digits and numbers from the scans that people drop into a folder. "
        "Without a command it watches the inbox until SIGTERM or Ctrl-C.",
        epilog="Exit codes: 0 done, 1 some scans or checks failed, 2 bad usage, 70 a bug, "
        "75 try again later, 78 bad configuration.",
    )
    parser.add_argument("--version", action="version", version=f"digitwatch {__version__}")
    _add_config(parser)
    parser.add_argument("--batch", metavar="DIR", type=Path, help="read every scan below DIR once, then exit")
    parser.add_argument("--out", metavar="DIR2", type=Path, help="output folder of --batch (default: DIR-digitwatch)")
    parser.add_argument("--forms", metavar="FOLDER", type=Path, help="form templates of --batch (default: `forms`)")
    parser.set_defaults(command=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_train(commands)
    _add_evaluate(commands)
    check = commands.add_parser("check", help="check the installation and print what to fix")
    _add_config(check, default=argparse.SUPPRESS)
    check.set_defaults(command="check")
    _add_retry(commands)
    _add_export(commands)
    _add_fields(commands)
    _add_web(commands)
    return parser


def _add_config(parser: argparse.ArgumentParser, default: object = None) -> None:
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        type=Path,
        default=default,
        help="configuration (default: ./config.yaml, then /etc/digitwatch/config.yaml, then built-in defaults)",
    )


def _add_train(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    train = commands.add_parser("train", help="train a model and install it")
    _add_config(train, default=argparse.SUPPRESS)
    train.add_argument(
        "--model", choices=("cnn", "line", "crop", "foreground", "dense"), help="the architecture (default: cnn)"
    )
    train.add_argument("--data", metavar="FILE.npz", type=Path, help="MNIST-like data (default: MNIST by Keras)")
    train.add_argument("--out", metavar="NAME", type=Path, help="output path of the model (default: models/MODEL)")
    train.add_argument("--epochs", type=_positive, help="passes over the data (default: depends on the model)")
    train.add_argument("--seed", type=int, default=1, help="seed of the random numbers (default: 1)")
    what = train.add_mutually_exclusive_group()
    what.add_argument(
        "--corrections",
        metavar="FILE",
        nargs="?",
        const="",
        help="fine-tune the configured model on reviewed pages (default: the configured file), "
        "and install it if it got better",
    )
    what.add_argument("--rollback", action="store_true", help="return to the model before the newest fine-tuned one")
    what.add_argument(
        "--dataset",
        metavar="NAME",
        help="mnist, or images to classify as a whole: fashion_mnist, cifar10, an .npz file, or a folder with one "
        "sub-folder per class",
    )
    # used by the process that the daemon starts to convert a model
    what.add_argument("--convert", metavar="FILE.keras", type=Path, help=argparse.SUPPRESS)
    train.set_defaults(command="train")


def _add_evaluate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    evaluate = commands.add_parser("evaluate", help="measure a model on test digits")
    _add_config(evaluate, default=argparse.SUPPRESS)
    evaluate.add_argument("--model", default=None, help="cnn, dense or a path (default: the configured one)")
    evaluate.add_argument("--data", metavar="FILE.npz", type=Path, help="test digits (default: MNIST by Keras)")
    evaluate.add_argument("--report", metavar="DIR", type=Path, help="also write an HTML report with charts into DIR")
    evaluate.add_argument(
        "--source",
        metavar="FILE.npz",
        type=Path,
        action="append",
        default=[],
        help="another data set for the report (may be given several times)",
    )
    evaluate.set_defaults(command="evaluate")


def _add_retry(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    retry = commands.add_parser("retry", help="put failed scans back into the inbox")
    _add_config(retry, default=argparse.SUPPRESS)
    retry.add_argument(
        "names", metavar="NAME", nargs="*", help="path below the folder `failed`; without a name: list them"
    )
    retry.add_argument("--all", action="store_true", help="every scan in the folder `failed`")
    retry.set_defaults(command="retry")


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    export = commands.add_parser("export", help="print the log with the corrected values as CSV")
    _add_config(export, default=argparse.SUPPRESS)
    export.add_argument("--day", metavar="2026-11-22", type=_day, help="only the rows of one day (UTC)")
    export.add_argument("--wide", action="store_true", help="one row a page of a form, with two columns a field")
    export.set_defaults(command="export")


def _add_fields(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    fields = commands.add_parser("fields", help="make, draw or test a form template")
    _add_config(fields, default=argparse.SUPPRESS)
    actions = fields.add_subparsers(title="actions", metavar="ACTION", required=True)
    new = actions.add_parser("new", help="write a template with the boxes found on an example")
    new.add_argument("example", metavar="EXAMPLE", type=Path, help="picture of a blank or filled page")
    draw = actions.add_parser("draw", help="draw the fields of a template on its example")
    draw.add_argument("template", metavar="TEMPLATE", type=Path)
    test = actions.add_parser("test", help="read the scans of a folder by a template; print a table")
    test.add_argument("template", metavar="TEMPLATE", type=Path)
    test.add_argument("folder", metavar="DIR", type=Path)
    for name, action in (("new", new), ("draw", draw), ("test", test)):
        action.add_argument("--out", metavar="PATH", type=Path, help="where the result is written")
        action.set_defaults(command="fields", action=name)


def _add_web(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    web = commands.add_parser("web", help="serve the web interface alone; with web.listen the daemon starts it itself")
    _add_config(web, default=argparse.SUPPRESS)
    # passed by the daemon to the server that it starts: an open socket, and a pipe that closes when the daemon ends
    web.add_argument("--socket", metavar="FD", type=int, help=argparse.SUPPRESS)
    web.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)
    web.set_defaults(command="web")


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a day such as 2026-11-22, found {text!r}") from None


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"expected 1 or more, found {number}")
    return number
