"""Entry point: run one command and turn every exception into a message and an exit code.

Imports wait until a command needs them: `--help` loads neither NumPy nor OpenCV.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from digitwatch.cli.arguments import parse
from digitwatch.errors import DigitwatchError, ExitCode, exit_code
from digitwatch.system.os_errors import describe, is_thread_limit

if TYPE_CHECKING:
    from digitwatch.cli.factories import Config

PRINTING = (
    "check",
    "evaluate",
    "export",
    "fields",
    "read",
    "retry",
    "train",
    "install-service",
)  # commands whose output may be piped

log = logging.getLogger("digitwatch")


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code."""
    options = parse(arguments)
    try:
        code = _run(options)
        if options.command in PRINTING:
            sys.stdout.flush()  # here, so that a closed pipe is still seen below
        return code
    except (DigitwatchError, OSError) as error:
        if isinstance(error, BrokenPipeError) and options.command in PRINTING:  # the reader (`head`) has closed
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return ExitCode.DONE
        log.debug("the command ended with this error", exc_info=True)
        print(f"digitwatch: {_text(error)}", file=sys.stderr)
        return exit_code(error)
    except KeyboardInterrupt:
        print("digitwatch: interrupted; run a batch again to resume it", file=sys.stderr)
        return ExitCode.TRY_LATER
    except Exception as error:  # the last resort: the exit code distinguishes a bug from an environment error
        if is_thread_limit(error):
            print("digitwatch: no thread could be started: raise the limit (ulimit -u, TasksMax=)", file=sys.stderr)
            return ExitCode.TRY_LATER
        log.exception("this is a bug in digitwatch; please report it with these lines")
        return ExitCode.BUG


def _text(error: DigitwatchError | OSError) -> str:
    """Return the message of an error, followed by its notes."""
    from digitwatch.spool.csv_rows import printable  # noqa: PLC0415 (as all imports here)

    message = describe(error) if isinstance(error, OSError) else str(error)
    text = "; ".join([message, *getattr(error, "__notes__", ())])
    return "\n".join(map(printable, text.split("\n")))


def _run(options: argparse.Namespace) -> ExitCode:
    """Call the function of one command with the values of its options."""
    if options.command in ("watch", "batch"):
        _prepare_workers()
    from digitwatch.cli import log_setup  # noqa: PLC0415

    log_setup.choose(is_quiet=options.quiet, is_verbose=options.verbose)
    calls: dict[str, Callable[[argparse.Namespace], ExitCode]] = {
        "batch": _batch,
        "merge": _merge,
        "read": _read,
        "train": _train,
        "evaluate": _evaluate,
        "fields": _fields,
        "install-service": _install_service,
    }
    return calls.get(options.command, _other)(options)


def _other(options: argparse.Namespace) -> ExitCode:
    """Call one of the functions of `commands`."""
    from digitwatch.cli import commands  # noqa: PLC0415

    config = _config(options)
    calls: dict[str, Callable[[], ExitCode]] = {
        "watch": lambda: commands.watch(config),
        "check": lambda: commands.check(config),
        "retry": lambda: commands.retry(config, options.names, everything=options.all),
        "export": lambda: commands.export(config, options.day, options.format, options.out, wide=options.wide),
        "sinks": lambda: commands.sinks(config, once=options.once, until_eof=options.until_eof),
        "web": lambda: commands.web(config, handle=options.socket, until_eof=options.until_eof),
    }
    return calls[options.command]()


def _config(options: argparse.Namespace) -> "Config":
    from digitwatch.cli.factories import Config  # noqa: PLC0415

    return Config(options.config, options.profile)


def _batch(options: argparse.Namespace) -> ExitCode:
    from digitwatch.cli.batch import BatchOptions, batch  # noqa: PLC0415

    chosen = BatchOptions(
        options.forms,
        options.verify,
        options.shard,
        options.ray,
        again=options.again,
        is_quiet=options.quiet,
    )
    return batch(_config(options), options.batch, options.out, chosen)


def _merge(options: argparse.Namespace) -> ExitCode:
    from digitwatch.cli.batch import merge_shards  # noqa: PLC0415

    return merge_shards(options.outs, options.out)


def _evaluate(options: argparse.Namespace) -> ExitCode:
    from digitwatch.cli import train  # noqa: PLC0415

    if options.scans is not None:
        from digitwatch.cli.evaluate_scans import ScanOptions, evaluate  # noqa: PLC0415 (loads OpenCV and LiteRT)

        train.require_model(options.model)
        chosen = ScanOptions(options.scans, options.folder, options.model, options.wrong, options.quiet)
        return evaluate(_config(options), chosen)
    return train.evaluate(_config(options), options.model, options.data, options.report, options.source)


def _prepare_workers() -> None:
    """Start the process that workers are forked from, before this one loads anything."""
    from digitwatch.system.temp_dir import settle  # noqa: PLC0415
    from digitwatch.workers.process import warm_up  # noqa: PLC0415

    settle()
    warm_up()


def _fields(options: argparse.Namespace) -> ExitCode:
    """Call the one of the template commands that the options ask for."""
    from digitwatch.cli import fields  # noqa: PLC0415

    if options.action == "new":
        return fields.new(options.example, options.out)
    if options.action == "draw":
        return fields.draw(options.template, options.out)
    return fields.test(_config(options), options.template, options.folder, options.out)


def _read(options: argparse.Namespace) -> ExitCode:
    from digitwatch.cli.read import ReadOptions, read  # noqa: PLC0415 (loads OpenCV and LiteRT)

    return read(_config(options), options.names, ReadOptions(options.json, options.annotate, options.forms))


def _install_service(options: argparse.Namespace) -> ExitCode:
    from digitwatch.cli import install_service  # noqa: PLC0415

    return (install_service.remove if options.remove else install_service.install)(options.root.absolute())


def _train(options: argparse.Namespace) -> ExitCode:
    """Call the one of the training commands that the options ask for."""
    from digitwatch.cli import train  # noqa: PLC0415

    if options.rollback:
        return train.rollback(_config(options))
    if options.convert:
        return train.convert(options.convert, options.out)
    arguments = train.TrainArguments(
        options.model, options.dataset, options.data, options.out, options.epochs, options.seed, options.start
    )
    if options.corrections is not None:
        return train.fine_tune(_config(options), options.corrections, arguments)
    return train.train(_config(options), arguments)
