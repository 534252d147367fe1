"""What most commands do: load the settings, build the parts, run them; `batch` and `train` have theirs.

What only one command needs is imported there, so that the daemon starts without it.
"""

import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from digitwatch.cli import factories
from digitwatch.cli.factories import Config
from digitwatch.cli.web import serve, supervisors
from digitwatch.config.settings import FILES, Settings
from digitwatch.errors import ExitCode, advice
from digitwatch.models import provisioning
from digitwatch.service.daemon import Daemon
from digitwatch.service.model_reload import reload_models
from digitwatch.service.signals import listen
from digitwatch.service.web_supervisor import WebSupervisor

if TYPE_CHECKING:
    from digitwatch.diagnostics.finding import Finding


def watch(config: Config) -> ExitCode:
    """Watch the inboxes of all profiles, or of the one that is named, until a signal ends it."""
    profiles = factories.load_all_settings(config)
    factories.make_all_folders(profiles)
    webs = supervisors(profiles, config.file)
    sinks = [child for settings in profiles if (child := _deliveries(settings, config.file))]
    senders = {name: child.send for name, child in webs.items()}
    parts = [factories.profile_parts(settings, senders.get(settings.profile)) for settings in profiles]
    daemon = Daemon(parts, clock=time.monotonic)
    pool = factories.pool(profiles, daemon.report, daemon.calls.put)  # may train for minutes; a signal ends it
    models = {settings.profile: partial(provisioning.existing_model, settings) for settings in profiles}
    listen(daemon, lambda: reload_models(pool, models))
    children = [*webs.values(), *sinks]
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


def check(config: Config) -> ExitCode:
    """Check the installation and print what to fix, for all profiles or the one named; the code is 1 if one fails."""
    profiles = factories.load_all_settings(config)
    print(f"ok    config: {config.file or 'built-in defaults'}")
    has_failed = False
    for settings in profiles:
        if settings.profile:
            print(f"profile {settings.profile}:")
        for finding in _findings(settings):
            print(finding)
            has_failed = has_failed or finding.has_failed
    return ExitCode.SOME_FAILED if has_failed else ExitCode.DONE


def _findings(settings: Settings) -> "Iterator[Finding]":
    from digitwatch.diagnostics import check_forms, check_sinks  # noqa: PLC0415
    from digitwatch.diagnostics.inspect import inspect  # noqa: PLC0415 (loads OpenCV and LiteRT)

    yield from inspect(
        factories.folders(settings),
        {name: getattr(settings, name) for name in FILES},
        factories.watch_policy(settings),
        model=provisioning.active_model(settings),
        data=settings.training.data,
        web=(settings.web.listen, settings.web.token_file),
    )
    yield from check_forms.forms(settings.forms)
    yield from check_sinks.sinks(factories.sinks(settings))


def retry(config: Config, names: list[str], *, everything: bool) -> ExitCode:
    """Put failed scans back into the inbox; without a name, list them."""
    from digitwatch.service import requeue  # noqa: PLC0415

    settings = factories.load_settings(config)
    is_done = requeue.retry(settings.failed, settings.inbox, names, everything=everything)
    return ExitCode.DONE if is_done else ExitCode.SOME_FAILED


def export(
    config: Config, day: str | None, chosen: str | None = None, out: Path | None = None, *, wide: bool = False
) -> ExitCode:
    """Print the log with the corrected values, or write it to the file `out`.

    Args:
        config: the configuration and profile.
        day: 2026-11-22 for the rows of one day (UTC), None for all.
        chosen: the format, None for that of the ending of `out`, else CSV.
        out: the file to write, None for standard output.
        wide: print one row a page of a form, with the columns NAME and NAME_status for each field.

    Raises:
        UsageError: the format needs a file or an extra, or the file is one of those exported.
    """
    from digitwatch.corrections import export_files  # noqa: PLC0415
    from digitwatch.corrections.export import wide_lines  # noqa: PLC0415

    settings = factories.load_settings(config)
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


def web(config: Config, *, handle: int | None, until_eof: bool) -> ExitCode:
    """Serve the web interface until a signal ends it, on the open socket `handle` or else on web.listen."""
    settings = factories.load_settings(config)
    with advice("see web.listen in config.yaml"):
        serve(settings, config.file, handle=handle, until_eof=until_eof)
    return ExitCode.DONE


def sinks(config: Config, *, once: bool, until_eof: bool) -> ExitCode:
    """Deliver the log to the sinks of the configuration until a signal ends it, or with `once` all there is."""
    from digitwatch.cli import sinks as deliveries  # noqa: PLC0415

    settings = factories.load_settings(config)
    deliveries.run(settings, config.file, once=once, until_eof=until_eof)
    return ExitCode.DONE
