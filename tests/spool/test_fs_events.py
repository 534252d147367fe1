"""Events: every way of arriving is reported, and missing events are detected."""

import os
import queue
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from digitwatch.spool import fs_events


@pytest.fixture
def names() -> "queue.SimpleQueue[str]":
    """Return the queue that receives the names of events."""
    return queue.SimpleQueue()


@pytest.fixture
def inbox(tmp_path: Path) -> Path:
    """Return an empty folder to watch, with a place outside it."""
    (tmp_path / "outside").mkdir()
    (tmp_path / "inbox").mkdir()
    return tmp_path / "inbox"


@pytest.fixture
def events(inbox: Path, names: "queue.SimpleQueue[str]") -> Iterator[fs_events.Events]:
    """Return a running watch on the inbox."""
    running = fs_events.Events(inbox, False, names.put, lambda: None)
    yield running
    running.stop()


def _copy(inbox: Path) -> None:
    (inbox / "a.png").write_bytes(b"x")


def _move(inbox: Path) -> None:
    outside = inbox.parent / "outside" / "a.png"
    outside.write_bytes(b"x")
    outside.rename(inbox / "a.png")


def _link(inbox: Path) -> None:
    outside = inbox.parent / "outside" / "a.png"
    outside.write_bytes(b"x")
    os.link(outside, inbox / "a.png")


def _rename(inbox: Path) -> None:
    (inbox / "a.png.part").write_bytes(b"x")
    (inbox / "a.png.part").rename(inbox / "a.png")


@pytest.mark.parametrize("arrive", [_copy, _move, _link, _rename])
def test_every_arrival_names_the_file(
    inbox: Path, events: fs_events.Events, names: "queue.SimpleQueue[str]", arrive: Callable[[Path], None]
) -> None:
    """Copied, moved, linked or renamed: the name of the file comes through."""
    arrive(inbox)

    while names.get(timeout=5) != "a.png":
        pass


def test_a_file_moved_away_delays_no_event(
    inbox: Path, events: fs_events.Events, names: "queue.SimpleQueue[str]"
) -> None:
    """The event of a scan that comes just after another was claimed is reported at once, not half a second later."""
    _copy(inbox)
    (inbox / "a.png").rename(inbox.parent / "outside" / "b.png")
    began = time.monotonic()
    os.link(inbox.parent / "outside" / "b.png", inbox / "c.png")
    while names.get(timeout=10) != "c.png":
        pass

    assert time.monotonic() - began < 0.4


def test_a_scan_that_is_taken_raises_no_event(
    inbox: Path, events: fs_events.Events, names: "queue.SimpleQueue[str]"
) -> None:
    """Opening a file and moving it away raise no event: each scan would raise four."""
    outside = inbox.parent / "outside"
    _copy(inbox)
    os.link(inbox / "a.png", inbox / "b.png")
    while names.get(timeout=10) != "b.png":
        pass
    (inbox / "a.png").read_bytes()
    (inbox / "a.png").rename(outside / "taken.png")
    os.link(outside / "taken.png", inbox / "c.png")

    assert names.get(timeout=10) == "c.png"


def test_a_removed_folder_ends_the_watch(inbox: Path, events: fs_events.Events) -> None:
    """A watch on a folder that was removed and made again is recognised as dead."""
    assert events.alive()
    shutil.rmtree(inbox)
    assert events._observer is not None
    for emitter in events._observer.emitters:
        emitter.join(5)

    assert not events.alive()


def test_the_probe_file_is_removed(inbox: Path, events: fs_events.Events) -> None:
    """The dot-file that proves the watch is gone afterwards."""
    assert list(inbox.iterdir()) == []


def test_network_folders_are_polled(tmp_path: Path) -> None:
    """The type of the filesystem is that of the longest mount point above the folder."""
    mounts = tmp_path / "mounts"
    mounts.write_text("/dev/a / ext4 rw 0 0\nserver:/x /srv/my\\040scans nfs4 rw 0 0\ns:/ /mnt/Büro nfs4 rw 0 0\n")

    assert fs_events.filesystem(Path("/srv/my scans/inbox"), mounts) == "nfs4"
    assert fs_events.filesystem(Path("/mnt/Büro"), mounts) == "nfs4"
    assert fs_events.filesystem(Path("/srv/other"), mounts) == "ext4"
    assert "nfs4".startswith(fs_events.WITHOUT_EVENTS)


def test_polling_needs_no_watch(inbox: Path) -> None:
    """`watch: polling` starts no observer."""
    assert fs_events.start(inbox, "polling", False, lambda name: None, lambda: None) is None


def test_a_busy_watch_does_not_hold_up_the_stop(inbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """While an event is being handled, which the library's stop waits for, ours returns after its limit."""
    monkeypatch.setattr(fs_events, "STOP_SECONDS", 0.05, raising=False)
    handling, release = threading.Event(), threading.Event()

    def arrived(_: str) -> None:
        handling.set()
        release.wait(60)

    events = fs_events.Events(inbox, False, arrived, lambda: None)
    (inbox / "a.png").write_bytes(b"x")
    assert handling.wait(60)
    stop = threading.Thread(target=events.stop, daemon=True)
    stop.start()
    stop.join(30)
    ended = not stop.is_alive()
    release.set()

    assert ended
