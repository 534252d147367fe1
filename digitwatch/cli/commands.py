"""What each command does, apart from training: load the settings, build the parts, run them."""

import sys
import time
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from digitwatch.cli import factories, progress
from digitwatch.cli import sinks as deliveries
from digitwatch.cli.outputs import output_folder
from digitwatch.cli.web import serve, supervisor
from digitwatch.config.settings import FILES, find
from digitwatch.corrections import export_files
from digitwatch.corrections.export import wide_lines
from digitwatch.errors import ExitCode, UsageError, advice
from digitwatch.log_codes import Status
from digitwatch.models import provisioning
from digitwatch.recognition.image.sniff import is_complete
from digitwatch.service import requeue
from digitwatch.service.batch import Batch
from digitwatch.service.daemon import Daemon
from digitwatch.service.merge import merge
from digitwatch.service.model_reload import reload_model
from digitwatch.service.profile import ProfileParts
from digitwatch.service.shard import Shard
from digitwatch.service.signals import listen
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.workers.pool import Pool
from digitwatch.workers.ray_pool import RayPool


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
    children = [child for child in (web, deliveries.supervisor(settings, find(path))) if child]
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


@dataclass(frozen=True)
class BatchOptions:
    """What `--batch` was given besides its folders.

    forms: a folder of form templates, None for the configured one. verify: also compare files that an earlier run has
    read. shard: the part of the scans to read, such as `3/8`, None for all. ray: the address of a Ray cluster, `local`
    for one of this machine, None for local processes. again: read anew what another model or other settings read.
    is_quiet: print no progress.
    """

    forms: Path | None = None
    verify: bool = False
    shard: str | None = None
    ray: str | None = None
    again: bool = False
    is_quiet: bool = False


def batch(path: Path | None, source: Path, out: Path | None, options: BatchOptions) -> ExitCode:
    """Read every scan below a folder, or one file, once; the results go to `out`, None for a folder beside it."""
    settings = factories.load_settings(path)
    if options.forms is not None:
        settings = settings.model_copy(update={"forms": options.forms.resolve()})
    shard = parse_shard(options.shard)
    source, out = batch_folders(source, out, shard)
    output_folder("--out", out)
    reading = factories.reading_with(settings)
    work = Batch(source, out, factories.ignored_names(settings), reading, shard, again=options.again)
    pool: Pool | RayPool
    if options.ray is None:
        pool = factories.pool(settings, work.report, work.calls.put)
    else:
        pool = factories.ray_pool(settings, options.ray, work, (source, out))
    try:
        with advice("run it again to resume"):
            names = work.plan(verify=options.verify)
            if names:
                model = pool.start()
                with progress.progress(len(names), is_quiet=options.is_quiet) as read:
                    work.run(names, pool, model, read)
            work.finish()
    finally:
        pool.stop()
        work.close()
    for name, reason in work.failures:
        print(f"failed: {name}: {reason}")
    if work.failed > len(work.failures):
        print(f"failed: {work.failed - len(work.failures)} more, see the status `failed` in the log")
    if not options.is_quiet:
        _summarise(work, out, len(names))
    return ExitCode.SOME_FAILED if work.failures else ExitCode.DONE


def _summarise(work: Batch, out: Path, read: int) -> None:
    """Print how many pages have which status, and what was left alone."""
    counts = ", ".join(f"{work.statuses[status]} {status}" for status in Status)
    before = " (all were read before)" if work.statuses and not (read or work.outdated) else ""
    pages = sum(work.statuses.values())
    print(f"{pages} page{'' if pages == 1 else 's'}: {counts}{before}")
    if work.outdated:
        print(f"{work.outdated} scans were read with {work.difference}: --again reads them anew")
    if not work.statuses and not work.failures:
        print(f"nothing to read: {work.passed_over}")
    print(f"See {out / 'predictions.csv'} and {out / 'annotated'}")


def batch_folders(source: Path, out: Path | None, shard: Shard | None = None) -> tuple[Path, Path]:
    """Return the folder or file to read and the folder for the results, both absolute; each shard has one of its own.

    Raises:
        UsageError: the one does not exist, or the other lies in it, where the results would be read as scans.
    """
    found = source.resolve()
    if not (found.is_dir() or found.is_file()) or found == found.parent:
        raise UsageError(f"--batch: expected a folder with scans, or a scan, found {source}")
    part = f"-{shard.number}-of-{shard.total}" if shard else ""
    target = (out or found.with_name(f"{found.name}-digitwatch{part}")).resolve()
    if target.is_relative_to(found):
        raise UsageError(f"--out: expected a place outside {found}, found {target}")
    return found, target


def parse_shard(text: str | None) -> Shard | None:
    """Return the shard of `3/8`, None for none.

    Raises:
        UsageError: the text has another form.
    """
    try:
        return Shard.parse(text) if text is not None else None
    except ValueError as error:
        raise UsageError(f"--shard: {error}") from None


def merge_shards(outs: list[Path], out: Path) -> ExitCode:
    """Write the outputs of all shards of a batch into the folder `out`.

    Raises:
        MergeError: a shard is missing, unfinished or given twice.
    """
    merged = merge(outs, out.resolve())
    if len(merged.models) > 1:
        print(f"note: the shards were read by different models: {', '.join(sorted(merged.models))}")
    print(f"{merged.rows} rows and {merged.pictures} pictures of {len(outs)} shards: see {out / 'predictions.csv'}")
    return ExitCode.DONE


def check(path: Path | None) -> ExitCode:
    """Check the installation and print what to fix; the code is 1 if something fails."""
    settings = factories.load_settings(path)
    from digitwatch.diagnostics import check_sinks  # noqa: PLC0415
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
    for finding in chain(findings, check_sinks.sinks(factories.sinks(settings))):
        print(finding)
        has_failed = has_failed or finding.has_failed
    return ExitCode.SOME_FAILED if has_failed else ExitCode.DONE


def retry(path: Path | None, names: list[str], *, everything: bool) -> ExitCode:
    """Put failed scans back into the inbox; without a name, list them."""
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
    settings = factories.load_settings(path)
    deliveries.run(settings, find(path), once=once, until_eof=until_eof)
    return ExitCode.DONE
