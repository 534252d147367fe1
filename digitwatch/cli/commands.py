"""What most commands do: load the settings, build the parts, run them; `batch` and `train` have theirs.

What only one command needs is imported there, so that the daemon starts without it.
"""

import sys
import time
from itertools import chain
from pathlib import Path

from digitwatch.cli import factories
from digitwatch.cli.web import serve, supervisor
from digitwatch.config.settings import FILES, Settings, find
from digitwatch.errors import ExitCode, advice
from digitwatch.models import provisioning
from digitwatch.recognition.image.sniff import is_complete
from digitwatch.service.daemon import Daemon
from digitwatch.service.model_reload import reload_model
from digitwatch.service.profile import ProfileParts
from digitwatch.service.signals import listen
from digitwatch.service.web_supervisor import WebSupervisor
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.prediction_log import PredictionLog


def watch(path: Path | None) -> ExitCode:
    """Watch the inbox until a signal ends it; `path` is the configuration, None for the one found."""
    settings = factories.load_settings(path)
    factories.make_folders(settings)
    folders = factories.folders(settings)
    inbox = Inbox(
        folders.inbox,
        settle=settings.settle,
        recursive=settings.recursive,
        is_complete=is_complete,
        clock=time.monotonic,
        ignored=factories.ignored_names(settings),
    )
    web = supervisor(settings, find(path))
    children = [child for child in (web, _deliveries(settings, find(path))) if child]
    parts = ProfileParts(
        folders,
        inbox,
        PredictionLog(settings.predictions, settings.rotated_logs),
        factories.watch_policy(settings),
        factories.series(settings),
        web.send if web else None,
    )
    daemon = Daemon(parts, clock=time.monotonic)
    pool = factories.pool(settings, daemon.report, daemon.calls.put)  # may train for minutes; a signal ends it
    listen(daemon, lambda: reload_model(pool, lambda: provisioning.existing_model(settings)))
    try:
        for child in children:
            child.start()
        daemon.run(pool)
    finally:
        pool.stop()
        for child in children:
            child.stop()
    return ExitCode.DONE


def _deliveries(settings: Settings, source: Path | None) -> WebSupervisor | None:
    """Return what runs the deliveries beside the daemon; None without sinks."""
    if not settings.sinks:
        return None
    from digitwatch.cli import sinks as deliveries  # noqa: PLC0415

    return deliveries.supervisor(settings, source)


def check(path: Path | None) -> ExitCode:
    """Check the installation and print what to fix; the code is 1 if something fails."""
    settings = factories.load_settings(path)
    from digitwatch.diagnostics import check_forms, check_sinks  # noqa: PLC0415
    from digitwatch.diagnostics.inspect import inspect  # noqa: PLC0415 (loads OpenCV and LiteRT)

    print(f"ok    config: {find(path) or 'built-in defaults'}")
    findings = inspect(
        factories.folders(settings),
        {name: getattr(settings, name) for name in FILES},
        factories.watch_policy(settings),
        model=provisioning.active_model(settings),
        data=settings.training.data,
        web=(settings.web.listen, settings.web.token_file),
    )
    has_failed = False
    for finding in chain(findings, check_forms.forms(settings.forms), check_sinks.sinks(factories.sinks(settings))):
        print(finding)
        has_failed = has_failed or finding.has_failed
    return ExitCode.SOME_FAILED if has_failed else ExitCode.DONE


def retry(path: Path | None, names: list[str], *, everything: bool) -> ExitCode:
    """Put failed scans back into the inbox; without a name, list them."""
    from digitwatch.service import requeue  # noqa: PLC0415

    settings = factories.load_settings(path)
    is_done = requeue.retry(settings.failed, settings.inbox, names, everything=everything)
    return ExitCode.DONE if is_done else ExitCode.SOME_FAILED


def export(
    path: Path | None, day: str | None, chosen: str | None = None, out: Path | None = None, *, wide: bool = False
) -> ExitCode:
    """Print the log with the corrected values, or write it to the file `out`.

    Args:
        path: the configuration, None for the one found.
        day: 2026-11-22 for the rows of one day (UTC), None for all.
        chosen: the format, None for that of the ending of `out`, else CSV.
        out: the file to write, None for standard output.
        wide: print one row a page of a form, with the columns NAME and NAME_status for each field.

    Raises:
        UsageError: the format needs a file or an extra, or the file is one of those exported.
    """
    from digitwatch.corrections import export_files  # noqa: PLC0415
    from digitwatch.corrections.export import wide_lines  # noqa: PLC0415

    settings = factories.load_settings(path)
    chosen = export_files.chosen_format(chosen, out)
    source = export_files.Source(settings.predictions, settings.corrections, settings.rotated_logs, day or "")
    if out is not None:
        export_files.write(source, chosen, out)
        return ExitCode.DONE
    sys.stdout.reconfigure(encoding="utf-8", newline="\n")  # type: ignore[union-attr]
    if wide:
        pages = wide_lines(settings.predictions, settings.corrections, day=day or "", rotated=settings.rotated_logs)
        sys.stdout.writelines(pages)
        return ExitCode.DONE
    sys.stdout.writelines(export_files.texts(source, chosen))
    return ExitCode.DONE


def web(path: Path | None, *, handle: int | None, until_eof: bool) -> ExitCode:
    """Serve the web interface until a signal ends it, on the open socket `handle` or else on web.listen."""
    settings = factories.load_settings(path)
    with advice("see web.listen in config.yaml"):
        serve(settings, find(path), handle=handle, until_eof=until_eof)
    return ExitCode.DONE


def sinks(path: Path | None, *, once: bool, until_eof: bool) -> ExitCode:
    """Deliver the log to the sinks of the configuration until a signal ends it, or with `once` all there is."""
    from digitwatch.cli import sinks as deliveries  # noqa: PLC0415

    settings = factories.load_settings(path)
    deliveries.run(settings, find(path), once=once, until_eof=until_eof)
    return ExitCode.DONE
