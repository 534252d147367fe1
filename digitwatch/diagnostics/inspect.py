"""A look at the whole installation, with what to mend."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from digitwatch.diagnostics import check_folders, check_fs_events, check_inbox, check_prediction_log, check_web_port
from digitwatch.diagnostics import check_model as models
from digitwatch.diagnostics.finding import Finding
from digitwatch.spool.folders import Folders
from digitwatch.spool.watch_policy import WatchPolicy


def inspect(
    places: Folders,
    files: Mapping[str, Path],
    habits: WatchPolicy,
    *,
    model: Path | str,
    data: Path | None,
    page: tuple[str | None, Path | None] = (None, None),
) -> Iterator[Finding]:
    """Yield a finding for everything that a running daemon needs; nothing is changed.

    Args:
        places: the folders.
        files: what is written to besides, by its name in config.yaml; `predictions` is the log.
        habits: how files are to be noticed, and the free space that must be left.
        model: the model as config.yaml names it.
        data: what a model that does not exist yet would be trained from.
        page: where the page listens, None for nowhere, and the file with its secret.
    """
    usable = True
    for name, path in _named(places, files):
        finding = check_folders.folder(name, path, places.base)
        usable = usable and os.path.isdir(path) and finding.well
        yield finding
    if os.path.isdir(places.inbox):
        yield from check_folders.owner(places.inbox)
        yield from check_inbox.waiting(places.inbox, habits.recursive)
        yield check_inbox.claims(places.inbox)
    if usable:
        yield from check_folders.inner(places.inbox, places.outbox, places.archive)
        yield from check_folders.ways(places.inbox, places.outbox, places.archive, places.failed)
        yield from check_fs_events.events(places.inbox, habits.watch, habits.recursive)
    written = (places.outbox, places.archive, places.failed, files["predictions"].parent)
    yield check_folders.space(written, habits.min_free)
    yield from check_prediction_log.record(files["predictions"])
    yield from models.model(model, data)
    yield from check_web_port.listening(*page)


def _named(places: Folders, files: Mapping[str, Path]) -> Iterator[tuple[str, Path]]:
    yield from ((name, getattr(places, name)) for name in ("inbox", "outbox", "archive", "failed"))
    yield from ((name, path.parent) for name, path in files.items())
