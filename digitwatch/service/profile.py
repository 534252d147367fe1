"""One inbox with its folders and its log."""

from collections.abc import Callable
from dataclasses import dataclass

from digitwatch.series.tracker import Tracker
from digitwatch.spool.folders import Folders
from digitwatch.spool.inbox import Inbox
from digitwatch.spool.prediction_log import PredictionLog
from digitwatch.spool.watch_policy import WatchPolicy


@dataclass(frozen=True)
class ProfileParts:
    """What the daemon needs of one inbox.

    series: judges the readings of meters, None for none. publish_state: sends the state to the web interface.
    """

    folders: Folders
    inbox: Inbox
    predictions: PredictionLog
    policy: WatchPolicy
    series: Tracker | None = None
    publish_state: Callable[..., None] | None = None
