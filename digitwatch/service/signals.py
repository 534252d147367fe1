"""Signals of the daemon: stop, or reopen the log and reload the model."""

import signal
from collections.abc import Callable

from digitwatch.service.daemon import Daemon


def listen(daemon: Daemon, reload_model: Callable[[], None] = lambda: None) -> None:
    """Make SIGTERM and SIGINT stop the daemon, and SIGHUP reopen its log and reload its model."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # sent when a leased file is opened; see spool.file_probe
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.calls.put(daemon.stop))
    signal.signal(signal.SIGHUP, lambda *_: daemon.calls.put(lambda: daemon.reload(reload_model)))
