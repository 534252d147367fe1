"""Arguments to one call; the only reader of sys.argv. Imports wait until a command needs them."""

import argparse
import logging
import os
import sys
from datetime import date
from pathlib import Path

PRINTING = ("check", "evaluate", "export", "retry", "train")  # commands whose lines may be read by another program


def main(arguments: list[str] | None = None) -> int:
    """Run one command; give its exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command != "watch_or_batch" and options.batch is not None:
        parser.error(f"--batch goes without a command, found {options.command}")
    if options.out is not None and options.command == "watch_or_batch" and options.batch is None:
        parser.error("--out goes with --batch")
    if options.command == "watch_or_batch":
        from digitwatch.system.temp_dir import settle  # noqa: PLC0415 (as below)
        from digitwatch.workers.process import warm_up  # noqa: PLC0415

        settle()
        warm_up()
    from digitwatch.cli import commands  # noqa: PLC0415 (--help need not wait for it)
    from digitwatch.cli.exit_codes import CommandError, ExitCode  # noqa: PLC0415
    from digitwatch.config.settings import ConfigError  # noqa: PLC0415
    from digitwatch.spool.csv_rows import printable  # noqa: PLC0415

    try:
        code = int(getattr(commands, options.command)(options))
        if options.command in PRINTING:
            sys.stdout.flush()  # here, where a reader that is gone can still be told from a bug
        return code
    except ConfigError as error:
        print(f"digitwatch: the configuration cannot be used\n{error}", file=sys.stderr)
        return ExitCode.CONFIG
    except CommandError as refusal:
        print(f"digitwatch: {printable(str(refusal))}", file=sys.stderr)
        return refusal.code
    except KeyboardInterrupt:
        print("digitwatch: interrupted; a batch goes on where it stopped when it is run again", file=sys.stderr)
        return ExitCode.TRY_LATER
    except Exception as error:  # the last resort
        return _exit_code_of(error, is_printing=options.command in PRINTING)


def _exit_code_of(error: Exception, *, is_printing: bool) -> int:
    """Return the exit code of an error that nothing else handled, so that a bug is known by it."""
    from digitwatch.cli.exit_codes import ExitCode  # noqa: PLC0415 (as above)
    from digitwatch.system.os_errors import is_thread_limit  # noqa: PLC0415

    if isinstance(error, BrokenPipeError) and is_printing:  # whoever read it (`head`) has enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.DONE
    if is_thread_limit(error):
        print("digitwatch: no thread could be started: raise the limit (ulimit -u, TasksMax=)", file=sys.stderr)
        return ExitCode.TRY_LATER
    logging.getLogger("digitwatch").error(
        "this is a bug in digitwatch; please report it with these lines", exc_info=error
    )
    return ExitCode.BUG


def _parser() -> argparse.ArgumentParser:
    from digitwatch import __version__  # noqa: PLC0415 (a constant of the package root, not a module)

    parser = argparse.ArgumentParser(
        prog="digitwatch",
        description="Reads handwritten digits and numbers from the scans that people drop into a folder. "
        "Without a command it watches the inbox until SIGTERM or Ctrl-C.",
        epilog="Exit codes: 0 done, 1 some scans or checks failed, 2 bad usage, 70 a bug, "
        "75 try again later, 78 bad configuration.",
    )
    parser.add_argument("--version", action="version", version=f"digitwatch {__version__}")
    _add_config(parser)
    parser.add_argument("--batch", metavar="DIR", type=Path, help="read every scan below DIR once, then end")
    parser.add_argument("--out", metavar="DIR2", type=Path, help="where --batch writes (default: DIR-digitwatch)")
    parser.set_defaults(command="watch_or_batch")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_train(commands)
    _add_evaluate(commands)
    check = commands.add_parser("check", help="look at the whole installation and say what to mend")
    _add_config(check, default=argparse.SUPPRESS)
    check.set_defaults(command="check")
    _add_retry(commands)
    _add_export(commands)
    _add_web(commands)
    return parser


def _add_config(parser: argparse.ArgumentParser, default: object = None) -> None:
    parser.add_argument(
        "-c",
        "--config",
        metavar="FILE",
        type=Path,
        default=default,
        help="settings (default: ./config.yaml, then /etc/digitwatch/config.yaml, then built-in ones)",
    )


def _add_train(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    train = commands.add_parser("train", help="train a model and install it")
    _add_config(train, default=argparse.SUPPRESS)
    train.add_argument("--model", choices=("cnn", "line", "dense"), help="the architecture (default: cnn)")
    train.add_argument("--data", metavar="FILE.npz", type=Path, help="MNIST-like data (default: MNIST by Keras)")
    train.add_argument("--out", metavar="NAME", type=Path, help="where the model goes (default: models/MODEL)")
    train.add_argument("--epochs", type=_positive, help="passes over the data (default: what suits the model)")
    train.add_argument("--seed", type=int, default=1, help="start of the random numbers (default: 1)")
    what = train.add_mutually_exclusive_group()
    what.add_argument(
        "--corrections",
        metavar="FILE",
        nargs="?",
        const="",
        help="let the model of config.yaml learn from what was reviewed (default: the configured file), "
        "and install it if that made it better",
    )
    what.add_argument("--rollback", action="store_true", help="go back to the model before the newest taught one")
    what.add_argument(
        "--dataset",
        metavar="NAME",
        help="mnist, or whole pictures to sort: fashion_mnist, cifar10, an .npz file, or a folder with one "
        "sub-folder for each class",
    )
    # what the daemon asks of the process that makes a model for it
    what.add_argument("--convert", metavar="FILE.keras", type=Path, help=argparse.SUPPRESS)
    train.set_defaults(command="train")


def _add_evaluate(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    evaluate = commands.add_parser("evaluate", help="measure a model on test digits")
    _add_config(evaluate, default=argparse.SUPPRESS)
    evaluate.add_argument("--model", default=None, help="cnn, dense or a path (default: the configured one)")
    evaluate.add_argument("--data", metavar="FILE.npz", type=Path, help="test digits (default: MNIST by Keras)")
    evaluate.add_argument("--report", metavar="DIR", type=Path, help="also write a page with pictures into DIR")
    evaluate.add_argument(
        "--source",
        metavar="FILE.npz",
        type=Path,
        action="append",
        default=[],
        help="another source of digits for the report (may be given several times)",
    )
    evaluate.set_defaults(command="evaluate")


def _add_retry(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    retry = commands.add_parser("retry", help="put failed scans back into the inbox")
    _add_config(retry, default=argparse.SUPPRESS)
    retry.add_argument("names", metavar="NAME", nargs="*", help="as in the folder `failed`; without any: list them")
    retry.add_argument("--all", action="store_true", help="all that lie there")
    retry.set_defaults(command="retry")


def _add_export(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    export = commands.add_parser("export", help="give the log with what people corrected beside it, as CSV")
    _add_config(export, default=argparse.SUPPRESS)
    export.add_argument("--day", metavar="2026-11-22", type=_day, help="the rows of one day (UTC)")
    export.set_defaults(command="export")


def _add_web(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    web = commands.add_parser("web", help="serve the page alone; the daemon does it by itself with web.listen")
    _add_config(web, default=argparse.SUPPRESS)
    # what the daemon hands to the page that it starts: an open socket, and its own life on standard input
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
