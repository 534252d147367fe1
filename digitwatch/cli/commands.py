"""What each command does: the settings handed out to the parts that need them."""

import argparse
import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

from digitwatch.cli import log_setup
from digitwatch.cli import train as schooling
from digitwatch.cli import web as serving
from digitwatch.cli.exit_codes import CommandError, ExitCode
from digitwatch.config import settings as config
from digitwatch.corrections import export as corrected
from digitwatch.models import provisioning
from digitwatch.recognition.image.sniff import is_complete
from digitwatch.service import requeue as retrying
from digitwatch.service.batch import Batch, BatchPaused
from digitwatch.service.daemon import Daemon
from digitwatch.service.model_reload import renew
from digitwatch.service.signals import listen
from digitwatch.spool.claims import AlreadyRunningError
from digitwatch.spool.folders import Folders
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.spool.watch_policy import WatchPolicy
from digitwatch.system import sd_notify
from digitwatch.system.os_errors import describe
from digitwatch.workers.messages import Outcome, WorkerConfig
from digitwatch.workers.pool import Pool, WorkerError

log = logging.getLogger(__name__)


def watch_or_batch(options: argparse.Namespace) -> ExitCode:
    """Do what `digitwatch` without a command name does."""
    if options.batch is not None:
        return batch(options)
    return watch(options)


def watch(options: argparse.Namespace) -> ExitCode:
    """Watch the inbox until told to stop."""
    settings = _settings(options)
    _make_folders(settings)
    places = _places(settings)
    inbox = Inbox(
        places.inbox,
        settle=settings.settle,
        recursive=settings.recursive,
        is_complete=is_complete,
        clock=time.monotonic,
    )
    page = serving.page(settings, config.find(options.config))
    daemon = Daemon(
        places,
        inbox,
        PredictionLog(settings.predictions, settings.rotated_logs),
        _habits(settings),
        clock=time.monotonic,
        tell=page.tell if page else None,
    )
    pool = _pool(settings, daemon.report, daemon.calls.put)  # may train for minutes, which a signal simply ends
    listen(daemon, lambda: renew(pool, lambda: provisioning.at_hand(settings)))
    try:
        if page:
            page.start()
        daemon.run(pool)
    except (AlreadyRunningError, WorkerError) as error:
        raise CommandError(ExitCode.TRY_LATER, str(error)) from error
    except OSError as error:
        raise CommandError(ExitCode.TRY_LATER, describe(error)) from error
    finally:
        pool.stop()
        if page:
            page.stop()
    return ExitCode.DONE


def batch(options: argparse.Namespace) -> ExitCode:
    """Read every scan below a directory once."""
    settings = _settings(options)
    directory, out = _batch_places(options)
    work = Batch(directory, out)
    pool = _pool(settings, work.report, work.calls.put)
    try:
        names = work.plan()
        if names:
            model = pool.start()
            _with_progress_bar(len(names), lambda read: work.run(names, pool, model, read))
    except (BatchPaused, AlreadyRunningError, WorkerError) as error:
        raise CommandError(ExitCode.TRY_LATER, f"{error}; run it again to go on where it stopped") from error
    except OSError as error:
        raise CommandError(ExitCode.TRY_LATER, f"{describe(error)}; run it again to go on where it stopped") from error
    finally:
        pool.stop()
        work.close()
    for name, reason in work.failures:
        print(f"failed: {name}: {reason}")
    counts = ", ".join(f"{work.statuses[status]} {status}" for status in ("ok", "review", "empty", "failed"))
    print(f"{sum(work.statuses.values())} pages: {counts}" + ("" if names else " (all of them read before)"))
    print(f"See {out / 'predictions.csv'} and {out / 'annotated'}")
    return ExitCode.SOME_FAILED if work.failures else ExitCode.DONE


def train(options: argparse.Namespace) -> ExitCode:
    """Train a model and install it."""
    return schooling.train(options, lambda: _settings(options))


def evaluate(options: argparse.Namespace) -> ExitCode:
    """Measure a model on test digits, in lines or as a page with pictures."""
    return schooling.evaluate(options, _settings(options))


def check(options: argparse.Namespace) -> ExitCode:
    """Look at the whole installation and say what to mend."""
    settings = _settings(options)
    from digitwatch.diagnostics import inspect as checking  # noqa: PLC0415 (loads OpenCV and LiteRT)

    print(f"ok    config: {config.find(options.config) or 'built-in defaults'}")
    findings = checking.inspect(
        _places(settings),
        {name: getattr(settings, name) for name in config.FILES},
        _habits(settings),
        model=_chosen(settings),
        data=settings.training.data,
        page=(settings.web.listen, settings.web.token_file),
    )
    well = True
    for finding in findings:
        print(finding)
        well = well and finding.well
    return ExitCode.DONE if well else ExitCode.SOME_FAILED


def retry(options: argparse.Namespace) -> ExitCode:
    """Put failed scans back into the inbox; without a name, list them."""
    settings = _settings(options)
    try:
        well = retrying.retry(settings.failed, settings.inbox, options.names, everything=options.all)
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(ExitCode.TRY_LATER, describe(error)) from error
    return ExitCode.DONE if well else ExitCode.SOME_FAILED


def export(options: argparse.Namespace) -> ExitCode:
    """Print the log with the corrected values beside those read."""
    settings = _settings(options)
    try:
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
        sys.stdout.writelines(
            corrected.lines(
                settings.predictions, settings.corrections, day=options.day or "", rotated=settings.rotated_logs
            )
        )
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CommandError(ExitCode.TRY_LATER, describe(error)) from error
    return ExitCode.DONE


def web(options: argparse.Namespace) -> ExitCode:
    """Serve the page until told to stop."""
    settings = _settings(options)
    try:
        serving.serve(settings, config.find(options.config), handle=options.socket, until_eof=options.until_eof)
    except OSError as error:
        raise CommandError(ExitCode.TRY_LATER, f"web.listen: {describe(error)}") from error
    return ExitCode.DONE


# --- settings to parts ---


def _settings(options: argparse.Namespace) -> config.Settings:
    settings = config.load(config.find(options.config))
    log_setup.set_up(settings.log_level)
    return settings


def _places(settings: config.Settings) -> Folders:
    return Folders(settings.inbox, settings.outbox, settings.archive, settings.failed, settings.base)


def _habits(settings: config.Settings) -> WatchPolicy:
    return WatchPolicy(settings.watch, settings.recursive, settings.rescan, settings.poll, settings.min_free)


def _make_folders(settings: config.Settings) -> None:
    """Make the folders beside config.yaml; others must be there: they may lie on a disk not mounted yet."""
    folders = {name: getattr(settings, name) for name in config.FOLDERS} | {
        name: getattr(settings, name).parent for name in config.FILES
    }
    for name, folder in folders.items():
        try:
            if folder.is_relative_to(settings.base):
                folder.mkdir(parents=True, exist_ok=True)
            os.listdir(folder)
        except OSError as error:
            advice = f"make it (mkdir -p {folder}) or mount its disk; `digitwatch check` tells more"
            raise CommandError(ExitCode.TRY_LATER, f"{name}: {describe(error)}; {advice}") from error


def _pool(
    settings: config.Settings, report: Callable[[Outcome], None], post: Callable[[Callable[[], None]], None]
) -> Pool:
    limits = settings.limits
    equipment = WorkerConfig(_model(settings), settings.review_below, limits.pixels, limits.memory)
    return Pool(
        settings.workers or _cores(), equipment, seconds=limits.seconds, report=report, post=post, clock=time.monotonic
    )


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _chosen(settings: config.Settings) -> Path | str:
    try:
        return provisioning.chosen(settings)
    except provisioning.NoModelError as error:
        raise CommandError(ExitCode.CONFIG, str(error)) from error


def _model(settings: config.Settings) -> Path | str:
    """Give the model, trained first where it does not exist; the service manager is kept informed."""

    def progress(line: str) -> None:
        log.info("%s", line)
        sd_notify.notify(STATUS=line, EXTEND_TIMEOUT_USEC=600_000_000)

    try:
        return provisioning.provide(provisioning.chosen(settings), settings.training, progress)
    except provisioning.NoModelError as error:
        raise CommandError(ExitCode.CONFIG, str(error)) from error


def _batch_places(options: argparse.Namespace) -> tuple[Path, Path]:
    directory: Path = options.batch.resolve()
    if not directory.is_dir():
        raise CommandError(ExitCode.USAGE, f"--batch: expected a folder with scans, found {options.batch}")
    if directory == directory.parent:
        raise CommandError(ExitCode.USAGE, f"--batch: expected a folder with scans, found {directory}")
    out: Path = (options.out or directory.with_name(f"{directory.name}-digitwatch")).resolve()
    if out.is_relative_to(directory):
        raise CommandError(ExitCode.USAGE, f"--out: expected a place outside {directory}, found {out}")
    return directory, out


def _with_progress_bar(total: int, work: Callable[[Callable[[], None]], None]) -> None:
    from tqdm import tqdm  # noqa: PLC0415 (not needed to watch)

    with tqdm(total=total, unit="scan", disable=not sys.stderr.isatty()) as bar:
        work(lambda: bar.update() and None)
