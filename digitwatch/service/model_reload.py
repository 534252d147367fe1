"""A model that was taught or trained meanwhile, taken over by the running daemon when it is asked to (SIGHUP)."""

import logging
from collections.abc import Callable
from pathlib import Path

from digitwatch.models.provisioning import NoModelError
from digitwatch.workers.messages import WorkerConfig
from digitwatch.workers.pool import Pool

log = logging.getLogger(__name__)


def renew(pool: Pool, choose: Callable[[], Path | str]) -> None:
    """Let the model that `choose` gives read from now on, once a fresh worker has proved it.

    What cannot be used changes nothing and is told in the log.
    """
    try:
        model = choose()
    except NoModelError as error:
        _told(pool.model, "", str(error))
        return
    before = pool.model
    old = pool.equipment
    fresh = WorkerConfig(model, old.review_below, old.pixels, old.memory)
    pool.renew(fresh, lambda name, trouble: _told(before, name, trouble))


def _told(before: str, now: str, trouble: str) -> None:
    if trouble:
        log.error("the model cannot be taken over, %s goes on reading: %s", before, trouble)
    elif now == before:
        log.info("the model is %s as before", now)
    else:
        log.info("the model %s has taken over from %s", now, before)
