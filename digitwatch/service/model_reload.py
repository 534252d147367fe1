"""Reload of the model in the running daemon (SIGHUP), after a training."""

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from digitwatch.models.provisioning import NoModelError
from digitwatch.workers.pool import Pool

log = logging.getLogger(__name__)


def reload_model(pool: Pool, choose: Callable[[], Path | str]) -> None:
    """Use the model that `choose` returns from now on, once a new worker has tested it.

    A model that cannot be used changes nothing and is logged.
    """
    try:
        model = choose()
    except NoModelError as error:
        _log_result(pool.model, "", str(error))
        return
    before = pool.model
    old = pool.config
    pool.reload(replace(old, model=model), lambda name, error: _log_result(before, name, error))


def _log_result(before: str, now: str, error: str) -> None:
    if error:
        log.error("the new model cannot be used, %s stays in use: %s", before, error)
    elif now == before:
        log.info("the model is unchanged: %s", now)
    else:
        log.info("the model %s has replaced %s", now, before)
