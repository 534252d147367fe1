"""`digitwatch --batch` and `digitwatch merge`: every scan of a folder, once."""

from dataclasses import dataclass
from pathlib import Path

from digitwatch.cli import factories, progress
from digitwatch.cli.outputs import closed_output_is_fine, output_folder
from digitwatch.errors import ExitCode, UsageError, advice
from digitwatch.log_codes import Status
from digitwatch.service.batch import Batch
from digitwatch.service.merge import merge
from digitwatch.service.shard import Shard
from digitwatch.workers.pool import Pool
from digitwatch.workers.ray_pool import RayPool


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


def batch(config: factories.Config, source: Path, out: Path | None, options: BatchOptions) -> ExitCode:
    """Read every scan below a folder, or one file, once; the results go to `out`, None for a folder beside it."""
    settings = factories.load_settings(config)
    if options.forms is not None:
        settings = settings.model_copy(update={"forms": options.forms.resolve()})
    shard = parse_shard(options.shard)
    source, out = batch_folders(source, out, shard)
    output_folder("--out", out)
    reading = factories.reading_with(settings)
    work = Batch(source, out, factories.ignored_names(settings), reading, shard, again=options.again)
    pool: Pool | RayPool
    if options.ray is None:
        pool = factories.pool([settings], work.report, work.calls.put)
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
    with closed_output_is_fine():
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
