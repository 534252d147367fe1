"""All checks of an installation, in the order in which a scan passes through it."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from digitwatch.diagnostics import (
    check_folders,
    check_fs_events,
    check_inbox,
    check_model,
    check_prediction_log,
    check_web_port,
)
from digitwatch.diagnostics.finding import Finding
from digitwatch.spool.folders import Folders
from digitwatch.spool.watch_policy import WatchPolicy


def inspect(
    folders: Folders,
    files: Mapping[str, Path],
    policy: WatchPolicy,
    *,
    model: Path | str,
    data: Path | None,
    web: tuple[str | None, Path | None] = (None, None),
) -> Iterator[Finding]:
    """Yield a finding for everything that a running daemon needs; what a check writes it removes again.

    Args:
        folders: the folders that scans move between.
        files: the other files that are written, by their keys in config.yaml; `predictions` is the log.
        policy: how new files are noticed, and the free space to keep.
        model: the model in use.
        data: the training data for a model that does not exist yet.
        web: the address of the web interface, None if it is off, and its token file.
    """
    is_usable = True
    for name, path in _named(folders, files):
        finding = check_folders.folder(name, path, folders.base)
        is_usable = is_usable and os.path.isdir(path) and not finding.has_failed
        yield finding
    if os.path.isdir(folders.inbox):
        yield from check_folders.user_of_check(folders.inbox)
        yield from check_inbox.waiting(folders.inbox, policy.recursive, policy.ignored)
        yield check_inbox.claims(folders.inbox)
    if is_usable:
        yield from check_folders.inner(folders.inbox, folders.outbox, folders.archive)
        yield from check_folders.moves(folders.inbox, folders.outbox, folders.archive, folders.failed)
        yield from check_fs_events.events(folders.inbox, policy.watch, policy.recursive)
    written = (folders.outbox, folders.archive, folders.failed, files["predictions"].parent)
    yield check_folders.space(written, policy.min_free)
    yield from check_prediction_log.prediction_log(files["predictions"])
    yield from check_model.model(model, data)
    yield from check_web_port.web_port(*web, files["corrections"])


def _named(folders: Folders, files: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    yield from ((name, getattr(folders, name)) for name in ("inbox", "outbox", "archive", "failed"))
    yield from ((name, path.parent) for name, path in files.items())
