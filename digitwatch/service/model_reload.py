"""Reload of the model and of the form templates in the running daemon (SIGHUP)."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from digitwatch.forms import schema
from digitwatch.forms.schema import FormError
from digitwatch.models.provisioning import NoModelError
from digitwatch.workers.pool import Pool

log = logging.getLogger(__name__)


def reload_model(pool: Pool, choose: Callable[[], Path | str]) -> None:
    """Use the model that `choose` returns, and the templates as they are now, once a new worker has tested them.

    A model or a template that cannot be used changes nothing and is logged.
    """
    before, old = pool.model, pool.config
    try:
        if old.forms is not None:
            schema.load(old.forms)
        templates = schema.digest(old.forms)
    except (FormError, OSError) as error:
        log.error("the form templates stay as they were: %s", error)
        templates = old.templates
    try:
        model = choose()
    except NoModelError as error:
        _log_result(before, "", str(error))
        return
    new = replace(old, model=model, templates=templates)
    pool.reload(new, lambda name, error: _log_result(before, name, error, is_read_again=templates != old.templates))


def _log_result(before: str, now: str, error: str, *, is_read_again: bool = False) -> None:
    if is_read_again and not error:
        log.info("the form templates have changed and are read again")
    if error:
        log.error("the new model cannot be used, %s stays in use: %s", before, error)
    elif now == before:
        log.info("the model is unchanged: %s", now)
    else:
        log.info("the model %s has replaced %s", now, before)
