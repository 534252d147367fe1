"""Log output for a terminal, and for journald with its priorities."""

import contextlib
import logging
import os
import sys

from digitwatch.spool.csv_rows import printable

PRIORITIES = {logging.DEBUG: 7, logging.INFO: 6, logging.WARNING: 4, logging.ERROR: 3, logging.CRITICAL: 2}
"""syslog(3) levels, which journald reads from a prefix <N> of a line (sd-daemon(3))."""


class _Formatter(logging.Formatter):
    """Writes each message on one line: names and texts in it hold no line end and no terminal escape."""

    def formatMessage(self, record: logging.LogRecord) -> str:
        record.message = printable(record.message)
        return super().formatMessage(record)


class _JournalFormatter(_Formatter):
    def format(self, record: logging.LogRecord) -> str:
        mark = f"<{PRIORITIES.get(record.levelno, 6)}>"
        return mark + super().format(record).replace("\n", f"\n{mark}")  # each line is a journal entry


_chosen: list[str] = []  # the level of -q or -v, which counts more than log_level


def choose(*, is_quiet: bool, is_verbose: bool) -> None:
    """Let -q or -v replace the log level of the configuration."""
    _chosen[:] = ["warning"] if is_quiet else ["debug"] if is_verbose else []


def set_up(level: str) -> None:
    """Send log lines of `level` and above, or of the level of -q or -v, to standard error."""
    level = _chosen[0] if _chosen else level
    handler = logging.StreamHandler(sys.stderr)
    if _is_read_by_journald():  # which adds the time itself
        handler.setFormatter(_JournalFormatter("%(message)s"))
    else:
        handler.setFormatter(_Formatter("%(asctime)s %(levelname)-7s %(message)s", "%H:%M:%S"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)
    logging.getLogger("watchdog").setLevel(logging.WARNING)


def _is_read_by_journald() -> bool:
    """Return whether standard error is connected to the journal (systemd.exec(5), JOURNAL_STREAM).

    The variable alone is not enough: shells inherit it from the terminal program of a desktop.
    """
    with contextlib.suppress(OSError):
        status = os.fstat(sys.stderr.fileno())
        return os.environ.get("JOURNAL_STREAM") == f"{status.st_dev}:{status.st_ino}"
    return False
