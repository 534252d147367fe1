"""How new files are noticed: the filesystem of the inbox, the limits of inotify, and an event that must arrive."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from digitwatch.diagnostics.finding import Finding, mend, note, ok
from digitwatch.spool import fs_events

SHORT_QUEUE = 4096  # events; the kernel's own default is 16384


def events(inbox: Path, mode: str, recursive: bool) -> Iterator[Finding]:
    """Look whether the watch that `mode` (auto, events, polling) asks for can be had.

    The watch is started for real; a dot-file made in the inbox must raise an event.
    """
    kind = fs_events.filesystem(inbox) or "an unknown filesystem"
    if mode == "polling":
        yield ok(f"watch: {inbox} is listed on a timer, as config.yaml says")
        return
    if kind.startswith(fs_events.WITHOUT_EVENTS):
        yield _remote(inbox, kind, mode)
        return
    try:
        fs_events.Events(inbox, recursive, lambda name: None, lambda: None).stop()
    except fs_events.NoEventsError as error:
        yield mend(f"watch: {error}; until then the folder is listed on a timer (`watch: polling` says so for good)")
        return
    yield ok(f"watch: events arrive from {inbox} ({kind})")
    yield from _queue()


def _remote(inbox: Path, kind: str, mode: str) -> Finding:
    where = f"watch: {inbox} lies on {kind}"
    if mode == "events":
        return mend(f"{where}, where other machines' files raise no events; set `watch: auto` or `watch: polling`")
    return note(f"{where}, where a timer replaces events (polling)")


def _queue(limits: Path = Path("/proc/sys/fs/inotify")) -> Iterator[Finding]:
    """Say when the system's queue of events is short; what runs over is found by listing."""
    with contextlib.suppress(OSError, ValueError):  # not Linux
        length = int((limits / "max_queued_events").read_text())
        if length < SHORT_QUEUE:
            yield note(
                f"watch: the queue holds {length} events; of more files at once the rest waits for the next listing; "
                "raise it with: sysctl fs.inotify.max_queued_events=16384"
            )
