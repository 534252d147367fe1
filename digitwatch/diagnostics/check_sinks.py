"""Checks of the sinks: whether each has started, is behind the log, fails, or refused events."""

from collections.abc import Iterator, Sequence

from digitwatch.diagnostics.finding import Finding, fail, note, ok
from digitwatch.sinks.lag import COUNTED, Lag
from digitwatch.spool.csv_rows import printable


def sinks(lags: Sequence[Lag]) -> Iterator[Finding]:
    """Yield a finding for each sink, and one for its refused events."""
    for lag in lags:
        waiting = f"{lag.waiting}{' or more' if lag.waiting >= COUNTED else ''}"
        behind = f"{waiting} events wait, the oldest for {lag.seconds:.0f} s"
        if lag.error:
            tries = f" after {lag.tries} tries" if lag.tries else ""
            yield fail(f"sink {lag.name}: {behind}{tries}: {printable(lag.error)}; it is tried again by itself")
        elif not lag.has_started:
            yield note(f"sink {lag.name}: it has not started; the daemon starts it, or: digitwatch sinks")
        elif lag.waiting:
            yield note(f"sink {lag.name}: {behind}; {lag.delivered} were delivered")
        else:
            yield ok(f"sink {lag.name}: nothing waits; {lag.delivered} events were delivered")
        if lag.refused:
            where = "the table `refused` of .digitwatch-sinks.sqlite beside the log"
            yield note(f"sink {lag.name}: the receiver refused {lag.refused} events for good; see {where}")
