"""The parts of the program, built from the settings."""

import importlib.util
import logging
import os
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from digitwatch.cli import log_setup
from digitwatch.config.settings import FILES, FOLDERS, Settings, find, load, load_profiles
from digitwatch.errors import UsageError, advice
from digitwatch.forms import schema
from digitwatch.models import provisioning
from digitwatch.recognition.image.sniff import is_complete
from digitwatch.service.profile import ProfileParts
from digitwatch.spool.folders import Folders
from digitwatch.spool.ignored_names import IgnoredNames
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.spool.watch_policy import WatchPolicy
from digitwatch.system import sd_notify
from digitwatch.system.os_errors import describe
from digitwatch.workers.messages import Outcome, WorkerConfig
from digitwatch.workers.pool import Pool

if TYPE_CHECKING:
    from digitwatch.series.tracker import Tracker
    from digitwatch.service.batch import Batch, ReadingWith
    from digitwatch.sinks.lag import Lag
    from digitwatch.workers.ray_pool import RayPool

TRAINING_STEP_US = 600_000_000  # microseconds that systemd waits for the next line of a training (sd_notify(3))

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Config:
    """Which configuration a command uses: the file that was given, None for the one found, and the profile if any."""

    path: Path | None = None
    profile: str = ""

    @property
    def file(self) -> Path | None:
        """The file; None for the built-in defaults."""
        return find(self.path)


def load_settings(config: Config) -> Settings:
    """Return the settings of a configuration; set up logging as they say.

    Raises:
        ConfigError: the file is missing or wrong.
        UsageError: there is no such profile, or there are several and none is named.
    """
    settings = load(config.file, config.profile)
    log_setup.set_up(settings.log_level)
    return settings


def load_all_settings(config: Config) -> Sequence[Settings]:
    """Return the settings of all profiles, or of the one that is named; set up logging as they say.

    Raises:
        ConfigError: the file is missing or wrong.
        UsageError: there is no such profile.
    """
    found = (load(config.file, config.profile),) if config.profile else load_profiles(config.file)
    log_setup.set_up(found[0].log_level)
    return found


def profile_parts(settings: Settings, publish_state: Callable[..., None] | None) -> ProfileParts:
    """Return what the daemon needs of a profile."""
    inbox = Inbox(
        settings.inbox,
        settle=settings.settle,
        recursive=settings.recursive,
        is_complete=is_complete,
        clock=time.monotonic,
        ignored=ignored_names(settings),
    )
    return ProfileParts(
        folders(settings),
        inbox,
        PredictionLog(settings.predictions, settings.rotated_logs),
        watch_policy(settings),
        series(settings),
        publish_state,
        settings.profile,
    )


def own_command(settings: Settings, source: Path | None) -> list[str]:
    """Return the beginning of a command that runs digitwatch again, for the same profile of the file `source`."""
    profile = ["--profile", settings.profile] if settings.profile else []
    return [sys.executable, "-P", "-m", "digitwatch", "--config", str(source), *profile]


def folders(settings: Settings) -> Folders:
    """Return the folders that scans move between."""
    return Folders(settings.inbox, settings.outbox, settings.archive, settings.failed, settings.base)


def sinks(settings: Settings) -> "list[Lag]":
    """Return how far each configured sink is behind the log.

    Raises:
        OSError: a file cannot be read.
    """
    if not settings.sinks:
        return []
    from digitwatch.sinks.lag import lag  # noqa: PLC0415 (only where sinks are configured)
    from digitwatch.sinks.source import Files  # noqa: PLC0415

    files = Files(settings.predictions, settings.corrections, settings.rotated_logs)
    return [lag(sink.name, files) for sink in settings.sinks]


def series(settings: Settings) -> "Tracker | None":
    """Return the series of the configuration, not yet read from the log; None for none."""
    if not settings.series:
        return None
    from digitwatch.series.rules import Rule  # noqa: PLC0415 (only where series are configured)
    from digitwatch.series.tracker import Tracker  # noqa: PLC0415

    rules = [
        Rule(each.file or "*", each.field or "", each.never_decreases, each.at_most_per_day) for each in settings.series
    ]
    return Tracker(rules, settings.predictions, settings.corrections, settings.rotated_logs)


def watch_policy(settings: Settings) -> WatchPolicy:
    """Return how new files are noticed."""
    ignored = ignored_names(settings)
    return WatchPolicy(settings.watch, settings.recursive, settings.rescan, settings.poll, settings.min_free, ignored)


def ignored_names(settings: Settings) -> IgnoredNames:
    """Return the names that are left alone."""
    return IgnoredNames(settings.ignore)


def make_all_folders(profiles: Sequence[Settings]) -> None:
    """Create the folders of all profiles; one whose folders cannot be used waits for them, unless it is the last.

    Raises:
        OSError: no profile can be used; a note says what to do.
    """
    errors: list[OSError] = []
    for settings in profiles:
        try:
            make_folders(settings)
        except OSError as error:
            errors.append(error)
            if len(errors) == len(profiles):
                raise
            log.error("profile %s waits: %s; %s", settings.profile, describe(error), "; ".join(error.__notes__))


def make_folders(settings: Settings) -> None:
    """Create the folders below that of config.yaml; others must exist: their disk may not be mounted yet.

    Raises:
        OSError: a folder is missing or cannot be listed; a note says what to do.
    """
    paths = {name: getattr(settings, name) for name in FOLDERS}
    paths |= {name: getattr(settings, name).parent for name in FILES}
    errors: list[OSError] = []
    for name, folder in paths.items():
        try:
            with advice(f"{name}: create it (mkdir -p {folder}) or mount its disk; `digitwatch check` shows more"):
                if folder.is_relative_to(settings.base):
                    folder.mkdir(parents=True, exist_ok=True)
                os.listdir(folder)
        except OSError as error:  # the other folders are made all the same
            errors.append(error)
    if errors:
        raise errors[0]


def pool(
    profiles: Sequence[Settings], report: Callable[[Outcome], None], post: Callable[[Callable[[], None]], None]
) -> Pool:
    """Return the worker pool of all profiles, not yet started; a missing model is converted or trained first."""
    size, seconds = profiles[0].workers or _cores(), profiles[0].limits.seconds  # the same in all
    configs = {settings.profile: _worker(settings) for settings in profiles}
    return Pool(size, configs, seconds=seconds, report=report, post=post, clock=time.monotonic)


def reading_with(settings: Settings) -> "ReadingWith":
    """Return the model and the settings that decide how scans are read, without loading the model."""
    from digitwatch.service.batch import ReadingWith  # noqa: PLC0415 (the daemon needs no batch)

    model = provisioning.name_of(provisioning.active_model(settings))
    parts = {"review_below": settings.review_below, "limits.pixels": settings.limits.pixels}
    texts = [f"{name} {'the default' if value is None else value}" for name, value in parts.items()]
    return ReadingWith(model, ", ".join([*texts, f"second readers {provisioning.second_readers()}"]))


def ray_pool(settings: Settings, address: str, work: "Batch", folders: tuple[Path, Path]) -> "RayPool":
    """Return the workers of a Ray cluster for a batch, not yet started; `folders` are the scans and the output.

    Raises:
        UsageError: the extra is missing.
    """
    if importlib.util.find_spec("ray") is None:
        raise UsageError("--ray needs: pip install 'digitwatch[ray]'")
    from digitwatch.workers.ray_pool import RayPool  # noqa: PLC0415

    return RayPool(
        address, _worker(settings), folders, seconds=settings.limits.seconds, report=work.report, post=work.calls.put
    )


def _worker(settings: Settings) -> WorkerConfig:
    """Return what a worker needs; all problems of the templates are found now, though each worker reads them itself."""
    if settings.forms is not None:
        schema.load(settings.forms)
    limits, templates = settings.limits, schema.digest(settings.forms)
    review_below, model = settings.review_below, _model(settings)
    return WorkerConfig(model, review_below, limits.pixels, limits.memory, settings.forms, templates)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _model(settings: Settings) -> Path | str:
    """Return the model, converted or trained first if necessary; systemd gets the progress."""

    def progress(line: str) -> None:
        log.info("%s", line)
        sd_notify.notify(STATUS=line, EXTEND_TIMEOUT_USEC=TRAINING_STEP_US)

    return provisioning.provide(provisioning.active_model(settings), settings.training, progress)
