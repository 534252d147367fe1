"""Reload of the model and of the form templates in the running daemon (SIGHUP)."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from digitwatch.forms import schema
from digitwatch.forms.schema import FormError
from digitwatch.models.provisioning import NoModelError
from digitwatch.workers.messages import WorkerConfig
from digitwatch.workers.pool import Pool

log = logging.getLogger(__name__)


def reload_models(pool: Pool, choose: Mapping[str, Callable[[], Path | str]]) -> None:
    """Use for each profile the model that its function returns, and its templates as they are now.

    A new worker tests all of them first. A model or a template that cannot be used changes nothing and is logged.
    """
    before, old = pool.model, pool.configs
    current = {name: replace(config, templates=_templates(config)) for name, config in old.items()}
    try:
        new = {name: replace(config, model=choose[name]()) for name, config in current.items()}
    except NoModelError as error:
        _log_result(before, "", str(error))
        return
    is_read_again = any(new[name].templates != old[name].templates for name in new)
    pool.reload(new, lambda names, error: _log_result(before, names, error, is_read_again=is_read_again))


def _templates(config: WorkerConfig) -> str:
    """Return the digest of the form templates; that in use where one of them cannot be used now."""
    try:
        if config.forms is not None:
            schema.load(config.forms)
        return schema.digest(config.forms)
    except (FormError, OSError) as error:
        log.error("the form templates stay as they were: %s", error)
        return config.templates


def _log_result(before: str, now: str, error: str, *, is_read_again: bool = False) -> None:
    if is_read_again and not error:
        log.info("the form templates have changed and are read again")
    if error:
        log.error("the new model cannot be used, %s stays in use: %s", before, error)
    elif now == before:
        log.info("the model is unchanged: %s", now)
    else:
        log.info("the model %s has replaced %s", now, before)
