"""Checks of the watch: the filesystem of the inbox, the limits of inotify, and one real event."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from digitwatch.diagnostics.finding import Finding, fail, note, ok
from digitwatch.spool import fs_events

SHORT_QUEUE = 4096  # events; the default of the kernel is 16384


def events(inbox: Path, mode: str, recursive: bool) -> Iterator[Finding]:
    """Check that the watch for `mode` (auto, events, polling) can be started.

    A real watch is started; a dot-file created in the inbox must raise an event.
    """
    kind = fs_events.filesystem(inbox) or "an unknown filesystem"
    if mode == "polling":
        yield ok(f"watch: {inbox} is listed on a timer (watch: polling)")
        return
    if kind.startswith(fs_events.WITHOUT_EVENTS):
        yield _remote(inbox, kind, mode)
        return
    try:
        fs_events.Events(inbox, recursive, lambda name: None, lambda: None).stop()
    except fs_events.NoEventsError as error:
        yield fail(f"watch: {error}; until then the folder is listed on a timer (as with `watch: polling`)")
        return
    yield ok(f"watch: events arrive from {inbox} ({kind})")
    yield from _queue()


def _remote(inbox: Path, kind: str, mode: str) -> Finding:
    where = f"watch: {inbox} is on {kind}"
    if mode == "events":
        return fail(f"{where}, where files of other machines raise no events; set `watch: auto` or `watch: polling`")
    return note(f"{where}, where a timer replaces events (polling)")


def _queue(limits: Path = Path("/proc/sys/fs/inotify")) -> Iterator[Finding]:
    """Note a short event queue; files whose events are lost are found by the next listing."""
    with contextlib.suppress(OSError, ValueError):  # not Linux
        length = int((limits / "max_queued_events").read_text())
        if length < SHORT_QUEUE:
            yield note(
                f"watch: the event queue holds {length} events; further files wait for the next listing; "
                "raise it with: sysctl fs.inotify.max_queued_events=16384"
            )
