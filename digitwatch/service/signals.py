"""What signals do to a daemon: stop it, or let it begin a new log and take another model over."""

import signal
from collections.abc import Callable

from digitwatch.service.daemon import Daemon


def listen(daemon: Daemon, renew: Callable[[], None] = lambda: None) -> None:
    """Let SIGTERM and SIGINT stop the daemon, and SIGHUP reopen its log and `renew` its model."""
    signal.signal(signal.SIGIO, signal.SIG_IGN)  # told when a leased file is opened; see spool.peek
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: daemon.calls.put(daemon.stop))
    signal.signal(signal.SIGHUP, lambda *_: daemon.calls.put(lambda: daemon.reload(renew)))
