"""The command-line arguments: options, commands and their help."""

import argparse
import os
import re
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from digitwatch import __version__
from digitwatch.system.shipped_files import shipped
from digitwatch.system.suggestions import suggestion

BUNDLED = ("cnn", "dense")
"""The bundled models that may be named alone."""

GIVEN_BEFORE: dict[str, object] = dict.fromkeys(("config", "profile", "quiet", "verbose"), argparse.SUPPRESS)
"""Defaults of a command's options: what was given before the command stays."""


class _Parser(argparse.ArgumentParser):
    """A parser whose errors name the word that was probably meant."""

    def error(self, message: str) -> NoReturn:
        """End the process with usage, message and hint."""
        super().error("; ".join(filter(None, (message, self._hint(message)))))

    def _hint(self, message: str) -> str:
        if found := re.search(r"invalid choice: '(.*)' \(choose from (.*)\)", message):
            if os.path.exists(found[1]):
                return f"to read a file or folder: digitwatch read {found[1]}, or digitwatch --batch {found[1]}"
            return suggestion(found[1], re.findall(r"[\w-]+", found[2]))
        if found := re.search(r"unrecognized arguments: (.*)", message):
            flags = (word.partition("=")[0] for word in found[1].split() if word.startswith("-"))
            return next(filter(None, (suggestion(flag, self._option_string_actions) for flag in flags)), "")
        return ""


class _PrintConfig(argparse.Action):
    """Prints the example configuration and ends the process."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object, **__: object) -> NoReturn:
        path = shipped("config.yaml")
        if path is None:
            parser.error("the example is not installed: see docs/settings.md")
        sys.stdout.write(path.read_text("utf-8"))
        parser.exit()


class _PrintCompletion(argparse.Action):
    """Prints the completions of a shell, made by shtab, and ends the process."""

    def __call__(self, parser: argparse.ArgumentParser, _: Any, shell: Any, option: Any = None) -> NoReturn:
        import shtab  # noqa: PLC0415 (needed for this only)

        for action in _all_actions(parser):
            if action.type is Path or action.dest == "names":
                is_folder = action.metavar in ("DIR", "DIR2", "FOLDER", "OUT")
                action.complete = shtab.DIRECTORY if is_folder else shtab.FILE  # type: ignore[attr-defined]
        sys.stdout.write(shtab.complete(parser, shell) + "\n")
        parser.exit()


def _all_actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """Yield the options and arguments of a parser and of all its commands."""
    for action in parser._actions:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            for each in action.choices.values():
                yield from _all_actions(each)


def parse(arguments: list[str] | None = None) -> argparse.Namespace:
    """Return the options of one call, `command` among them; end the process with code 2 if they are not usable."""
    parser = make_parser()
    options, unknown = parser.parse_known_args(arguments)
    if unknown:
        options.parser.error(f"unrecognized arguments: {' '.join(unknown)}")
    has_command = options.command is not None
    if has_command and options.batch is not None:
        parser.error(f"--batch cannot be combined with a command, found {options.command}")
    if not has_command:
        options.command = "watch" if options.batch is None else "batch"
    for option in ("out", "again", "forms", "verify", "shard", "ray"):
        if options.command == "watch" and getattr(options, option):
            parser.error(f"--{option} needs --batch")
    if options.command == "evaluate":
        _check_evaluate(options)
    return options


def _check_evaluate(options: argparse.Namespace) -> None:
    """End the process with code 2 if options for scans and for test digits are mixed."""
    for option in ("data", "report", "source") if options.scans else ("folder", "wrong"):
        if getattr(options, option):
            text = f"--{option} cannot be combined with --scans" if options.scans else f"--{option} needs --scans"
            options.parser.error(text)


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the command line."""
    parser = _Parser(
        prog="digitwatch",
        description="Reads handwritten digits and numbers from the scans that people drop into a folder. "
        "Without a command it watches the inbox until SIGTERM or Ctrl-C.",
        epilog="Exit codes: 0 done, 1 some scans or checks failed, 2 bad usage, 70 a bug, "
        "75 try again later, 78 bad configuration.",
    )
    parser.add_argument("--version", action="version", version=f"digitwatch {__version__}")
    parser.add_argument("--print-config", action=_PrintConfig, nargs=0, help="print an example of config.yaml")
    parser.add_argument(
        "--print-completion", action=_PrintCompletion, choices=("bash", "zsh"), help="print completions for this shell"
    )
    _add_common(parser, config=None, profile="", quiet=False, verbose=False)
    parser.add_argument("--batch", metavar="DIR", type=Path, help="read every scan below DIR, or one file, once")
    parser.add_argument("--out", metavar="DIR2", type=Path, help="output folder of --batch (default: DIR-digitwatch)")
    parser.add_argument("--verify", action="store_true", help="with --batch: also compare files that were read before")
    parser.add_argument("--shard", metavar="K/N", help="with --batch: read part K of N parts, split by name")
    parser.add_argument("--ray", metavar="ADDRESS", help="with --batch: read on a Ray cluster; local: on this machine")
    parser.add_argument("--forms", metavar="FOLDER", type=Path, help="form templates of --batch (default: `forms`)")
    parser.add_argument(
        "--again", action="store_true", help="with --batch: read anew what another model or other settings read"
    )
    parser.set_defaults(command=None, parser=parser)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_read(commands)
    _add_train(commands)
    _add_evaluate(commands)
    _command(commands, "check", "check the installation and print what to fix")
    _add_merge(commands)
    _add_retry(commands)
    _add_export(commands)
    _add_fields(commands)
    _add_sinks(commands)
    _add_web(commands)
    _add_install_service(commands)
    return parser


def _command(commands: "argparse._SubParsersAction[_Parser]", name: str, text: str) -> argparse.ArgumentParser:
    """Return the parser of a new command, with the options that all commands have."""
    parser = commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.")
    _add_common(parser, **GIVEN_BEFORE)
    parser.set_defaults(command=name, parser=parser)
    return parser


def _add_common(
    parser: argparse.ArgumentParser, *, config: object, profile: object, quiet: object, verbose: object
) -> None:
    """Add the options that all commands have; the values are their defaults."""
    how_much = parser.add_mutually_exclusive_group()
    how_much.add_argument("-q", "--quiet", action="store_true", default=quiet, help="print results and problems only")
    how_much.add_argument(
        "-v", "--verbose", action="store_true", default=verbose, help="log details (log_level: debug)"
    )
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        type=Path,
        default=config,
        help="settings (default: ./config.local.yaml, ./config.yaml, /etc/digitwatch/config.yaml, or built in)",
    )
    parser.add_argument(
        "--profile", metavar="NAME", default=profile, help="one of the `profiles` of the configuration (default: all)"
    )


def _add_read(commands: "argparse._SubParsersAction[_Parser]") -> None:
    read = _command(commands, "read", "read files and print the results; nothing is moved")
    read.add_argument(
        "names", metavar="FILE", nargs="+", help="an image; - takes an image, or names of images, from standard input"
    )
    read.add_argument("--json", action="store_true", help="print a JSON object for each page or field, one on a line")
    read.add_argument("--forms", metavar="FOLDER", type=Path, help="form templates (default: `forms`): read fields")
    read.add_argument("--annotate", metavar="DIR", type=Path, help="write the annotated pictures into DIR")


def _add_train(commands: "argparse._SubParsersAction[_Parser]") -> None:
    train = _command(commands, "train", "train a model and install it")
    train.add_argument(
        "--model", choices=("cnn", "line", "crop", "foreground", "dense"), help="the architecture (default: cnn)"
    )
    train.add_argument("--data", metavar="FILE.npz", type=Path, help="MNIST-like data (default: MNIST by Keras)")
    train.add_argument("--out", metavar="NAME", type=Path, help="output path of the model (default: models/MODEL)")
    train.add_argument("--start", metavar="NAME", type=Path, help="crop model whose training is continued (20 epochs)")
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


def _add_evaluate(commands: "argparse._SubParsersAction[_Parser]") -> None:
    evaluate = _command(commands, "evaluate", "measure a model on test digits, or on your own labelled scans")
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
    evaluate.add_argument(
        "--scans",
        metavar="LABELS.csv",
        type=Path,
        help="measure on the scans that this file names (columns file,text,group)",
    )
    evaluate.add_argument("--folder", metavar="DIR", type=Path, help="folder of --scans (default: that of LABELS.csv)")
    evaluate.add_argument("--wrong", action="store_true", help="with --scans: also list each wrong reading")


def _add_merge(commands: "argparse._SubParsersAction[_Parser]") -> None:
    merge = _command(commands, "merge", "join the outputs of all shards of a batch")
    merge.add_argument("outs", metavar="OUT", nargs="+", type=Path, help="the output folder of a run with --shard")
    merge.add_argument("--out", metavar="DIR", type=Path, required=True, help="a new folder for log and pictures")


def _add_retry(commands: "argparse._SubParsersAction[_Parser]") -> None:
    retry = _command(commands, "retry", "put failed scans back into the inbox")
    retry.add_argument(
        "names", metavar="NAME", nargs="*", help="path below the folder `failed`; without a name: list them"
    )
    retry.add_argument("--all", action="store_true", help="every scan in the folder `failed`")


def _add_export(commands: "argparse._SubParsersAction[_Parser]") -> None:
    export = _command(commands, "export", "print or write the log with the corrected values")
    export.add_argument("--day", metavar="2026-11-22", type=_day, help="only the rows of one day (UTC)")
    export.add_argument(
        "--format",
        choices=("csv", "jsonl", "parquet", "sqlite"),
        help="default: by the ending of --out, else csv; parquet needs the extra `parquet`",
    )
    export.add_argument("--out", metavar="FILE", type=Path, help="write this file instead of standard output")
    export.add_argument("--wide", action="store_true", help="one row a page of a form, with two columns a field")


def _add_fields(commands: "argparse._SubParsersAction[_Parser]") -> None:
    fields = _command(commands, "fields", "make, draw or test a form template")
    actions = fields.add_subparsers(title="actions", metavar="ACTION", required=True)
    new = actions.add_parser("new", help="write a template with the boxes found on an example")
    new.add_argument("example", metavar="EXAMPLE", type=Path, help="picture of a blank or filled page")
    draw = actions.add_parser("draw", help="draw the fields of a template on its example")
    draw.add_argument("template", metavar="TEMPLATE", type=Path)
    test = actions.add_parser("test", help="read the scans of a folder by a template; print a table")
    test.add_argument("template", metavar="TEMPLATE", type=Path)
    test.add_argument("folder", metavar="DIR", type=Path)
    for name, action in (("new", new), ("draw", draw), ("test", test)):
        _add_common(action, **GIVEN_BEFORE)
        action.add_argument("--out", metavar="PATH", type=Path, help="where the result is written")
        action.set_defaults(command="fields", action=name, parser=action)


def _add_sinks(commands: "argparse._SubParsersAction[_Parser]") -> None:
    sinks = _command(commands, "sinks", "deliver the log to the configured sinks; the daemon does so itself")
    sinks.add_argument("--once", action="store_true", help="end when everything is delivered")
    sinks.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)


def _add_web(commands: "argparse._SubParsersAction[_Parser]") -> None:
    web = _command(commands, "web", "serve the web interface alone; with web.listen the daemon starts it itself")
    # passed by the daemon to the server that it starts: an open socket, and a pipe that closes when the daemon ends
    web.add_argument("--socket", metavar="FD", type=int, help=argparse.SUPPRESS)
    web.add_argument("--until-eof", action="store_true", help=argparse.SUPPRESS)


def _add_install_service(commands: "argparse._SubParsersAction[_Parser]") -> None:
    service = _command(commands, "install-service", "copy the files of the systemd service into /etc, as root")
    service.add_argument("--remove", action="store_true", help="stop the service and delete these files")
    service.add_argument("--root", metavar="DIR", type=Path, default=Path("/"), help="work below DIR instead of /")


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
